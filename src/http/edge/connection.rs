//! Limits of connections: how many there may be, and how long one may be idle.
//!
//! actix-web has a deadline for the head of a connection's first request and for the pause between
//! two requests. A client that sends half of a second head, or that does not read its answers, is
//! subject to neither and could hold its connection for ever. So each connection has a watch with
//! its own handle on the socket, which shuts the socket down after a whole period in which no
//! request began or ended.
//!
//! No address may hold so many connections that there are too few for others. A proxy counts as one
//! address, so the limit is far above what the callers behind it need at once.

use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpListener};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Connections that the kernel queues until the server accepts them.
const BACKLOG: i32 = 1_024;
/// Connections of a worker, at most, even if the system allows more. Each takes about 10 KB.
const WORKER_CONNECTIONS_MAX: u64 = 4_000;
/// Open files that are kept free for the book, its readers, the log and deliveries.
const FILES_KEPT: u64 = 512;
/// Open files of a connection: its socket and its watch's handle.
const FILES_PER_CONNECTION: u64 = 2;

/// How many connections are open from each address.
#[derive(Debug)]
pub struct Addresses {
    each_max: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    /// Allows `each_max` connections from one address.
    pub fn at_most(each_max: usize) -> Arc<Addresses> {
        Arc::new(Addresses { each_max, open: Mutex::default() })
    }

    /// Counts one more connection; `None` if the address has as many as it may.
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Entered> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if self.each_max <= *count {
            return None;
        }
        *count += 1;
        Some(Entered { addresses: Arc::clone(self), address })
    }
}

/// A counted connection of an address. Dropping it takes it off the count.
struct Entered {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.address) {
            Some(count) if 1 < *count => *count -= 1,
            _ => drop(open.remove(&self.address)),
        }
    }
}

/// A connection's watch and the activity that it looks at. Both end with the connection.
struct Watched {
    activity: Rc<Activity>,
    watch: JoinHandle<()>,
    _entered: Entered,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // This also closes the watch's handle on the socket.
        self.watch.abort();
    }
}

#[derive(Default)]
struct Activity {
    /// Requests that began plus requests that ended.
    count: Cell<u64>,
    under_way: Cell<u64>,
}

impl Activity {
    fn begin(self: &Rc<Self>) -> UnderWay {
        self.count.set(self.count.get().wrapping_add(1));
        self.under_way.set(self.under_way.get() + 1);
        UnderWay(Rc::clone(self))
    }
}

/// A request in progress. It is dropped when the request is answered or given up.
struct UnderWay(Rc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get().wrapping_add(1));
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

/// Lets a burst of new connections wait until they are accepted.
pub fn lengthen_backlog(listener: &TcpListener) -> std::io::Result<()> {
    // The standard library listens with a short queue. Listening again only makes it longer.
    Ok(rustix::net::listen(listener, BACKLOG)?)
}

/// How many connections each worker may hold, so that SQLite never runs out of open files. Raises
/// the process's limit of open files as far as the system allows.
pub fn connections_max(workers: u64) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(
                %error,
                "the limit of open files could not be raised, so fewer connections are accepted; \
                 raise it where the server is started"
            );
            limit.current
        }
    };
    connections_of(files, workers)
}

/// Puts a watch on a new connection, or closes it if its address has too many.
pub fn limit_connection(
    stream: &dyn Any,
    data: &mut Extensions,
    period: Duration,
    addresses: &Arc<Addresses>,
) {
    let Some(stream) = stream.downcast_ref::<TcpStream>() else {
        return tracing::warn!("a connection is not TCP, so it has no limits");
    };
    // A client that has already left has no address, and its connection is about to end.
    let Ok(peer) = stream.peer_addr() else { return };
    let socket = match stream.as_fd().try_clone_to_owned() {
        Ok(handle) => std::net::TcpStream::from(handle),
        Err(error) => return tracing::warn!(%error, "a connection has no limits"),
    };
    let Some(entered) = addresses.enter(peer.ip().to_canonical()) else {
        // Fails only if the client has already left.
        return drop(socket.shutdown(Shutdown::Both));
    };
    let activity = Rc::new(Activity::default());
    let watch = actix_web::rt::spawn(end_when_idle(socket, Rc::clone(&activity), period));
    data.insert(Watched { activity, watch, _entered: entered });
}

/// Counts a request, from its start to its answer, as activity of its connection.
pub async fn note_request(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let under_way = request.conn_data::<Watched>().map(|watched| watched.activity.begin());
    let answered = next.call(request).await;
    drop(under_way);
    answered
}

/// `files` is `None` if the system has no limit.
fn connections_of(files: Option<u64>, workers: u64) -> usize {
    let spare = files.unwrap_or(u64::MAX).saturating_sub(FILES_KEPT);
    let each = (spare / FILES_PER_CONNECTION / workers).clamp(1, WORKER_CONNECTIONS_MAX);
    usize::try_from(each).unwrap_or(1)
}

async fn end_when_idle(socket: std::net::TcpStream, activity: Rc<Activity>, period: Duration) {
    let mut seen = u64::MAX;
    while seen != activity.count.get() || 0 < activity.under_way.get() {
        seen = activity.count.get();
        sleep(period).await;
    }
    // Fails only if the client has already left.
    drop(socket.shutdown(Shutdown::Both));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        for (files, expected) in [
            (Some(1_024), 128),
            (Some(20_000), 4_000),
            (Some(16_512), 4_000),
            (Some(16_508), 3_999),
            (Some(100), 1),
            (None, 4_000),
        ] {
            assert_eq!(connections_of(files, 2), expected, "{files:?}");
        }
    }
}
