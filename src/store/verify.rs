//! Recounts the whole database and reports what does not add up.
//!
//! It can run beside a server. It uses one transaction per thousand orders, so that it does not
//! keep the WAL from shrinking; the rows of an order always change together, so each transaction
//! sees whole orders.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, named_params};

use super::callbacks::CALLBACK_STRAYS;
use super::clock_jumps::UNRECORDED_FALLS;
use super::error::{StoreError, StoreErrorKind};
use super::event_rows::Bodies;
use super::events::EventRecord;
use super::expiry_strays::EXPIRY_STRAYS;
use super::hook_strays::HOOK_STRAYS;
use super::idempotency::STRAY_KEYS;
use super::ledgers::total_thousandths;
use super::list_values::ValueFilter;
use super::orders::OrderRecord;
use super::session_strays::SESSION_STRAYS;
use super::sqlite::readers::{open_existing, snapshot};
use super::tx::Reader;
use super::verify_payouts::check_payouts;
use crate::domain::ids::{AccountId, LineId, OrderSeq};
use crate::domain::line::Line;
use crate::domain::money::Amount;
use crate::domain::operation::Operation;
use crate::domain::payment_status::PaymentStatus;
use crate::domain::recount::{Recounted, recount};

/// How many orders one transaction reads.
const ORDERS_PER_SNAPSHOT: u32 = 1_000;

/// How many findings are kept for printing; the rest is only counted.
const FINDINGS_MAX: usize = 1_000;

/// The result of a verification: counts of the rows checked, and the errors found.
#[derive(Debug, Clone, Default)]
pub struct VerifyReport {
    pub accounts: u64,
    pub orders: u64,
    pub lines: u64,
    pub operations: u64,
    pub events: u64,
    /// Descriptions of the errors and their places; the first thousand.
    pub findings: Vec<String>,
    /// The number of all findings.
    pub findings_count: u64,
}

/// Recounts the database in a file. `progress` is called with the orders done and all orders.
pub fn verify(path: &Path, mut progress: impl FnMut(u64, u64)) -> Result<VerifyReport, StoreError> {
    let conn = open_existing(path)?;
    let mut report = VerifyReport::default();
    check_file(&conn, "pragma integrity_check", &mut report)?;
    let orders: u64 = count(&conn, "select count(*) from orders")?;
    report.accounts = count(&conn, "select count(*) from accounts")?;
    let mut after = OrderSeq(0);
    while let Some(last) = check_orders(&conn, after, &mut report)? {
        after = last;
        progress(report.orders, orders);
    }
    check_orphans(&conn, &mut report)?;
    Ok(report)
}

impl VerifyReport {
    pub(super) fn find(&mut self, what: String) {
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        }
    }
}

/// Reports what one of SQLite's own two checks finds in the file.
pub(super) fn check_file(
    conn: &Connection,
    check: &'static str,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    snapshot(conn, |reader| {
        let broken: Vec<String> = reader.list(check, [], |row| row.get(0))?;
        for line in broken.into_iter().filter(|line| line != "ok") {
            report.find(format!("file: {line}"));
        }
        let dangling: Vec<(String, i64)> = reader.list(
            "select \"table\", coalesce(rowid, -1) from pragma_foreign_key_check",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (table, row) in dangling {
            report.find(format!("file: row {row} of {table} refers to a missing row"));
        }
        Ok(())
    })
}

/// Checks the next orders after a row. Returns the last row checked; `None` if no rows were left.
fn check_orders(
    conn: &Connection,
    after: OrderSeq,
    report: &mut VerifyReport,
) -> Result<Option<OrderSeq>, StoreError> {
    snapshot(conn, |reader| {
        let sql = "select order_seq, account_id from orders join accounts using (account_seq)
                   where :after < order_seq order by order_seq limit :limit";
        let params = named_params! {":after": after, ":limit": ORDERS_PER_SNAPSHOT};
        let rows: Vec<(OrderSeq, AccountId)> =
            reader.list(sql, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (order_seq, account_id) in &rows {
            check_order_row(reader, *order_seq, account_id, report)?;
        }
        Ok(rows.last().map(|(order_seq, _)| *order_seq))
    })
}

/// Checks one order against everything stored about it.
pub(super) fn check_order_row(
    reader: &Reader<'_>,
    order_seq: OrderSeq,
    account_id: &AccountId,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    report.orders += 1;
    if reader.is_removed(order_seq)? {
        // `EXPIRY_STRAYS` finds what was left of it.
        return Ok(());
    }
    match reader.load_order(account_id, order_seq, Bodies::Read) {
        Ok(order) => check_order(reader, order_seq, &order, report),
        Err(error) if error.kind == StoreErrorKind::Inconsistent => {
            let place = unreadable_order(reader, account_id, order_seq)?;
            report.find(format!("order {place}: {}", error.source));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// How to find an order whose rows contradict each other: by its id, if that can be read.
fn unreadable_order(
    reader: &Reader<'_>,
    account_id: &AccountId,
    order_seq: OrderSeq,
) -> Result<String, StoreError> {
    let sql = "select cast(order_id as text) from ledgers where order_seq = :order_seq";
    let params = named_params! {":order_seq": order_seq};
    let found: Option<Option<String>> = reader.find(sql, params, |row| row.get(0))?;
    let named = found.flatten().map(|order_id| format!("{account_id} {order_id}"));
    Ok(named.unwrap_or_else(|| format!("{account_id}, row {}", order_seq.0)))
}

fn check_order(
    reader: &Reader<'_>,
    order_seq: OrderSeq,
    order: &OrderRecord,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let mut off = Vec::new();
    check_sums(order, &mut off);
    check_items(order, &mut off);
    check_payouts(order, &mut off);
    check_history(reader, order_seq, order, &mut off)?;
    for name in [&order.id, &order.order_id] {
        if reader.find_order_seq(&order.account_id, name)? != Some(order_seq) {
            off.push(format!("looking up its name {} does not find it", name.as_str()));
        }
    }
    if PaymentStatus::derive(&order.ledger.lines) != order.payment_status {
        let derived = PaymentStatus::derive(&order.ledger.lines).as_str();
        let stored = order.payment_status.as_str();
        off.push(format!("its payment status is {stored}, but its lines give {derived}"));
    }
    let listed = (order.ledger.holds(), total_thousandths(&order.currency, &order.ledger)?);
    if reader.load_listing(order_seq)? != listed {
        off.push(
            "the lists have a wrong total for it, or are wrong about whether an amount is held"
                .to_owned(),
        );
    }
    report.lines += u64::try_from(order.ledger.lines.len()).unwrap_or(u64::MAX);
    let place = format!("{} {}", order.account_id, order.order_id.as_str());
    off.into_iter().for_each(|what| report.find(format!("order {place}: {what}")));
    Ok(())
}

/// Recounts every sum of every line from the operations.
fn check_sums(order: &OrderRecord, off: &mut Vec<String>) {
    let operations = order.events.iter().filter_map(EventRecord::operation);
    let Some(mut counted) = recount(operations, order.ledger.multiple_authorizations) else {
        off.push("the sum of its operations is out of range".to_owned());
        return;
    };
    for line in &order.ledger.lines {
        let expected = counted.remove(&line.line_id()).unwrap_or_default();
        let stored = stored_sums(line);
        if stored != expected {
            off.push(format!(
                "line {}: the ledger has {stored:?}, its operations give {expected:?}",
                line.line_id().number()
            ));
        }
    }
    for line_id in counted.keys() {
        off.push(format!("its operations name line {}, which does not exist", line_id.number()));
    }
}

fn stored_sums(line: &Line) -> Recounted {
    let parts = line.by_authorization().iter();
    Recounted {
        sums: *line.sums(),
        by_authorization: parts
            .map(|part| (part.authorization_id.as_str().to_owned(), part.sums))
            .collect(),
        last_moved_by: line.last_moved_by(),
    }
}

/// Compares what each line is worth with its item.
fn check_items(order: &OrderRecord, off: &mut Vec<String>) {
    let worth: BTreeMap<LineId, Amount> =
        order.items.iter().map(|item| (item.line_id, item.price.payable())).collect();
    let kept: BTreeMap<LineId, Amount> =
        order.ledger.lines.iter().map(|line| (line.line_id(), line.payable())).collect();
    if worth != kept {
        off.push("its items and its ledger have different totals".to_owned());
    }
}

/// Checks that versions have no gaps and that each operation's items add up to its amount.
fn check_history(
    reader: &Reader<'_>,
    order_seq: OrderSeq,
    order: &OrderRecord,
    off: &mut Vec<String>,
) -> Result<(), StoreError> {
    let sql = "select version from ledgers where order_seq = :order_seq";
    let params = named_params! {":order_seq": order_seq};
    let version: Option<i64> = reader.find(sql, params, |row| row.get(0))?;
    let versions: Vec<i64> = order.events.iter().map(|event| event.version).collect();
    let expected: Vec<i64> = (1..=version.unwrap_or_default()).collect();
    if versions != expected {
        off.push(format!("its events are numbered {versions:?}, but its ledger is at {version:?}"));
    }
    for operation in order.events.iter().filter_map(EventRecord::operation) {
        if !adds_up(operation) {
            let id = operation.id.as_str();
            off.push(format!("the items of {} {id} do not add up", operation.kind.singular()));
        }
    }
    Ok(())
}

fn adds_up(operation: &Operation) -> bool {
    let sum = Amount::checked_sum(operation.items.iter().map(|item| item.amount));
    sum == Some(operation.amount)
}

/// Queries that must count no rows, with what such rows would mean.
const STRAYS: [(&str, &str); 6] = [
    (
        "orders are in the list of another account",
        "select count(*) from ledgers join orders using (order_seq)
         where ledgers.account_seq <> orders.account_seq",
    ),
    (
        "orders are in the list of another currency",
        "select count(*) from ledgers join orders using (order_seq)
         where ledgers.currency <> orders.currency",
    ),
    (
        "ledgers have a different order id from their order",
        "select count(*) from ledgers join orders using (order_seq)
         where ledgers.order_id <> orders.order_id",
    ),
    (
        "events are not in the table for their kind",
        "select count(*) from events
         where (kind = 'api') <> (event_seq in (select event_seq from api_events))
            or (kind = 'service') <>
                (event_seq in (select event_seq from service_events))",
    ),
    (
        "events follow an event of another order",
        "select count(*) from events
         join events as previous on previous.event_seq = events.previous_seq
         where previous.order_seq <> events.order_seq",
    ),
    (
        "ledgers end in an event of another order",
        "select count(*) from ledgers
         join events on events.event_seq = ledgers.last_event_seq
         where events.order_seq <> ledgers.order_seq",
    ),
];

const UNLISTED_ITEMS: &str = "select count(*) from order_items
    join orders on orders.order_seq = order_items.order_seq
    where order_items.store_id is not null
      and not exists (select 1 from order_values
        where order_values.account_seq = orders.account_seq
          and filter = :filter and value = order_items.store_id
          and order_values.order_seq = orders.order_seq)";

/// Finds events and operations that belong to no order. All counts are from one snapshot.
fn check_orphans(conn: &Connection, report: &mut VerifyReport) -> Result<(), StoreError> {
    snapshot(conn, |reader| {
        let count = |sql: &'static str| -> Result<u64, StoreError> {
            let found: Option<i64> = reader.find(sql, [], |row| row.get(0))?;
            Ok(u64::try_from(found.unwrap_or_default()).unwrap_or_default())
        };
        report.events = count("select count(*) from events")?;
        report.operations = count("select count(*) from events where operation_id is not null")?;
        let led_to = count("select coalesce(sum(version), 0) from ledgers")?;
        let of_operations =
            count("select count(*) from events where kind not in ('api', 'service')")?;
        let api_events = count("select count(*) from api_events")?;
        let service_events = count("select count(*) from service_events")?;
        if report.events != led_to {
            report.find(format!(
                "the number of events is {}, and {led_to} in the histories of orders",
                report.events
            ));
        }
        if report.operations != of_operations {
            let operations = report.operations;
            report.find(format!(
                "the number of operations is {operations}, and that of their events {of_operations}"
            ));
        }
        let strays = STRAYS.into_iter().chain([STRAY_KEYS]).chain(UNRECORDED_FALLS);
        let strays = strays.chain(HOOK_STRAYS).chain(SESSION_STRAYS).chain(CALLBACK_STRAYS);
        let strays = strays.chain(EXPIRY_STRAYS);
        for (what, sql) in strays {
            let strayed = count(sql)?;
            if strayed != 0 {
                report.find(format!("{what}: {strayed} found"));
            }
        }
        let filter = ValueFilter::StoreId.as_str();
        let unlisted: Option<i64> =
            reader.find(UNLISTED_ITEMS, named_params! {":filter": filter}, |row| row.get(0))?;
        if let Some(unlisted @ 1..) = unlisted {
            let what = "items belong to a store whose list lacks their order";
            report.find(format!("{what}: {unlisted} found"));
        }
        if api_events + service_events + of_operations != report.events {
            let what = "an event is neither an operation nor an API change nor a service event";
            report.find(what.to_owned());
        }
        Ok(())
    })
}

fn count(conn: &Connection, sql: &'static str) -> Result<u64, StoreError> {
    snapshot(conn, |reader| {
        let found: Option<i64> = reader.find(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(found.unwrap_or_default()).unwrap_or_default())
    })
}
