//! Webhooks: captures with a hook in turns with captures without one, and a hook that is behind.

mod behind;
mod receiver;
mod subscription;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::Bench;
use crate::captures::Captures;
use crate::client::Answer;
use crate::figures::{figure, per_second};
use crate::generator::{Pace, Run, closed_loop, open_loop};
use crate::load::{expect_captured, note, words};
use crate::server::Server;
use crate::shop::Shop;
use receiver::Receiver;
use subscription::Subscription;

const CONNECTIONS: usize = 64;

/// Captures a second at the fixed rate, and how soon the receiver must have their events.
const RATE: f64 = 2_000.0;
const SOON: Duration = Duration::from_millis(500);

/// A book, its server and its requests.
struct Side {
    shop: Shop,
    server: Server,
    captures: Captures,
    captured_before: u64,
    acknowledged: u64,
}

/// The events of one turn at the fixed rate.
struct Delivered {
    run: Run,
    /// The share of the events that arrived soon after their captures were due.
    soon: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Measures both rates, verifies the books, and measures the hook that is behind.
pub fn run(bench: &mut Bench) {
    let receiver = Receiver::start();
    let mut without = Side::start(bench, "hooks-without");
    let mut with = Side::start(bench, "hooks-with");
    let hook = Subscription::make(&with.server, &with.shop, &receiver.url);
    for repetition in 1..=bench.options.repetitions() {
        paced(bench, &mut without, &mut with, &receiver, repetition);
        unpaced(bench, &mut without, &mut with, &receiver, repetition);
        // What still waits is skipped, so that it does not slow the next turn.
        hook.pause(&with.server, &with.shop);
        hook.resume(&with.server, &with.shop, false);
        with.server.settle();
    }
    for Side { shop, server, captured_before, acknowledged, .. } in [without, with] {
        drop(server);
        expect_captured(bench, &shop, captured_before, acknowledged);
    }
    behind::run(bench);
}

impl Side {
    fn start(bench: &Bench, name: &str) -> Side {
        let shop = bench.shops.copy(&bench.machine, bench.options.sizes()[1], name);
        let captured_before = shop.captured();
        let server = Server::start_book_with_hooks(&shop.folder);
        server.settle();
        let captures = Captures::of(&shop, &shop.token(&server.address));
        Side { shop, server, captures, captured_before, acknowledged: 0 }
    }
}

/// A turn of each at the fixed rate.
fn paced(
    bench: &mut Bench,
    without: &mut Side,
    with: &mut Side,
    receiver: &Receiver,
    repetition: usize,
) {
    let pace = Pace { rate: RATE, time: bench.options.turn() };
    let (alone, hooked) = bench.machine.repetition(&format!("hooks, paced, {repetition}"), || {
        let Side { server, captures, .. } = &*without;
        let alone = open_loop(server, CONNECTIONS, pace, captures, |_, _| {});
        without.acknowledged += alone.answered;
        let hooked = deliver(with, receiver, pace);
        (alone, hooked)
    });
    note(bench, "paced/without", &alone);
    note(bench, "paced/with", &hooked.run);
    bench.figures.add("paced/soon", hooked.soon);
    bench.figures.add("paced/delivered_p50_ms", hooked.p50_ms);
    bench.figures.add("paced/delivered_p99_ms", hooked.p99_ms);
    bench.machine.say(&format!("  without {}", words(&alone)));
    bench.machine.say(&format!(
        "  with    {}; {:.2} % delivered within {} ms, p50 {:.1} ms, p99 {:.1} ms",
        words(&hooked.run),
        hooked.soon * 100.0,
        SOON.as_millis(),
        hooked.p50_ms,
        hooked.p99_ms
    ));
}

/// Captures at the fixed rate with a hook, and waits until all their events have arrived.
fn deliver(side: &mut Side, receiver: &Receiver, pace: Pace) -> Delivered {
    receiver.clear();
    let due: Mutex<HashMap<Uuid, Instant>> = Mutex::default();
    let Side { server, captures, .. } = &*side;
    let run = open_loop(server, CONNECTIONS, pace, captures, |answer, at| {
        let mut due = due.lock().unwrap_or_else(PoisonError::into_inner);
        due.insert(operation_id(answer), at);
    });
    side.acknowledged += run.answered;
    let due = due.into_inner().unwrap_or_else(PoisonError::into_inner);
    receiver.wait_for(due.len());
    let arrivals = receiver.arrivals();
    let mut waits: Vec<Duration> =
        due.iter().map(|(id, due)| arrivals[id].saturating_duration_since(*due)).collect();
    waits.sort_unstable();
    let soon = waits.partition_point(|wait| *wait <= SOON);
    let at = |per_cent: usize| {
        let wait = waits.get((waits.len() * per_cent / 100).min(waits.len().saturating_sub(1)));
        wait.map_or(0.0, |wait| wait.as_secs_f64() * 1_000.0)
    };
    let (p50_ms, p99_ms) = (at(50), at(99));
    Delivered { run, soon: figure(soon) / figure(waits.len()).max(1.0), p50_ms, p99_ms }
}

/// The id of the operation in an answer.
fn operation_id(answer: &Answer<'_>) -> Uuid {
    let text = std::str::from_utf8(answer.body).unwrap_or_default();
    let id = text.split_once("\"id\":\"").and_then(|(_, rest)| rest.get(..36));
    id.and_then(|id| id.parse().ok()).expect("an answer has the id of its operation")
}

/// A turn of each, as fast as captures are answered.
fn unpaced(
    bench: &mut Bench,
    without: &mut Side,
    with: &mut Side,
    receiver: &Receiver,
    repetition: usize,
) {
    let time = bench.options.turn();
    let name = format!("hooks, unpaced, {repetition}");
    let (alone, hooked, delivered) = bench.machine.repetition(&name, || {
        let alone = closed_loop(&without.server, CONNECTIONS, time, &without.captures);
        without.acknowledged += alone.answered;
        receiver.clear();
        let began = Instant::now();
        let hooked = closed_loop(&with.server, CONNECTIONS, time, &with.captures);
        with.acknowledged += hooked.answered;
        (alone, hooked, per_second(receiver.count(), began.elapsed()))
    });
    note(bench, "unpaced/without", &alone);
    note(bench, "unpaced/with", &hooked);
    bench.figures.add("unpaced/delivered", delivered);
    bench.machine.say(&format!("  without {}", words(&alone)));
    bench.machine.say(&format!(
        "  with    {}, {:.2} of it; {delivered:.0} delivered a second meanwhile",
        words(&hooked),
        hooked.per_second / alone.per_second.max(1.0)
    ));
}
