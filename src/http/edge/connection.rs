//! Connections: how many there may be, and the end of those on which nothing is asked.
//!
//! actix-web has a deadline for the head of a connection's first request and for the pause between
//! two. Whoever sends half of a second head, or does not read what it asked for, is outside both
//! and would hold its connection for ever. So each has a watch with a handle of its own on the
//! socket: it shuts that when a whole period has passed in which no request began or ended.
//!
//! No address may hold so many connections that none are left for others. A proxy is one address,
//! so the bound is far above what its callers need at once.

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

/// Connections that the kernel holds for us until we take them.
const BACKLOG: i32 = 1_024;
/// Connections of a worker, whatever the system allows; each takes some ten kilobytes.
const WORKER_CONNECTIONS_MAX: u64 = 4_000;
/// Files that are kept free for the book, its readers, the log and deliveries.
const FILES_KEPT: u64 = 512;
/// The socket itself and its watch's handle.
const FILES_PER_CONNECTION: u64 = 2;

/// Lets as many callers wait for us as a burst may bring.
pub fn lengthen_backlog(listener: &TcpListener) -> std::io::Result<()> {
    // The standard library listens with a short queue; listening again only makes it longer.
    Ok(rustix::net::listen(listener, BACKLOG)?)
}

/// How many connections each of some workers may hold, so that files never run out under SQLite.
/// Asks the system for all the files that it is ready to give.
pub fn connections_max(workers: u64) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    };
    connections_of(files, workers)
}

/// No limit is `None`.
fn connections_of(files: Option<u64>, workers: u64) -> usize {
    let spare = files.unwrap_or(u64::MAX).saturating_sub(FILES_KEPT);
    let each = (spare / FILES_PER_CONNECTION / workers).clamp(1, WORKER_CONNECTIONS_MAX);
    usize::try_from(each).unwrap_or(1)
}

/// How many connections are open from each address.
#[derive(Debug)]
pub struct Addresses {
    each_max: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl Addresses {
    /// Of no address more than that.
    pub fn at_most(each_max: usize) -> Arc<Addresses> {
        Arc::new(Addresses { each_max, open: Mutex::default() })
    }

    /// Counts one more, unless that address has all that it may.
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

/// One connection of an address, until it ends.
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
        // With it goes its handle on the socket.
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

/// Puts a watch on a new connection, or closes it if its address has too many.
pub fn limit_connection(
    stream: &dyn Any,
    data: &mut Extensions,
    period: Duration,
    addresses: &Arc<Addresses>,
) {
    let Some(stream) = stream.downcast_ref::<TcpStream>() else {
        return tracing::warn!("a connection that is no TCP has no watch");
    };
    // One that has left already has no address, and soon no connection.
    let Ok(peer) = stream.peer_addr() else { return };
    let socket = match stream.as_fd().try_clone_to_owned() {
        Ok(handle) => std::net::TcpStream::from(handle),
        Err(error) => return tracing::warn!(%error, "a connection has no watch"),
    };
    let Some(entered) = addresses.enter(peer.ip().to_canonical()) else {
        // It fails when the client has left already.
        return drop(socket.shutdown(Shutdown::Both));
    };
    let activity = Rc::new(Activity::default());
    let watch = actix_web::rt::spawn(end_when_idle(socket, Rc::clone(&activity), period));
    data.insert(Watched { activity, watch, _entered: entered });
}

async fn end_when_idle(socket: std::net::TcpStream, activity: Rc<Activity>, period: Duration) {
    let mut seen = u64::MAX;
    while seen != activity.count.get() || 0 < activity.under_way.get() {
        seen = activity.count.get();
        sleep(period).await;
    }
    // It fails when the client has left already.
    drop(socket.shutdown(Shutdown::Both));
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
