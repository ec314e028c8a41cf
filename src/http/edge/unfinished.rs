//! Bounds the bytes of requests that have not arrived completely (docs/reliability.md).
//!
//! A client that sends all but the last byte of many requests would make the server keep them
//! until their deadlines. So the bytes that long heads and bodies will have are counted, for each
//! address and in all. Without room, a request's body is not read any further. It gets room when
//! another request has arrived completely, or when one without new bytes for a while is ended.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::auth::counted_address::CountedAddress;

/// Bytes of unfinished requests of one address. One that many callers share may have a third more.
const ADDRESS_BYTES_MAX: usize = 24 << 20;
/// Bytes of unfinished requests of all addresses.
const ALL_BYTES_MAX: usize = 64 << 20;
/// How long a request may be without new bytes before it must make room for others.
const STALLED: Duration = Duration::from_millis(200);
/// How often a request that waits for room looks for it.
const RETRY: Duration = Duration::from_millis(50);

/// An address, and true if many callers share it.
type Name = (IpAddr, bool);

/// The bytes of requests that have not arrived completely.
#[derive(Debug, Default)]
pub struct UnfinishedRequests {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all_bytes: usize,
    bytes_by_name: HashMap<Name, usize>,
    /// The requests that are counted, the one that got bytes last at the end.
    counted: BTreeMap<u64, CountedRequest>,
    next: u64,
}

#[derive(Debug)]
struct CountedRequest {
    names: Vec<Name>,
    bytes: usize,
    grew_at: Instant,
    /// Tells the owner that its request is ended.
    end: oneshot::Sender<()>,
}

/// An unfinished request that is counted. Dropping it takes its bytes off the count.
#[derive(Debug)]
pub struct Unfinished {
    requests: Arc<UnfinishedRequests>,
    nth: u64,
    ended: oneshot::Receiver<()>,
}

impl UnfinishedRequests {
    /// Waits for room for a request with so many bytes; `address` is `None` if the client has
    /// already left.
    pub async fn begin(
        self: &Arc<Self>,
        address: Option<CountedAddress>,
        bytes: usize,
    ) -> Unfinished {
        loop {
            match self.try_begin(address, bytes) {
                Some(begun) => return begun,
                None => sleep(RETRY).await,
            }
        }
    }

    /// Like [`begin`](Self::begin), but `None` if there is not enough room at the moment.
    pub fn try_begin(
        self: &Arc<Self>,
        address: Option<CountedAddress>,
        bytes: usize,
    ) -> Option<Unfinished> {
        self.try_begin_at(address, bytes, Instant::now())
    }

    fn try_begin_at(
        self: &Arc<Self>,
        address: Option<CountedAddress>,
        bytes: usize,
        now: Instant,
    ) -> Option<Unfinished> {
        let own = address.and_then(|address| address.own).map(|own| (own, false));
        let shared = address.and_then(|address| address.shared).map(|shared| (shared, true));
        let names: Vec<Name> = own.into_iter().chain(shared).collect();
        let mut counts = self.lock();
        while let Some(name) = counts.name_to_make_room(&names, bytes) {
            let ended =
                counts.longest_without_bytes(name, now).and_then(|nth| counts.remove(nth))?;
            // Fails only if the request has just ended by itself.
            ended.end.send(()).unwrap_or_default();
        }
        let (end, ended) = oneshot::channel();
        let nth = counts.insert(CountedRequest { names, bytes, grew_at: now, end });
        Some(Unfinished { requests: Arc::clone(self), nth, ended })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unfinished {
    /// Notes that more bytes have come.
    pub fn note_bytes(&mut self) {
        self.note_bytes_at(Instant::now());
    }

    fn note_bytes_at(&mut self, now: Instant) {
        let mut counts = self.requests.lock();
        if let Some(request) = counts.remove(self.nth) {
            self.nth = counts.insert(CountedRequest { grew_at: now, ..request });
        }
    }

    /// Ready once the request is ended, because others need its room.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(cx).map(|_| ())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.requests.lock().remove(self.nth);
    }
}

impl Counts {
    fn insert(&mut self, request: CountedRequest) -> u64 {
        let nth = self.next;
        self.next += 1;
        self.all_bytes += request.bytes;
        for name in &request.names {
            *self.bytes_by_name.entry(*name).or_default() += request.bytes;
        }
        self.counted.insert(nth, request);
        nth
    }

    fn remove(&mut self, nth: u64) -> Option<CountedRequest> {
        let request = self.counted.remove(&nth)?;
        self.all_bytes -= request.bytes;
        for name in &request.names {
            match self.bytes_by_name.get_mut(name) {
                Some(bytes) if request.bytes < *bytes => *bytes -= request.bytes,
                _ => drop(self.bytes_by_name.remove(name)),
            }
        }
        Some(request)
    }

    /// The name of which a request must end before `names` may have so many more bytes; `None` if
    /// they may have them now. It is one of `names` that would exceed its own limit or, if only the
    /// limit for all would be exceeded, the name with the most bytes.
    fn name_to_make_room(&self, names: &[Name], bytes: usize) -> Option<Name> {
        let bytes_of = |name: &Name| self.bytes_by_name.get(name).copied().unwrap_or_default();
        let max = |name: &Name| ADDRESS_BYTES_MAX + if name.1 { ADDRESS_BYTES_MAX / 3 } else { 0 };
        if let Some(full) = names.iter().find(|name| max(name) < bytes_of(name) + bytes) {
            return Some(*full);
        }
        if self.all_bytes + bytes <= ALL_BYTES_MAX {
            return None;
        }
        self.bytes_by_name.iter().max_by_key(|(_, bytes)| **bytes).map(|(name, _)| *name)
    }

    fn longest_without_bytes(&self, name: Name, now: Instant) -> Option<u64> {
        let (nth, request) =
            self.counted.iter().find(|(_, request)| request.names.contains(&name))?;
        (STALLED <= now.saturating_duration_since(request.grew_at)).then_some(*nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn is_ended(unfinished: &mut Unfinished) -> bool {
        unfinished.poll_ended(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    /// Requests of one MiB, begun at a time: as many as there is room for.
    fn begin(
        requests: &Arc<UnfinishedRequests>,
        address: impl Fn(usize) -> String,
        count: usize,
        at: Instant,
    ) -> Vec<Unfinished> {
        let of = |nth| Some(CountedAddress::from(address(nth).parse::<IpAddr>().unwrap()));
        (0..count).map_while(|nth| requests.try_begin_at(of(nth), MIB, at)).collect()
    }

    #[test]
    fn a_request_that_has_stalled_makes_room_and_one_that_arrives_does_not() {
        let (requests, start) = (Arc::new(UnfinishedRequests::default()), Instant::now());
        let later = start + STALLED;
        let of = |address: &'static str| move |_| address.to_owned();
        let mut stranger = begin(&requests, of("192.0.2.7"), 100, start);
        assert_eq!(stranger.len(), 24);
        assert!(begin(&requests, of("192.0.2.7"), 1, start).is_empty(), "none has stalled");
        assert_eq!(begin(&requests, of("192.0.2.8"), 1, start).len(), 1, "another address");
        stranger[0].note_bytes_at(later);
        let mut new = begin(&requests, of("192.0.2.7"), 100, later);
        assert_eq!(new.len(), 23, "one had new bytes");
        let ended: Vec<bool> = stranger.iter_mut().map(is_ended).collect();
        assert!(!ended[0] && ended[1..].iter().all(|is_ended| *is_ended), "{ended:?}");
        assert!(!new.iter_mut().any(is_ended));
        stranger[1].note_bytes_at(later);
        assert_eq!(requests.lock().all_bytes, 24 * MIB, "an ended request is counted no more");
        drop((stranger, new));
        let counts = requests.lock();
        assert!(
            counts.all_bytes == 0 && counts.bytes_by_name.is_empty() && counts.counted.is_empty()
        );
    }

    #[test]
    fn the_address_with_the_most_bytes_makes_room_for_others() {
        let (requests, start) = (Arc::new(UnfinishedRequests::default()), Instant::now());
        let of = |last: &'static str| move |_| format!("192.0.2.{last}");
        let mut least = begin(&requests, of("1"), 18, start);
        let mut most = begin(&requests, of("2"), 24, start);
        let mut middle = begin(&requests, of("3"), 22, start);
        assert!(begin(&requests, of("9"), 1, start).is_empty(), "64 MiB in all");
        let honest = begin(&requests, of("9"), 2, start + STALLED);
        assert_eq!(honest.len(), 2);
        let ended = |all: &mut Vec<Unfinished>| {
            all.iter_mut().map(is_ended).filter(|is_ended| *is_ended).count()
        };
        assert_eq!((ended(&mut least), ended(&mut most), ended(&mut middle)), (0, 2, 0));
    }

    #[test]
    fn addresses_of_one_network_have_together_a_third_more() {
        let (requests, start) = (Arc::new(UnfinishedRequests::default()), Instant::now());
        let all = begin(&requests, |nth| format!("2001:db8:0:{nth}::1"), 100, start);
        assert_eq!(all.len(), 32);
        assert!(requests.try_begin_at(None, 32 * MIB, start).is_some());
        assert!(requests.try_begin_at(None, 33 * MIB, start).is_none());
    }
}
