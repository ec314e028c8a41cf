//! Limits of connections: how many there may be, and how long one may be idle.
//!
//! actix-web has a deadline for the head of a connection's first request and for the pause between
//! two requests. A client that sends half of a second head, or that does not read its answers, is
//! subject to neither and could hold its connection for ever. So each connection has a watch with
//! its own handle on the socket, which shuts the socket down after a whole period in which no
//! request began or ended and the client made no room for more of an answer.
//!
//! No address may hold so many connections that there are too few for others. A proxy counts as one
//! address, so the limit is far above what the callers behind it need at once.

use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpListener};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::socket::{Answer, Flow, Socket};
use crate::auth::counted_address::CountedAddress;

/// Connections that the kernel queues until the server accepts them.
const BACKLOG: i32 = 1_024;
/// The most connections of a worker, even if the system allows more. Each takes about 10 KB.
const WORKER_CONNECTIONS_MAX: u64 = 4_000;
/// Open files that are kept free for the book, its readers, the log and deliveries.
const FILES_KEPT: u64 = 512;
/// Open files without which threads of the server fail when they start.
const FILES_MIN: u64 = 128;
/// Open files of a connection: its socket and its watch's handle.
const FILES_PER_CONNECTION: u64 = 2;

/// Bytes of an answer that the kernel keeps unsent. The client's own window limits the bytes under
/// way, so a long distance to the client does not slow an answer down.
const UNSENT_BYTES_MAX: u32 = 64 << 10;
/// Bytes of requests that the kernel keeps of a connection until they are read. Linux doubles it.
const UNREAD_BYTES_MAX: usize = 64 << 10;

/// How many connections are open from each address.
#[derive(Debug)]
pub struct Addresses {
    each_max: usize,
    /// Connections by address, and whether that is one that many callers share.
    open: Mutex<HashMap<(IpAddr, bool), usize>>,
}

impl Addresses {
    /// Allows `each_max` connections from one address, and half as many more from one that many
    /// callers share.
    pub fn at_most(each_max: usize) -> Arc<Addresses> {
        Arc::new(Addresses { each_max, open: Mutex::default() })
    }

    /// Counts one more connection; `None` if the address has as many as it may.
    fn enter(self: &Arc<Self>, address: CountedAddress) -> Option<Entered> {
        let own = address.own.map(|own| (own, false));
        let names: Vec<_> =
            own.into_iter().chain(address.shared.map(|shared| (shared, true))).collect();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |name: &(IpAddr, bool)| {
            let max = if name.1 { self.each_max + self.each_max / 2 } else { self.each_max };
            open.get(name).is_none_or(|count| *count < max)
        };
        if !names.iter().all(has_room) {
            return None;
        }
        for name in &names {
            *open.entry(*name).or_default() += 1;
        }
        Some(Entered { addresses: Arc::clone(self), names })
    }
}

/// A counted connection of an address. Dropping it takes it off the count.
#[derive(Debug)]
struct Entered {
    addresses: Arc<Addresses>,
    names: Vec<(IpAddr, bool)>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.addresses.open.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            match open.get_mut(name) {
                Some(count) if 1 < *count => *count -= 1,
                _ => drop(open.remove(name)),
            }
        }
    }
}

/// A connection's watch. It ends with the connection.
struct Watched {
    watch: JoinHandle<()>,
    _entered: Entered,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // This also closes the watch's handle on the socket.
        self.watch.abort();
    }
}

/// Lets a burst of new connections wait until they are accepted, and limits the bytes that the
/// kernel keeps for each: connections inherit these options from their listener.
pub fn prepare_listener(listener: &TcpListener) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(listener);
    socket.set_tcp_notsent_lowat(UNSENT_BYTES_MAX)?;
    socket.set_recv_buffer_size(UNREAD_BYTES_MAX)?;
    // The standard library listens with a short queue. Listening again only makes it longer.
    Ok(rustix::net::listen(listener, BACKLOG)?)
}

/// An error if the system allows so few open files that a server cannot start.
pub fn check_open_files() -> std::io::Result<()> {
    let allowed = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    if FILES_MIN <= allowed {
        return Ok(());
    }
    Err(std::io::Error::other(format!(
        "the system allows this process {allowed} open files, and a server needs {FILES_MIN} or \
         more; raise the limit where it is started (ulimit -n, or LimitNOFILE in systemd)"
    )))
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
    socket: &Socket,
    data: &mut Extensions,
    period: Duration,
    addresses: &Arc<Addresses>,
) {
    data.insert(Rc::clone(socket.flow()));
    // A client that has already left has no address, and its connection is about to end.
    let Some(peer) = socket.peer() else { return };
    let handle = match socket.stream().as_fd().try_clone_to_owned() {
        Ok(handle) => std::net::TcpStream::from(handle),
        Err(error) => return tracing::warn!(%error, "a connection has no limits"),
    };
    let Some(entered) = addresses.enter(peer.ip().into()) else {
        // Fails only if the client has already left.
        return drop(handle.shutdown(Shutdown::Both));
    };
    let watch = actix_web::rt::spawn(end_when_idle(handle, Rc::clone(socket.flow()), period));
    data.insert(Watched { watch, _entered: entered });
}

/// Tells a connection of its requests and their answers. Must wrap all other middleware.
pub async fn note_request(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<Answer>, Error> {
    let begun = request.conn_data::<Rc<Flow>>().map(Flow::begin);
    let (handling, unanswered) = begun.unzip();
    let answered = next.call(request).await;
    drop(handling);
    Ok(answered?.map_body(|_, body| Answer::new(body, unanswered)))
}

/// `files` is `None` if the system has no limit.
fn connections_of(files: Option<u64>, workers: u64) -> usize {
    let spare = files.unwrap_or(u64::MAX).saturating_sub(FILES_KEPT);
    let each = (spare / FILES_PER_CONNECTION / workers).clamp(1, WORKER_CONNECTIONS_MAX);
    usize::try_from(each).unwrap_or(1)
}

async fn end_when_idle(handle: std::net::TcpStream, flow: Rc<Flow>, period: Duration) {
    let mut seen = None;
    while seen != Some(flow.activity()) || flow.is_handling() {
        seen = Some(flow.activity());
        sleep(period).await;
    }
    // Fails only if the client has already left.
    drop(handle.shutdown(Shutdown::Both));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_no_more_connections_than_it_may_however_many_addresses_it_has() {
        let addresses = Addresses::at_most(4);
        let ip = |text: String| CountedAddress::from(text.parse::<IpAddr>().unwrap());
        let mut open: Vec<_> =
            (0..9).filter_map(|nth| addresses.enter(ip(format!("2001:db8::{nth}")))).collect();
        assert_eq!(open.len(), 4, "of one /64");
        open.extend((1..9).filter_map(|nth| addresses.enter(ip(format!("2001:db8:0:{nth}::1")))));
        assert_eq!(open.len(), 6, "of one /48");
        assert!(addresses.enter(ip("2001:db8:1::1".to_owned())).is_some(), "of another");
        let mapped = |nth: u32| match nth % 2 {
            0 => ip("192.0.2.7".to_owned()),
            _ => ip("::ffff:192.0.2.7".to_owned()),
        };
        open.extend((0..9).filter_map(|nth| addresses.enter(mapped(nth))));
        assert_eq!(open.len(), 10, "of one IPv4 address in two spellings");
        drop(open);
        assert!(addresses.open.lock().unwrap().is_empty());
    }

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
