//! The writer against a raw loop of the same statements, both in batches.
//!
//! `cargo bench --bench writer [-- --captures 20000 --repetitions 5]`. The writer's side is the
//! shipped one: commands with idempotency keys through the queue, decided by the domain, answered
//! after the commit. The raw side runs the same SQL on the same schema with rows of the same
//! sizes, and decides nothing. Both sync every commit.
#![expect(clippy::float_arithmetic, clippy::print_stdout, reason = "a benchmark prints figures")]

#[path = "support/mod.rs"]
mod support;

use std::path::Path;
use std::time::Instant;

use futures_util::future::join_all;
use rusqlite::{Connection, named_params};
use support::{figure, machine, median, option, work_folder};
use tillbook::app::{
    CompleteDraft, CreateAccount, CreateClient, CreateDraft, Idempotent, OnBehalfOf,
    RecordOperation, RecordedOperation,
};
use tillbook::auth::client_secret::{ClientSecret, sha256};
use tillbook::auth::scope::{Scope, Scopes};
use tillbook::clock::{Clock, Randomness};
use tillbook::domain::currency::Currency;
use tillbook::domain::ids::{AccountId, CreatedBy, OrderName};
use tillbook::domain::operation::{OperationKind, OperationRequest};
use tillbook::http::api::{parse_draft, parse_operation};
use tillbook::json::parse;
use tillbook::store::{KeyUse, NewApiEvent, OpenStore, Store};

const ORDERS: usize = 1_000;
const BATCHES: [usize; 3] = [1, 64, 256];

const BODY: &str = "{\"items\":[{\"line_id\":1,\"amount\":100},{\"line_id\":2,\"amount\":50}],\
    \"processed_at\":\"2026-11-23T09:00:00Z\",\"processed_by\":\"checkout\",\"payment_details\":\
    {\"psp\":\"Bambora\",\"payment_id\":\"PID_1\",\"payment_product\":\"bambora\",\
    \"payment_product_type\":\"bambora.creditcard\"}}";

const DRAFT: &str = "{\"order\":{\"currency\":\"NOK\",\"items\":[\
    {\"id\":\"a\",\"line_id\":1,\"gross_amount\":4000000000000},\
    {\"id\":\"b\",\"line_id\":2,\"gross_amount\":4000000000000}]}}";

/// What the stored answer of a capture of [`BODY`] is about as long as.
const ANSWER_BYTES: usize = 700;

struct Side {
    per_second: f64,
    cpu_us: f64,
}

fn main() {
    let captures = usize::try_from(option("--captures", 20_000)).unwrap_or(20_000);
    let repetitions = option("--repetitions", 5);
    for batch in BATCHES {
        let (mut ours, mut raw) = (Vec::new(), Vec::new());
        // Single commits wait for the disk; fewer of them say as much.
        let captures = if batch == 1 { captures / 10 } else { captures };
        for _ in 0..repetitions {
            let folder = work_folder("writer");
            let (idle, syncs) = machine(&folder);
            ours.push(through_the_writer(&folder.join("ours.db"), captures, batch));
            raw.push(raw_statements(&folder.join("raw.db"), captures, batch));
            println!("batch {batch}: idle {idle} %, {syncs} syncs/s");
        }
        report(batch, &ours, &raw);
    }
}

fn report(batch: usize, ours: &[Side], raw: &[Side]) {
    let of = |sides: &[Side], part: fn(&Side) -> f64| median(sides.iter().map(part).collect());
    let ratios = ours.iter().zip(raw).map(|(o, r)| o.per_second / r.per_second).collect();
    println!(
        "batch {batch:>3}: writer {:.0}/s, {:.0} us CPU | raw {:.0}/s, {:.0} us CPU | ratio {:.2}",
        of(ours, |side| side.per_second),
        of(ours, |side| side.cpu_us),
        of(raw, |side| side.per_second),
        of(raw, |side| side.cpu_us),
        median(ratios)
    );
}

/// Captures through the shipped writer, `batch` of them waiting at a time.
fn through_the_writer(path: &Path, captures: usize, batch: usize) -> Side {
    let opened = Store::open(path, Clock::System, Randomness::System).expect("a new file opens");
    let (on_behalf_of, orders) = fill(&opened);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let request = operation();
    let cpu_before = writer_cpu_us();
    let started = Instant::now();
    runtime.block_on(async {
        for round in 0..captures / batch {
            let one = |at: usize| {
                let n = round * batch + at;
                let command = RecordOperation {
                    on_behalf_of: on_behalf_of.clone(),
                    order: orders[n * 7 % ORDERS].clone(),
                    request: request.clone(),
                };
                opened.store.writer.write(Idempotent {
                    command,
                    key: Some(key(&on_behalf_of, n)),
                    render: |done: &RecordedOperation| {
                        format!("{}{:ANSWER_BYTES$}", done.operation.id.as_str(), "")
                    },
                })
            };
            for written in join_all((0..batch).map(one)).await {
                assert!(written.is_ok(), "a capture was refused");
            }
        }
    });
    let side = side(captures, started, writer_cpu_us() - cpu_before);
    drop(opened.store);
    opened.writer_thread.stop();
    side
}

fn side(captures: usize, started: Instant, cpu_us: u64) -> Side {
    let count = figure(u64::try_from(captures).unwrap_or(1));
    Side { per_second: count / started.elapsed().as_secs_f64(), cpu_us: figure(cpu_us) / count }
}

fn operation() -> OperationRequest {
    let body = parse(BODY.as_bytes()).expect("the body is JSON");
    parse_operation(OperationKind::Capture, &body).expect("the body is a capture")
}

fn key(on_behalf_of: &OnBehalfOf, n: usize) -> KeyUse {
    let key = format!("bench-{n:0>30}");
    KeyUse {
        account_id: on_behalf_of.account_id.clone(),
        client_id: on_behalf_of.created_by.0.clone(),
        fingerprint: sha256(key.as_bytes()),
        key,
    }
}

/// An account with a client and its orders, made through the commands.
fn fill(opened: &OpenStore) -> (OnBehalfOf, Vec<OrderName>) {
    let writer = &opened.store.writer;
    let account_id = AccountId::parse("T00000001").expect("an account id");
    let account = CreateAccount {
        account_id: account_id.clone(),
        name: "Bench".to_owned(),
        currency: Currency::parse("NOK").expect("a currency"),
        time_zone: "Europe/Oslo".to_owned(),
    };
    writer.write_blocking(account).expect("an account is made");
    let client = CreateClient {
        account_id: account_id.clone(),
        name: "Bench".to_owned(),
        grants: Scopes::new(vec![Scope::AdminShopping]),
        secret: ClientSecret::draw(&Randomness::System),
    };
    let client = writer.write_blocking(client).expect("a client is made");
    let on_behalf_of = OnBehalfOf { account_id, created_by: CreatedBy(client.client_id) };
    let draft = parse_draft(&parse(DRAFT.as_bytes()).expect("JSON")).expect("a draft");
    let order = |_| {
        let event =
            NewApiEvent { method: "POST", path: String::new(), body: None, body_sha256: None };
        let create =
            CreateDraft { on_behalf_of: on_behalf_of.clone(), draft: draft.clone(), event };
        let draft_id = writer.write_blocking(create).expect("a draft is made").id;
        let event = NewApiEvent {
            method: "PUT",
            path: "/complete".to_owned(),
            body: None,
            body_sha256: None,
        };
        let on_behalf_of = on_behalf_of.clone();
        let complete = CompleteDraft { on_behalf_of, draft_id, event };
        writer.write_blocking(complete).expect("an order is made").swap_remove(0).id
    };
    let orders = (0..ORDERS).map(order).collect();
    (on_behalf_of, orders)
}

/// CPU of the writer's thread, in microseconds.
fn writer_cpu_us() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("/proc is there");
    let folders = tasks.flatten().map(|task| task.path());
    let named = |folder: &std::path::PathBuf| {
        std::fs::read_to_string(folder.join("comm")).is_ok_and(|name| name.trim() == "writer")
    };
    folders.filter(named).map(|folder| thread_cpu_us(&folder)).sum()
}

/// Nanoseconds on a CPU are the first figure of `schedstat`.
fn thread_cpu_us(folder: &Path) -> u64 {
    let text = std::fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) / 1_000
}

/// The same statements, by hand, on a file that the shipped code has filled alike.
fn raw_statements(path: &Path, captures: usize, batch: usize) -> Side {
    let opened = Store::open(path, Clock::System, Randomness::System).expect("a new file opens");
    let (on_behalf_of, orders) = fill(&opened);
    drop(opened.store);
    opened.writer_thread.stop();
    #[expect(clippy::disallowed_methods, reason = "this side is what the store is compared with")]
    let conn = Connection::open(path).expect("the file opens");
    conn.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
         pragma recursive_triggers = on; pragma cache_size = -16000",
    )
    .expect("settings are taken");
    conn.set_prepared_statement_cache_capacity(128);
    let started = Instant::now();
    let cpu_before = thread_cpu_us(Path::new("/proc/thread-self"));
    for round in 0..captures / batch {
        conn.execute_batch("begin immediate").expect("nobody else writes");
        for at in 0..batch {
            let n = round * batch + at;
            raw_capture(&conn, &on_behalf_of.created_by.0, orders[n * 7 % ORDERS].as_str(), n)
                .expect("the statements run");
        }
        conn.execute_batch("commit").expect("the disk takes it");
    }
    side(captures, started, thread_cpu_us(Path::new("/proc/thread-self")) - cpu_before)
}

fn raw_capture(conn: &Connection, client: &str, order: &str, n: usize) -> rusqlite::Result<()> {
    let key = format!("bench-{n:0>30}");
    let none: Option<String> = conn
        .prepare_cached(
            "select answer from idempotency_keys
             where account_seq = 1 and client_id = :client and key = :key",
        )?
        .query_map(named_params! {":client": client, ":key": key}, |row| row.get(0))?
        .next()
        .transpose()?;
    assert!(none.is_none());
    let (order_seq, lines, previous): (i64, String, i64) = conn
        .prepare_cached(
            "select ledgers.order_seq, lines, last_event_seq from order_names
             join ledgers on ledgers.order_seq = order_names.order_seq
             join orders on orders.order_seq = order_names.order_seq
             where order_names.account_seq = 1 and name = :name",
        )?
        .query_row(named_params! {":name": order}, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let event_seq: i64 = conn
        .prepare_cached("select coalesce(max(event_seq), 0) + 1 from events")?
        .query_row([], |row| row.get(0))?;
    let id = "00000000-0000-4000-8000-000000000000";
    conn.prepare_cached(
        "insert into events (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms,
         created_by) values (:seq, :order, :previous, 2, :id, 'capture', 1795000000000, :client)",
    )?
    .execute(named_params! {
        ":seq": event_seq, ":order": order_seq, ":previous": previous, ":id": id,
        ":client": client,
    })?;
    conn.prepare_cached(
        "insert into operations (event_seq, id, success, amount, document)
         values (:seq, :id, 1, 150, :document)",
    )?
    .execute(named_params! {":seq": event_seq, ":id": id, ":document": BODY})?;
    conn.prepare_cached(
        "update ledgers set payment_status = 'partially_paid', lines = :lines,
         version = version + 1, last_event_seq = :seq, updated_at_ms = 1795000000000
         where order_seq = :order",
    )?
    .execute(named_params! {":lines": lines, ":seq": event_seq, ":order": order_seq})?;
    conn.prepare_cached(
        "insert into idempotency_keys (account_seq, client_id, key, fingerprint, answer,
         created_at_ms) values (1, :client, :key, zeroblob(32), :answer, 1795000000000)",
    )?
    .execute(named_params! {
        ":client": client, ":key": key, ":answer": format!("{id}{:ANSWER_BYTES$}", ""),
    })?;
    Ok(())
}
