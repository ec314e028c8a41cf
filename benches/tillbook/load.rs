//! Captures end to end, in turns with an echo server and a naive server.

use crate::Bench;
use crate::captures::{CAPTURED, Captures};
use crate::generator::{Pace, Run, closed_loop, open_loop};
use crate::options::Options;
use crate::server::Server;
use crate::shop::Shop;
use crate::tokens::bench_token;

/// Orders in the book.
const ORDERS: usize = 1_000;
/// Connections at a fixed rate, and the rate as a share of the closed loop's.
const OPEN_CONNECTIONS: usize = 64;
const OPEN_SHARE: f64 = 0.5;

/// The three servers and the requests for each.
struct Sides {
    book: (Server, Captures),
    echo: (Server, Captures),
    naive: (Server, Captures),
}

/// Measures all servers, then verifies the book.
pub fn run(bench: &mut Bench) {
    let shop = bench.shops.copy(&bench.machine, ORDERS, "load-book");
    let naive_shop = bench.shops.copy(&bench.machine, ORDERS, "load-naive");
    let before = shop.captured();
    let sides = start(&shop, &naive_shop);
    let mut acknowledged = 0;
    for connections in Options::CONNECTIONS {
        for repetition in 1..=bench.options.repetitions() {
            let name = format!("load, {connections} connections, {repetition}");
            acknowledged += closed(bench, &sides, connections, &name);
        }
    }
    let (peak, now) = sides.book.0.peak_and_memory_mib();
    bench.figures.add("memory/peak_mib", peak);
    bench.machine.say(&format!("  memory of Tillbook: {peak:.1} MiB at most, {now:.1} MiB now"));
    for repetition in 1..=bench.options.repetitions() {
        acknowledged += open(bench, &sides, &format!("load, fixed rate, {repetition}"));
    }
    drop(sides);
    expect_captured(bench, &shop, before, acknowledged);
}

fn start(shop: &Shop, naive_shop: &Shop) -> Sides {
    let book = Server::start_book(&shop.folder);
    let token = shop.token(&book.address);
    let captures = Captures::of(shop, &token);
    let bench_token = bench_token();
    Sides {
        book: (book, captures),
        echo: (Server::start_echo(), Captures::for_echo(shop, &bench_token)),
        naive: (Server::start_naive(&naive_shop.folder), Captures::of(naive_shop, &bench_token)),
    }
}

/// Runs a turn of each; the number of captures that Tillbook has acknowledged, in all attempts.
fn closed(bench: &mut Bench, sides: &Sides, connections: usize, name: &str) -> u64 {
    let time = bench.options.turn();
    let mut acknowledged = 0;
    let runs = bench.machine.repetition(name, || {
        let turn = |(server, captures): &(Server, Captures)| {
            closed_loop(server, connections, time, captures)
        };
        let runs = [turn(&sides.echo), turn(&sides.naive), turn(&sides.book)];
        acknowledged += runs[2].answered;
        runs
    });
    for (side, run) in ["echo", "naive", "captures"].into_iter().zip(&runs) {
        note(bench, &format!("{side}/{connections}"), run);
        bench.machine.say(&format!("  {side:<8} {}", words(run)));
    }
    acknowledged
}

/// Runs a load at a fixed rate, half of the closed loop's rate.
fn open(bench: &mut Bench, sides: &Sides, name: &str) -> u64 {
    let reached = bench.figures.median(&format!("captures/{OPEN_CONNECTIONS}/per_second"));
    let rate = (reached.unwrap_or(2_000.0) * OPEN_SHARE).round();
    let pace = Pace { rate, time: bench.options.turn() };
    let (server, captures) = &sides.book;
    let mut acknowledged = 0;
    let run = bench.machine.repetition(name, || {
        let run = open_loop(server, OPEN_CONNECTIONS, pace, captures, |_, _| {});
        acknowledged += run.answered;
        run
    });
    bench.figures.add("open/rate", rate);
    note(bench, "open", &run);
    bench.machine.say(&format!("  of {rate:.0}/s {}", words(&run)));
    acknowledged
}

/// Adds the figures of a run.
pub fn note(bench: &mut Bench, name: &str, run: &Run) {
    bench.figures.add(format!("{name}/per_second"), run.per_second);
    bench.figures.add(format!("{name}/p50_ms"), run.p50_ms);
    bench.figures.add(format!("{name}/p99_ms"), run.p99_ms);
    bench.figures.add(format!("{name}/cpu_us"), run.cpu_us);
}

/// A run in words.
pub fn words(run: &Run) -> String {
    format!(
        "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {:.0} us CPU",
        run.per_second, run.p50_ms, run.p99_ms, run.cpu_us
    )
}

/// Panics unless every acknowledged capture is in the book exactly once, and the book is
/// consistent. Its server has been killed, as all servers of a benchmark are.
pub fn expect_captured(bench: &Bench, shop: &Shop, before: u64, acknowledged: u64) {
    shop.verify();
    let captured = shop.captured() - before;
    assert_eq!(captured, acknowledged * CAPTURED, "the book and the answers differ");
    bench.machine.say(&format!(
        "  {acknowledged} captures acknowledged, {captured} minor units captured in the book, and \
         verify finds nothing"
    ));
}
