//! The time to the first answer of a server with many orders, and its idle memory.

use std::time::Instant;

use crate::Bench;
use crate::client::{BlockingConnection, request};
use crate::server::Server;

/// How long a server is idle before its memory is measured.
const REST: std::time::Duration = std::time::Duration::from_millis(500);

/// Measures both.
pub fn run(bench: &mut Bench) {
    let shop = bench.shops.copy(&bench.machine, bench.options.largest(), "start");
    for repetition in 1..=bench.options.repetitions() {
        let (took, idle) = bench.machine.repetition(&format!("start {repetition}"), || {
            let began = Instant::now();
            let server = Server::start_book(&shop.folder);
            let mut connection = BlockingConnection::open(&server.address);
            let answer = connection.send(&request("GET", "/health", "", ""));
            assert_eq!(answer.status, 200);
            let took = began.elapsed().as_secs_f64() * 1_000.0;
            std::thread::park_timeout(REST);
            (took, server.peak_and_memory_mib().1)
        });
        bench.figures.add("start/ms", took);
        bench.figures.add("memory/idle_mib", idle);
        bench.machine.say(&format!("  first answer after {took:.0} ms, {idle:.1} MiB idle"));
    }
}
