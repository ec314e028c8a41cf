//! One client with great orders beside another account's captures: whatever it does as fast as it
//! can, captures take only a little longer than without it.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{count, say};
use crate::large_answers::{Caller, OTHER, caller, two_accounts};

/// How much longer a capture may take at the 99th percentile while the other client works.
const SLOWER_MAX: u32 = 5;

/// Captures of a window. Its 99th percentile is its third slowest.
const WINDOW: usize = 200;

/// The greedy client's connections. Each has a request in progress at any time.
const CONNECTIONS: usize = 4;

/// Orders that the greedy client fills with long documents while it is measured. Each takes seven.
const FILLED: usize = 40;

/// The greedy client's requests, ready to be sent: building them takes no time beside the captures.
struct Greed {
    requests: Vec<Vec<u8>>,
}

impl Greed {
    /// A client with an order of nearly 8 MiB that has some hundred events, and with requests that
    /// read it, list it, comment on it, and put documents of 1 MiB on it and on other orders.
    fn of(caller: &Caller<'_>) -> Greed {
        let great = caller.order();
        let path = format!("/orders/{great}");
        let document = json!({"metadata": {"x": "x".repeat((1 << 20) - 200)}});
        for _ in 0..6 {
            caller.send("PUT", &path, Some(&document)).expect(200);
        }
        let comment = json!({"comment": "more"});
        for _ in 0..100 {
            caller.send("POST", &format!("{path}/comments"), Some(&comment)).expect(200);
        }
        let whole = format!("{path}?include_events=true");
        let mut requests = Vec::new();
        for _ in 0..FILLED {
            let filled = format!("/orders/{}", caller.order());
            requests.extend([
                caller.bytes("GET", &whole, None),
                caller.bytes("POST", &format!("{path}/comments"), Some(&comment)),
                caller.bytes("GET", "/orders?limit=50&include_events=true", None),
                caller.bytes("PUT", &filled, Some(&document)),
                caller.bytes("GET", &format!("{path}/events"), None),
                // Larger than the order may become, so it is refused after it was read.
                caller.bytes("PUT", &path, Some(&document)),
            ]);
        }
        Greed { requests }
    }

    /// Sends the requests in turn until it is told to stop, and counts the answers of each status.
    fn work(&self, address: &str, first: usize, is_done: &AtomicBool) -> Vec<u16> {
        let requests = self.requests.iter().cycle().skip(first);
        // The trial is about the server: the client's own work must not slow the captures.
        #[cfg(target_os = "linux")]
        rustix::process::nice(19).unwrap();
        let going_on = requests.take_while(|_| !is_done.load(Ordering::Relaxed));
        going_on.map(|request| status_of(address, request)).collect()
    }
}

/// Sends a request on a connection of its own and throws the answer away, except its status.
fn status_of(address: &str, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    let mut piece = [0; 64 << 10];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}

/// The 99th percentile of a window of captures.
fn slowest(other: &Caller<'_>, order: &str) -> Duration {
    let capture = json!({"items": [{"line_id": 1, "amount": 1}]});
    let path = format!("/orders/{order}/captures");
    let mut took: Vec<Duration> = (0..WINDOW)
        .map(|_| {
            let began = Instant::now();
            other.send("POST", &path, Some(&capture)).expect(200);
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[WINDOW * 99 / 100]
}

fn median(mut of: Vec<Duration>) -> Duration {
    of.sort_unstable();
    of[of.len() / 2]
}

#[test]
fn a_client_with_great_orders_slows_captures_of_another_account_only_a_little() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let greed = Greed::of(&greedy);
    let order = other.order();
    let (mut quiet, mut busy, mut statuses) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count("TILLBOOK_GREEDY_WINDOWS", 5) {
        quiet.push(slowest(&other, &order));
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (greed, is_done, done) = (&greed, &is_done, statuses.len());
            let address = served.address();
            let working: Vec<_> = (0..CONNECTIONS)
                .map(|nth| done + nth * greed.requests.len() / CONNECTIONS)
                .map(|first| scope.spawn(move || greed.work(address, first, is_done)))
                .collect();
            busy.push(slowest(&other, &order));
            is_done.store(true, Ordering::Relaxed);
            statuses.extend(working.into_iter().flat_map(|one| one.join().unwrap()));
        });
    }
    let done = statuses.iter().filter(|status| **status == 200).count();
    say(&format!("the slowest hundredth of captures: {quiet:?} alone, {busy:?} with the other"));
    let (quiet, busy) = (median(quiet), median(busy));
    let requests = statuses.len();
    say(&format!(
        "captures take {quiet:?} at the 99th percentile, and {busy:?} beside {requests} requests \
         of the other client, {done} of them answered with 200"
    ));
    assert!(statuses.iter().all(|status| [200, 409, 503].contains(status)), "{statuses:?}");
    assert!(busy < quiet * SLOWER_MAX, "{busy:?} instead of {quiet:?}");
}
