//! A hook that is resumed with many missed events: how fast it catches up, and its memory.

use std::time::Instant;

use tillbook::app::{OnBehalfOf, RecordOperation};
use tillbook::clock::Clock;
use tillbook::domain::ids::{AccountId, CreatedBy, OrderName};
use tillbook::domain::operation::OperationKind;
use tillbook::json::parse;
use tillbook::randomness::Randomness;
use tillbook::store::{Failed, Store, Tx, WriteCommand};
use tillbook::wire::operation_request;

use super::receiver::Receiver;
use super::subscription::Subscription;
use crate::Bench;
use crate::captures::body;
use crate::figures::{figure, per_second};
use crate::orders::ACCOUNT;
use crate::server::Server;
use crate::shop::{CLIENT, Shop};

/// Captures that one transaction makes.
const CAPTURES_PER_TRANSACTION: usize = 5_000;

/// Pauses a hook, makes its events, and measures how it catches up.
pub fn run(bench: &mut Bench) {
    let (events, orders) = (bench.options.behind(), bench.options.sizes()[1]);
    let shop = bench.shops.copy(&bench.machine, orders, "hooks-behind");
    let receiver = Receiver::start();
    let server = Server::start_book_with_hooks(&shop.folder);
    let hook = Subscription::make(&server, &shop, &receiver.url);
    hook.pause(&server, &shop);
    drop(server);
    make_captures(&shop, events);

    let server = Server::start_book_with_hooks(&shop.folder);
    server.settle();
    let memory = || server.peak_and_memory_mib().1;
    let (start, cpu_before, began) = (memory(), server.cpu_us(), Instant::now());
    hook.resume(&server, &shop, true);
    receiver.wait_for(events / 2);
    let (middle, half) = (memory(), began.elapsed());
    receiver.wait_for(events);
    let took = began.elapsed();
    let (peak, end) = server.peak_and_memory_mib();
    let cpu_us = figure(server.cpu_us() - cpu_before) / figure(events);
    let (whole_rate, first_rate) = (per_second(events, took), per_second(events / 2, half));
    bench.machine.say(&format!(
        "  {events} events behind: caught up in {:.1} s, {whole_rate:.0}/s ({first_rate:.0}/s in \
         the first half), {cpu_us:.0} us CPU a delivery; memory {start:.1} MiB at the start, \
         {middle:.1} in the middle, {end:.1} at the end, {peak:.1} at most",
        took.as_secs_f64()
    ));
    for (name, value) in [
        ("events", figure(events)),
        ("per_second", whole_rate),
        ("cpu_us", cpu_us),
        ("start_mib", start),
        ("middle_mib", middle),
        ("end_mib", end),
        ("peak_mib", peak),
    ] {
        bench.figures.add(format!("behind/{name}"), value);
    }
    drop(server);
    shop.verify();
}

/// Makes captures, each of the next order, without a server.
fn make_captures(shop: &Shop, count: usize) {
    let orders: Vec<OrderName> =
        shop.capturable().iter().map(|id| OrderName::parse(id).expect("an order's id")).collect();
    let opened = Store::open(&shop.file(), Clock::System, Randomness::System);
    let opened = opened.expect("the copy opens");
    for first in (0..count).step_by(CAPTURES_PER_TRANSACTION) {
        let numbers = first..count.min(first + CAPTURES_PER_TRANSACTION);
        let orders = numbers.map(|number| orders[number % orders.len()].clone()).collect();
        opened.store.writer.write_blocking(MakeCaptures { orders }).expect("captures are made");
    }
    drop(opened.store);
    opened.writer_thread.stop();
}

/// Captures a little of each order, in one transaction.
struct MakeCaptures {
    orders: Vec<OrderName>,
}

/// A capture was refused.
#[derive(Debug)]
struct NotMade(#[expect(dead_code, reason = "printed when captures cannot be made")] String);

impl WriteCommand for MakeCaptures {
    const NAME: &'static str = "make_captures";
    type Done = ();
    type Refused = NotMade;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<NotMade>> {
        let account_id = AccountId::parse(ACCOUNT).expect("an account id");
        let on_behalf_of = OnBehalfOf { account_id, created_by: CreatedBy(CLIENT.to_owned()) };
        for order in &self.orders {
            let body = body(&uuid::Uuid::new_v4().simple().to_string());
            let body = parse(body.as_bytes()).expect("a body is JSON");
            let request = operation_request::parse(OperationKind::Capture, body);
            let request = request.map_err(|_| Failed::Refused(NotMade("invalid".to_owned())))?;
            let (on_behalf_of, order) = (on_behalf_of.clone(), order.clone());
            let made = RecordOperation { on_behalf_of, order, request }.run(tx);
            made.map_err(|why| Failed::Refused(NotMade(format!("{why:?}"))))?;
        }
        Ok(())
    }
}
