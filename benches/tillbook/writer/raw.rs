//! The statements of a capture in a plain loop, without a queue, rules or answers. The SQL is the
//! store's own, and the values have the same sizes.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Row, named_params, params};
use tillbook::domain::ids::AccountId;
use tillbook::store::KeyHash;
use tillbook::store::capture_statements::{
    FIND_ANSWER, FIND_LEDGER, INSERT_ANSWER, INSERT_OPERATION, UPDATE_SUMS,
};

use super::{Side, draw, side};
use crate::captures::{CAPTURED, body};
use crate::orders::ACCOUNT;
use crate::process::own_thread_cpu_us;
use crate::shop::{CLIENT, Shop};

/// The settings of the store's writer that affect speed. Checkpoints are SQLite's own, made by the
/// commit that reaches a thousand pages.
pub const RAW_SETTINGS: &str = "pragma journal_mode = wal; pragma synchronous = full;
    pragma foreign_keys = on; pragma recursive_triggers = on; pragma secure_delete = on;
    pragma cell_size_check = on; pragma temp_store = memory; pragma cache_size = -16000";

/// The values that one capture writes.
pub struct Capture<'a> {
    pub client: &'a str,
    pub order: &'a str,
    pub key: &'a str,
    pub document: &'a str,
}

/// Records captures from this thread, in transactions of `batch` captures.
pub fn raw_loop(shop: &Shop, captures: usize, batch: usize) -> Side {
    let conn = open(&shop.file());
    let orders = shop.capturable();
    let document = body("00000000000040008000000000000000");
    let (began, cpu_before) = (Instant::now(), own_thread_cpu_us());
    for _ in 0..captures / batch {
        conn.execute_batch("begin immediate").expect("this is the only writer");
        for _ in 0..batch {
            let (key, order) = draw(&orders);
            let capture = Capture { client: CLIENT, order, key: &key, document: &document };
            run_capture(&conn, &capture).expect("the statements run");
        }
        conn.execute_batch("commit").expect("the disk takes it");
    }
    side(captures, began.elapsed(), own_thread_cpu_us() - cpu_before)
}

fn open(file: &Path) -> Connection {
    #[expect(clippy::disallowed_methods, reason = "this side is what the store is compared with")]
    let conn = Connection::open(file).expect("the file opens");
    conn.execute_batch(RAW_SETTINGS).expect("settings are taken");
    conn.set_prepared_statement_cache_capacity(128);
    conn
}

/// The columns of an order's ledger that are read before it is written.
struct Ledger {
    order_seq: i64,
    lines: String,
    authorizations: String,
    version: i64,
    last_event_seq: Option<i64>,
}

/// Runs the statements of one capture, in an open transaction. The sums are written
/// unchanged, which costs the same as new sums.
pub fn run_capture(conn: &Connection, capture: &Capture<'_>) -> rusqlite::Result<()> {
    let hash = key_hash(capture);
    refuse_known_key(conn, &hash)?;
    let find = named_params! {":account_id": ACCOUNT, ":name": capture.order};
    let ledger = conn.prepare_cached(FIND_LEDGER)?.query_row(find, read_ledger)?;
    // SQLite numbers the row; the store's writer counts instead, which costs it less.
    let seq = conn.prepare_cached(INSERT_OPERATION)?.insert(params![
        None::<i64>,
        ledger.order_seq,
        ledger.last_event_seq,
        ledger.version + 1,
        ID,
        "capture",
        NOW_MS,
        capture.client,
        ID,
        true,
        i64::try_from(CAPTURED).unwrap_or(0),
        None::<&str>,
        capture.document,
    ])?;
    conn.prepare_cached(UPDATE_SUMS)?.execute(params![
        ledger.order_seq,
        ledger.authorizations,
        ledger.lines,
        seq,
        NOW_MS
    ])?;
    conn.prepare_cached(INSERT_ANSWER)?.execute(params![
        hash.as_bytes(),
        FINGERPRINT,
        format!("event {seq}"),
        NOW_MS
    ])?;
    Ok(())
}

const ID: &str = "00000000-0000-4000-8000-000000000000";
const FINGERPRINT: [u8; 32] = [7; 32];
/// A time later than any order of the books.
const NOW_MS: i64 = 1_795_000_000_000;

fn key_hash(capture: &Capture<'_>) -> KeyHash {
    let account_id = AccountId::parse(ACCOUNT).expect("an account id");
    KeyHash::of(&account_id, capture.client, capture.key)
}

fn refuse_known_key(conn: &Connection, hash: &KeyHash) -> rusqlite::Result<()> {
    let mut find = conn.prepare_cached(FIND_ANSWER)?;
    let known = find.exists(params![hash.as_bytes()])?;
    assert!(!known, "a key was drawn twice");
    Ok(())
}

fn read_ledger(row: &Row<'_>) -> rusqlite::Result<Ledger> {
    Ok(Ledger {
        order_seq: row.get("order_seq")?,
        lines: row.get("lines")?,
        authorizations: row.get("authorizations")?,
        version: row.get("version")?,
        last_event_seq: row.get("last_event_seq")?,
    })
}
