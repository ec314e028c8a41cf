//! A recount of a book's money from its operations, written independently of the program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use super::harness::App;
use super::trials::model::reference::{Kind, Named, Order, Request};

/// Lists every sum in the file that is wrong, and every fault in the file's structure.
pub fn audit(db: &Path) -> Vec<String> {
    let conn = open(db);
    let mut errors = structure(&conn);
    // `structure` checks that a removed order had no operation and has nothing left.
    let sql = "select order_seq from orders where order_seq not in
        (select order_seq from order_expiries where outcome = 'removed')";
    let mut orders = conn.prepare(sql).unwrap();
    let seqs: Vec<i64> =
        orders.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for seq in seqs {
        let found = recount(&conn, seq).into_iter().map(|what| format!("order {seq}: {what}"));
        errors.extend(found);
    }
    errors
}

/// Panics unless the audit finds nothing.
#[track_caller]
pub fn expect_clean(db: &Path) {
    let errors = audit(db);
    assert!(errors.is_empty(), "the book does not add up: {errors:#?}");
}

/// A read-only connection that bypasses the program.
pub fn open(db: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    #[expect(clippy::disallowed_methods, reason = "an auditor looks into the file from outside")]
    let conn = Connection::open_with_flags(db, flags).unwrap();
    conn
}

/// Queries about expiries that must count nothing.
const EXPIRIES: [(&str, &str); 2] = [
    (
        "orders that expire and whose operations are not counted right",
        "select count(*) from order_expiries where has_operations <> (order_seq in
            (select order_seq from events where operation_id is not null))",
    ),
    (
        "removed orders with an operation or with something left",
        "select count(*) from order_expiries where outcome = 'removed' and (
            order_seq in (select order_seq from events where operation_id is not null)
            or order_seq in (select order_seq from order_items)
            or order_seq in (select order_seq from order_documents)
            or order_seq in (select order_seq from order_names))",
    ),
];

fn structure(conn: &Connection) -> Vec<String> {
    let mut off = Vec::new();
    let checked: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
    if checked != "ok" {
        off.push(format!("integrity: {checked}"));
    }
    let counts = [
        ("rows that refer to nothing", "select count(*) from pragma_foreign_key_check"),
        (
            "events in the table of another kind",
            "select count(*) from events where (kind in ('api', 'service')) =
                (operation_id is not null)
             or (kind = 'api') <> (event_seq in (select event_seq from api_events))
             or (kind = 'service') <> (event_seq in (select event_seq from service_events))",
        ),
        (
            "times that fall without a jump of the clock, or by a correction",
            "select count(*) from (select event_seq as after, created_at_ms as at,
                lag(event_seq) over (order by event_seq) as before,
                lag(created_at_ms) over (order by event_seq) as at_before from events)
             where at < at_before and (at_before - at <= 5 * 60 * 1000 or not exists
                (select 1 from clock_jumps where before <= event_seq and event_seq < after))",
        ),
        (
            "orders whose events are not counted from 1 and linked",
            "select count(*) from events join
                (select event_seq,
                    row_number() over (partition by order_seq order by event_seq) as nth,
                    lag(event_seq) over (partition by order_seq order by event_seq) as before
                 from events) as counted using (event_seq)
             where version <> nth or previous_seq is not before",
        ),
        (
            "ledgers that are not up to date with their last event",
            "select count(*) from ledgers where version <>
                (select count(*) from events where events.order_seq = ledgers.order_seq)
             or last_event_seq is not
                (select max(event_seq) from events where events.order_seq = ledgers.order_seq)",
        ),
        (
            "orders without a ledger, or with another account's",
            "select count(*) from orders left join ledgers using (order_seq)
             where ledgers.account_seq is not orders.account_seq",
        ),
        (
            "ids used twice",
            "select (select count(*) - count(distinct id) from events)
                + (select count(operation_id) - count(distinct operation_id) from events)",
        ),
        (
            // Earlier versions stored the answer itself; an operation's has an amount.
            "keys that name no operation, service's event, order, draft or session",
            "select count(*) from idempotency_keys where not iif(json_valid(answer),
                    json_extract(answer, '$.items[0].amount') is null
                    or json_extract(answer, '$.order_id') is not null
                    or exists (select 1 from events where operation_id = answer ->> '$.id'), false)
               and answer not in (select 'event ' || event_seq from events where kind <> 'api')
               and answer not in (select 'orders ' || order_seq from orders
                    union all select 'draft ' || draft_seq from drafts
                    union all select 'session ' || session_seq from order_sessions)",
        ),
    ];
    for (what, sql) in counts.into_iter().chain(EXPIRIES) {
        let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        if count != 0 {
            off.push(format!("{count} {what}"));
        }
    }
    off
}

/// An operation as the file stores it.
struct Row {
    event_seq: i64,
    id: String,
    amount: i64,
    request: Request,
    /// Position of its authorization among those of the order, from 0.
    under: Option<usize>,
    /// The amounts of the destinations on each line that has a payout.
    payouts: BTreeMap<i64, Vec<i64>>,
}

/// Replays an order's operations, oldest first, and compares the results with the stored ones.
fn recount(conn: &Connection, order_seq: i64) -> Vec<String> {
    let sql = "select payment_status, multiple_authorizations, authorizations, lines
        from ledgers where order_seq = ?1";
    let (status, multiple, ids, lines): (String, bool, String, String) = conn
        .query_row(sql, [order_seq], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
        .unwrap();
    let payable = payable(conn, order_seq);
    let mut order = Order::new(&payable, multiple);
    let mut off = Vec::new();
    let rows = operations(conn, order_seq, multiple);
    for row in &rows {
        let total: i64 = row.request.items.iter().map(|item| item.1).sum();
        if total != row.amount {
            off.push(format!("{} says {}, its items {total}", row.id, row.amount));
        }
        // The order was open when this was recorded, though it may be closed now.
        if let Err(refused) = order.operate(&row.request) {
            off.push(format!("{} exceeded what was available: {refused:?}", row.id));
        }
    }
    if order.payment_status() != status {
        off.push(format!("the payment status is {status}, recounted {}", order.payment_status()));
    }
    let ids: Vec<String> = serde_json::from_str(&ids).unwrap();
    let known = rows.iter().filter(|row| multiple && row.request.kind == Kind::Authorization);
    if !ids.iter().eq(known.map(|row| &row.id)) {
        off.push(format!("authorizations {ids:?} are not those of the order"));
    }
    let stored: Vec<Value> = serde_json::from_str(&lines).unwrap();
    let lines: BTreeMap<i64, i64> = payable.into_iter().collect();
    let recounted: Vec<Value> =
        lines.iter().map(|(line, payable)| recounted_line(&rows, *line, *payable)).collect();
    if stored.iter().map(without_empty_parts).ne(recounted.iter().cloned()) {
        off.push(format!("lines {stored:?}, recounted {recounted:?}"));
    }
    let with_payout = lines_with_payout(conn, order_seq);
    for line in &stored {
        let number = line[0].as_i64().unwrap();
        let has_payout = with_payout.contains(&number);
        let recounted = if has_payout { recounted_payout(&rows, number) } else { Value::Null };
        let stored = line.get(9).map_or(&Value::Null, |payout| &payout[3]);
        if *stored != recounted {
            off.push(format!("line {number} is split {stored}, recounted {recounted}"));
        }
    }
    off
}

fn lines_with_payout(conn: &Connection, order_seq: i64) -> BTreeSet<i64> {
    let sql = "select line_id from order_items where order_seq = ?1 and payout_rule is not null";
    let mut items = conn.prepare(sql).unwrap();
    let rows = items.query_map([order_seq], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Adds up what each destination has held, kept and refunded, from the payouts of the operations,
/// in the form of `ledgers.lines`.
fn recounted_payout(rows: &[Row], line: i64) -> Value {
    let mut parts: Vec<(Option<usize>, Vec<[i64; 3]>)> = Vec::new();
    let mut is_authorized = false;
    for row in rows.iter().filter(|row| row.request.success) {
        let amount = row.request.items.iter().find(|item| item.0 == line).map_or(0, |item| item.1);
        let Some(shares) = row.payouts.get(&line).filter(|_| amount != 0) else { continue };
        let known = parts.iter().position(|(under, _)| *under == row.under);
        let at = known.unwrap_or_else(|| {
            parts.push((row.under, vec![[0; 3]; shares.len()]));
            parts.len() - 1
        });
        for (boxes, share) in parts[at].1.iter_mut().zip(shares) {
            let share = share.abs();
            match row.request.kind {
                Kind::Authorization => boxes[0] += share,
                Kind::Cancellation => boxes[0] -= share,
                Kind::Capture if row.under.is_none() && !is_authorized => boxes[1] += share,
                Kind::Capture => {
                    boxes[0] -= share;
                    boxes[1] += share;
                }
                Kind::Refund => {
                    boxes[1] -= share;
                    boxes[2] += share;
                }
            }
        }
        is_authorized |= row.request.kind == Kind::Authorization;
    }
    json!(parts)
}

/// Adds up a line from the operations, in the form of `ledgers.lines`.
fn recounted_line(rows: &[Row], line: i64, payable: i64) -> Value {
    // Position in the history, kind, authorization and amount of the successful operations other
    // than 0.
    let moves: Vec<(i64, Kind, Option<usize>, i64)> = rows
        .iter()
        .filter(|row| row.request.success)
        .flat_map(|row| row.request.items.iter().map(move |item| (row, item)))
        .filter(|(_, item)| item.0 == line && item.1 != 0)
        .map(|(row, item)| (row.event_seq, row.request.kind, row.under, item.1.abs()))
        .collect();
    let sum = |wanted: &dyn Fn(Kind, Option<usize>) -> bool| -> i64 {
        moves.iter().filter(|m| wanted(m.1, m.2)).map(|m| m.3).sum()
    };
    let kinds = [Kind::Authorization, Kind::Capture, Kind::Cancellation, Kind::Refund];
    let [authorized, captured, cancelled, refunded] = kinds.map(|of| sum(&|kind, _| kind == of));
    let first_authorized = moves.iter().position(|m| m.1 == Kind::Authorization);
    let direct: i64 = moves[..first_authorized.unwrap_or(moves.len())]
        .iter()
        .filter(|m| m.1 == Kind::Capture)
        .map(|m| m.3)
        .sum();
    let unders: BTreeSet<usize> = moves.iter().filter_map(|m| m.2).collect();
    let part = |under: usize| {
        let [a, c, x, r] = kinds.map(|of| sum(&|kind, at| kind == of && at == Some(under)));
        json!([under, a, c, x, r])
    };
    let parts: Vec<Value> = unders.into_iter().map(part).collect();
    let moved_by = moves.last().map(|m| m.0);
    json!([line, payable, authorized, captured, direct, cancelled, refunded, moved_by, parts])
}

/// An operation of 0 leaves a part without an amount.
fn without_empty_parts(line: &Value) -> Value {
    let mut line = line.clone();
    // The payout is recounted by itself.
    line.as_array_mut().unwrap().truncate(9);
    let parts = line[8].as_array_mut().unwrap();
    parts.retain(|part| part.as_array().unwrap()[1..].iter().any(|sum| *sum != 0));
    line
}

fn payable(conn: &Connection, order_seq: i64) -> Vec<(i64, i64)> {
    let sql = "select line_id, gross_amount - discount_amount from order_items
        where order_seq = ?1";
    let mut items = conn.prepare(sql).unwrap();
    let rows = items.query_map([order_seq], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn operations(conn: &Connection, order_seq: i64, multiple: bool) -> Vec<Row> {
    let sql = "select event_seq, operation_id, kind, success, amount, authorization_id, document
        from events where order_seq = ?1 and operation_id is not null order by event_seq";
    let mut statement = conn.prepare(sql).unwrap();
    let mut rows = statement.query([order_seq]).unwrap();
    let mut operations = Vec::new();
    let mut authorization_ids: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let kind = kind(&row.get::<_, String>("kind").unwrap());
        let id: String = row.get("operation_id").unwrap();
        let named: Option<String> = row.get("authorization_id").unwrap();
        let nth = |id: String| authorization_ids.iter().position(|known| *known == id);
        let mut under = named.clone().and_then(nth);
        let authorization = named.map(|_| under.map_or(Named::Stranger, Named::Nth));
        if multiple && kind == Kind::Authorization {
            under = Some(authorization_ids.len());
        }
        if kind == Kind::Authorization {
            authorization_ids.push(id.clone());
        }
        let success = row.get("success").unwrap();
        let document: String = row.get("document").unwrap();
        let (items, payouts) = (items(&document), payouts(&document));
        let request = Request { kind, success, authorization, items };
        let (event_seq, amount) = (row.get("event_seq").unwrap(), row.get("amount").unwrap());
        operations.push(Row { event_seq, id, amount, request, under, payouts });
    }
    operations
}

fn kind(word: &str) -> Kind {
    match word {
        "authorization" => Kind::Authorization,
        "capture" => Kind::Capture,
        "refund" => Kind::Refund,
        "cancellation" => Kind::Cancellation,
        other => panic!("unknown kind of operation: {other}"),
    }
}

fn items(document: &str) -> Vec<(i64, i64)> {
    let document: Value = serde_json::from_str(document).unwrap();
    let number = |item: &Value, key: &str| item[key].as_i64().unwrap();
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| (number(item, "line_id"), number(item, "amount"))).collect()
}

/// The amounts of the destinations on each line that has a payout.
fn payouts(document: &str) -> BTreeMap<i64, Vec<i64>> {
    let document: Value = serde_json::from_str(document).unwrap();
    let items = document["items"].as_array().unwrap().iter();
    let items = items.filter_map(|item| {
        let shares = item["payout"]["destinations"].as_array()?.iter();
        let amounts = shares.map(|share| share["amount"].as_i64().unwrap()).collect();
        Some((item["line_id"].as_i64().unwrap(), amounts))
    });
    items.collect()
}

/// Panics unless the sums of an answer equal those of the operations in it.
#[track_caller]
pub fn expect_balanced(order: &Value) {
    let sums = [
        ("authorized_amount", "authorizations"),
        ("captured_amount", "captures"),
        ("refunded_amount", "refunds"),
        ("cancelled_amount", "cancellations"),
    ];
    let items = order["items"].as_array().unwrap();
    for (name, operations) in sums {
        let operations = order[operations].as_array().unwrap();
        let parts = || operations.iter().flat_map(|made| made["items"].as_array().unwrap());
        for item in items {
            let of_line = parts().filter(|part| part["line_id"] == item["line_id"]);
            assert_eq!(sum(item, name), of_line.map(|part| sum(part, "amount")).sum::<i64>());
        }
        assert_eq!(
            sum(order, name),
            operations.iter().map(|made| sum(made, "amount")).sum::<i64>()
        );
    }
}

fn sum(of: &Value, name: &str) -> i64 {
    of[name].as_i64().unwrap()
}

/// Runs SQL that no command of Tillbook would run.
pub fn tamper(db: &Path, sql: &str) -> rusqlite::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "changes made from outside need a connection of their own"
    )]
    let conn = Connection::open(db)?;
    conn.execute_batch("pragma recursive_triggers = on")?;
    conn.execute_batch(sql)
}

#[test]
fn an_audit_finds_every_change_made_by_hand() {
    let order = |app: &App| {
        let id = app.simple_order(&[100, -30]);
        let items = json!({"items": [{"line_id": 1, "amount": 40}, {"line_id": 2, "amount": -5}]});
        app.post(&format!("/orders/{id}/captures"), items).expect(200);
    };
    let changes = [
        "update ledgers set lines = replace(lines, '[1,100,0,40,40,', '[1,100,0,41,41,')",
        "update ledgers set lines = replace(lines, '[1,100,0,40,40,', '[1,100,0,40,0,')",
        "update ledgers set payment_status = 'paid'",
        "update ledgers set version = version + 1",
        "update ledgers set last_event_seq = 1",
        "update order_items set gross_amount = 20 where line_id = 1",
        "drop trigger events_are_not_changed; update events set amount = 36 where amount = 35",
        "drop trigger events_are_not_changed; update events set success = 0 where success = 1",
        "drop trigger events_are_not_changed; update events set previous_seq = null",
        "drop trigger events_are_not_deleted; delete from events where kind = 'capture'",
    ];
    for change in changes {
        let app = App::start();
        order(&app);
        expect_clean(&app.db);
        tamper(&app.db, change).unwrap();
        assert!(!audit(&app.db).is_empty(), "not found: {change}");
    }
}
