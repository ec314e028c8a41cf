//! The real writer compared with a raw loop of the same statements, in batches.
//!
//! The writer's side has everything but HTTP: commands with idempotency keys go through the queue,
//! are decided by the domain, and are answered after the commit.

pub mod raw;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tillbook::app::{Idempotent, OnBehalfOf, RecordOperation, RecordedOperation};
use tillbook::clock::Clock;
use tillbook::digest::sha256;
use tillbook::domain::ids::{AccountId, CreatedBy, OrderName};
use tillbook::domain::operation::{OperationKind, OperationRequest};
use tillbook::json::parse;
use tillbook::randomness::Randomness;
use tillbook::store::{AnswerName, KeyHash, KeyUse, Store};
use tillbook::wire::operation_request;
use uuid::Uuid;

use crate::Bench;
use crate::captures::body;
use crate::figures::{figure, per_second};
use crate::options::Options;
use crate::orders::ACCOUNT;
use crate::process::threads_cpu_us;
use crate::shop::{CLIENT, Shop};

/// The result of one side.
pub struct Side {
    per_second: f64,
    cpu_us: f64,
}

/// Measures both sides at every size of batch.
pub fn run(bench: &mut Bench) {
    for batch in Options::BATCHES {
        for repetition in 1..=bench.options.repetitions() {
            let captures = captures_of(batch, bench.options.quick);
            let ours = bench.shops.copy(&bench.machine, ORDERS, "writer-ours");
            let raw = bench.shops.copy(&bench.machine, ORDERS, "writer-raw");
            let name = format!("writer, {batch} waiting, {repetition}");
            let (ours, raw) = bench.machine.repetition(&name, || {
                (through_the_writer(&ours, captures, batch), raw::raw_loop(&raw, captures, batch))
            });
            for (side, of) in [("writer", &ours), ("raw", &raw)] {
                bench.figures.add(format!("{side}/{batch}/per_second"), of.per_second);
                bench.figures.add(format!("{side}/{batch}/cpu_us"), of.cpu_us);
            }
            bench.machine.say(&format!(
                "  writer {:.0}/s, {:.1} us CPU | raw {:.0}/s, {:.1} us CPU",
                ours.per_second, ours.cpu_us, raw.per_second, raw.cpu_us
            ));
        }
    }
}

/// Orders in the book.
const ORDERS: usize = 1_000;

/// Small batches wait for the disk, so fewer captures are enough.
fn captures_of(batch: usize, quick: bool) -> usize {
    let captures = match batch {
        0..=1 => 2_000,
        2..=16 => 16_000,
        _ => 51_200,
    };
    if quick { (captures / 10).max(batch * 4) } else { captures }
}

/// Captures through the shipped writer, `batch` of them waiting at a time.
fn through_the_writer(shop: &Shop, captures: usize, batch: usize) -> Side {
    let opened = Store::open(&shop.file(), Clock::System, Randomness::System);
    let opened = opened.expect("a book opens");
    let orders: Vec<OrderName> =
        shop.capturable().iter().filter_map(|name| OrderName::parse(name)).collect();
    let on_behalf_of = OnBehalfOf {
        account_id: AccountId::parse(ACCOUNT).expect("an account id"),
        created_by: CreatedBy(CLIENT.to_owned()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let request = operation();
    let (began, cpu_before) = (Instant::now(), threads_cpu_us("writer"));
    runtime.block_on(async {
        for _ in 0..captures / batch {
            let one = |_| {
                let (key, order) = draw(&orders);
                let command = RecordOperation {
                    on_behalf_of: on_behalf_of.clone(),
                    order: order.clone(),
                    request: request.clone(),
                };
                let key = Some(key_use(&on_behalf_of, &key));
                opened.store.writer.write(Idempotent { command, key, name })
            };
            for written in join_all((0..batch).map(one)).await {
                assert!(written.is_ok(), "a capture was refused");
            }
        }
    });
    let side = side(captures, began.elapsed(), threads_cpu_us("writer") - cpu_before);
    drop(opened.store);
    opened.writer_thread.stop();
    side
}

/// A random key, and an order drawn by it.
fn draw<T>(orders: &[T]) -> (String, &T) {
    let drawn = Uuid::new_v4();
    let at = usize::try_from(drawn.as_u64_pair().0).unwrap_or(0) % orders.len();
    (drawn.to_string(), &orders[at])
}

fn operation() -> OperationRequest {
    let body = parse(body(&Uuid::nil().simple().to_string()).as_bytes());
    let body = body.expect("the body is JSON");
    operation_request::parse(OperationKind::Capture, body).expect("the body is a capture")
}

fn key_use(on_behalf_of: &OnBehalfOf, key: &str) -> KeyUse {
    KeyUse {
        hash: KeyHash::of(&on_behalf_of.account_id, &on_behalf_of.created_by.0, key),
        fingerprint: sha256(key.as_bytes()),
    }
}

fn name(done: &RecordedOperation) -> AnswerName {
    AnswerName::Event(done.operation.seq)
}

fn side(captures: usize, took: Duration, cpu_us: u64) -> Side {
    Side {
        per_second: per_second(u64::try_from(captures).unwrap_or(0), took),
        cpu_us: figure(cpu_us) / figure(u64::try_from(captures).unwrap_or(1)),
    }
}
