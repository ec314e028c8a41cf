//! Captures with more and more orders in the book, in turns.

use crate::Bench;
use crate::captures::Captures;
use crate::generator::{Run, closed_loop};
use crate::load::{expect_captured, words};
use crate::server::Server;
use crate::shop::Shop;

const CONNECTIONS: usize = 64;

/// A book, its server, its requests, and how many it has acknowledged.
struct Side {
    orders: usize,
    shop: Shop,
    server: Server,
    captures: Captures,
    captured_before: u64,
    acknowledged: u64,
}

/// Measures every size, then verifies the books.
pub fn run(bench: &mut Bench) {
    let sizes = bench.options.sizes();
    let mut sides: Vec<Side> = sizes.iter().map(|orders| start(bench, *orders)).collect();
    let time = bench.options.turn();
    for repetition in 1..=bench.options.repetitions() {
        let runs: Vec<Run> = bench.machine.repetition(&format!("growth {repetition}"), || {
            let turn = |side: &mut Side| {
                let run = closed_loop(&side.server, CONNECTIONS, time, &side.captures);
                side.acknowledged += run.answered;
                run
            };
            sides.iter_mut().map(turn).collect()
        });
        for (side, run) in sides.iter().zip(&runs) {
            let name = format!("growth/{}", side.orders);
            bench.figures.add(format!("{name}/per_second"), run.per_second);
            bench.figures.add(format!("{name}/cpu_us"), run.cpu_us);
            bench.figures.add(format!("{name}/p99_ms"), run.p99_ms);
            bench.machine.say(&format!("  {:>7} orders: {}", side.orders, words(run)));
        }
    }
    for Side { shop, server, captured_before, acknowledged, .. } in sides {
        drop(server);
        expect_captured(bench, &shop, captured_before, acknowledged);
    }
}

fn start(bench: &Bench, orders: usize) -> Side {
    let shop = bench.shops.copy(&bench.machine, orders, &format!("growth-{orders}"));
    let captured_before = shop.captured();
    let server = Server::start_book(&shop.folder);
    server.settle();
    let captures = Captures::of(&shop, &shop.token(&server.address));
    Side { orders, shop, server, captures, captured_before, acknowledged: 0 }
}
