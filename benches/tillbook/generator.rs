//! The load: a number of connections, each with one request at a time, as fast as they are answered
//! or at a fixed rate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hdrhistogram::Histogram;

use crate::captures::Captures;
use crate::client::{Answer, BlockingConnection, Connection};
use crate::figures::{figure, per_second};
use crate::server::Server;

/// The result of one run.
pub struct Run {
    pub answered: u64,
    pub per_second: f64,
    /// Milliseconds.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// The server's CPU per request, in microseconds.
    pub cpu_us: f64,
}

/// A fixed rate, in requests a second, for some time.
#[derive(Clone, Copy)]
pub struct Pace {
    pub rate: f64,
    pub time: Duration,
}

/// Closed loop: each connection sends its next request when it has read the last answer.
pub fn closed_loop(server: &Server, connections: usize, time: Duration, from: &Captures) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let open = (0..connections).map(|_| Connection::open(&server.address));
        let open = join_all(open).await;
        let (cpu_before, began) = (server.cpu_us(), Instant::now());
        let one = |mut connection: Connection| async move {
            let mut latencies = histogram();
            while began.elapsed() < time {
                let request = from.next();
                let sent = Instant::now();
                let answer = connection.send(&request.bytes).await;
                note(&mut latencies, sent);
                request.expect(&answer);
            }
            latencies
        };
        let all = join_all(open.into_iter().map(one)).await;
        summary(all, began.elapsed(), server.cpu_us() - cpu_before)
    })
}

/// Open loop: requests are due at a fixed rate, whether or not earlier ones were answered in
/// time. Each is timed from when it was due, so that every request that waits while a server stops
/// counts (no coordinated omission). Each connection has a thread, which wakes
/// more punctually than an event loop's timer. `note_answer` gets each answer, and when its
/// request was due.
pub fn open_loop(
    server: &Server,
    connections: usize,
    pace: Pace,
    from: &Captures,
    note_answer: impl Fn(&Answer<'_>, Instant) + Sync,
) -> Run {
    let next = AtomicU64::new(0);
    let (cpu_before, began) = (server.cpu_us(), Instant::now());
    let one = || {
        let mut connection = BlockingConnection::open(&server.address);
        let mut latencies = histogram();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = began + Duration::from_secs_f64(figure(number) / pace.rate);
            if began + pace.time <= due {
                return latencies;
            }
            let request = from.next();
            while let Some(left) = due.checked_duration_since(Instant::now()) {
                std::thread::park_timeout(left);
            }
            let answer = connection.send(&request.bytes);
            note(&mut latencies, due);
            request.expect(&answer);
            note_answer(&answer, due);
        }
    };
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.collect::<Result<Vec<_>, _>>().expect("every answer was right")
    });
    summary(all, began.elapsed(), server.cpu_us() - cpu_before)
}

/// A histogram of microseconds up to a minute, with three significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds of a histogram")
}

fn note(latencies: &mut Histogram<u64>, since: Instant) {
    let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    latencies.saturating_record(us.max(1));
}

fn summary(all: Vec<Histogram<u64>>, took: Duration, cpu_us: u64) -> Run {
    let mut latencies = histogram();
    for each in &all {
        latencies.add(each).expect("histograms of the same bounds");
    }
    let answered = latencies.len();
    let at = |quantile: f64| figure(latencies.value_at_quantile(quantile)) / 1_000.0;
    Run {
        answered,
        per_second: per_second(answered, took),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        cpu_us: figure(cpu_us) / figure(answered).max(1.0),
    }
}
