//! Pages of the order list by each filter, with few orders in the book and with many, in turns.

use std::time::Instant;

use crate::Bench;
use crate::captures::bearer;
use crate::client::{BlockingConnection, request};
use crate::figures::{figure, median};
use crate::orders::ACCOUNT;
use crate::server::Server;

/// Each filter by itself, with a name and a value that finds more than a page of orders. The
/// range ends where the smallest book does, so that both books look for the same orders.
const FILTERS: [(&str, &str); 9] = [
    ("none", ""),
    ("payment_status", "payment_status=partially_paid"),
    ("payment_status, rare", "payment_status=refunded"),
    ("status", "status=closed"),
    ("currency", "currency=SEK"),
    ("store", "store_id=havna"),
    ("created_at", "created_at.gte=2026-01-01T00:00:00Z&created_at.lte=2026-01-01T00:00:30Z"),
    ("search, one order", "search=4790000777"),
    ("search, many orders", "search=nordmann"),
];

/// Orders on a page, and pages asked for in a turn.
const LIMIT: usize = 50;
const PAGES: usize = 100;

/// Measures every filter on the smallest and the largest book.
pub fn run(bench: &mut Bench) {
    let sizes = [bench.options.sizes()[0], bench.options.largest()];
    let sides = sizes.map(|orders| start(bench, orders));
    let served: Vec<_> = FILTERS.into_iter().filter(|(_, query)| sides[0].serves(query)).collect();
    for (name, _) in FILTERS.iter().filter(|filter| !served.contains(filter)) {
        bench.machine.say(&format!("  the filter {name} is not served yet"));
    }
    let pages = if bench.options.quick { PAGES / 5 } else { PAGES };
    for repetition in 1..=bench.options.repetitions() {
        let turns = bench.machine.repetition(&format!("lists {repetition}"), || {
            let both = |(_, query): &(&str, &str)| sides.each_ref().map(|s| s.ask(query, pages));
            served.iter().map(both).collect::<Vec<_>>()
        });
        for ((name, _), [few, many]) in served.iter().zip(turns) {
            for (size, (p50_ms, cpu_us)) in [("few", few), ("many", many)] {
                bench.figures.add(format!("lists/{name}/{size}/p50_ms"), p50_ms);
                bench.figures.add(format!("lists/{name}/{size}/cpu_us"), cpu_us);
            }
            bench.machine.say(&format!(
                "  {name:<20} p50 {:.2} and {:.2} ms, CPU {:.0} and {:.0} us",
                few.0, many.0, few.1, many.1
            ));
        }
    }
}

/// A server and the token for it.
struct Side {
    server: Server,
    authorization: String,
}

fn start(bench: &Bench, orders: usize) -> Side {
    let shop = bench.shops.copy(&bench.machine, orders, &format!("lists-{orders}"));
    let server = Server::start_book(&shop.folder);
    server.settle();
    let authorization = bearer(&shop.token(&server.address));
    Side { server, authorization }
}

impl Side {
    fn page(&self, query: &str) -> Vec<u8> {
        let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders?limit={LIMIT}&{query}");
        request("GET", path.trim_end_matches('&'), &self.authorization, "")
    }

    /// True if the server has this filter.
    fn serves(&self, query: &str) -> bool {
        BlockingConnection::open(&self.server.address).send(&self.page(query)).status == 200
    }

    /// Requests a page again and again: the median latency in ms, and the server's CPU per page
    /// in us.
    fn ask(&self, query: &str, pages: usize) -> (f64, f64) {
        let mut connection = BlockingConnection::open(&self.server.address);
        let request = self.page(query);
        let cpu_before = self.server.cpu_us();
        let one = |_| {
            let sent = Instant::now();
            let answer = connection.send(&request);
            let latency = sent.elapsed().as_secs_f64() * 1_000.0;
            let listed = answer.body.windows(ORDER.len()).filter(|at| *at == ORDER).count();
            let is_right = answer.status == 200 && 0 < listed && listed <= LIMIT;
            assert!(is_right, "{query}: {} with {listed} orders", answer.status);
            latency
        };
        let latencies: Vec<f64> = (0..pages).map(one).collect();
        let cpu = figure(self.server.cpu_us() - cpu_before);
        (median(&latencies), cpu / figure(u64::try_from(pages).unwrap_or(1)))
    }
}

/// A text that each listed order has exactly once.
const ORDER: &[u8] = b"\"paging_token\":";
