//! `verify` finds every change that was made without the program.

use serde_json::json;
use tillbook::store::verify::{VerifyReport, verify};

use super::harness::{ACCOUNT, App};

fn check(app: &App) -> VerifyReport {
    verify(&app.db, |_, _| {}).unwrap()
}

/// Panics unless `verify` finds nothing.
#[track_caller]
pub fn expect_verified(app: &App) {
    assert_eq!(check(app).findings, Vec::<String>::new());
}

/// A book with at least one of everything that `verify` checks.
fn book() -> App {
    let app = App::start();
    let order = app.simple_order(&[10_000, -500]);
    for (kind, amount) in [("authorizations", 8_000), ("captures", 5_000), ("refunds", 1_000)] {
        let body = json!({"items": [{"line_id": 1, "amount": amount}]});
        app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
    }
    let failed = json!({"items": [{"line_id": 1, "amount": 3_000}], "success": false});
    app.post(&format!("/orders/{order}/cancellations"), failed).expect(200);
    let items = json!([{"id": "a", "gross_amount": 700}]);
    let several = app.order(
        json!({"currency": "SEK", "items": items}),
        json!({"multiple_authorizations": true}),
    );
    for amount in [400, 300] {
        let body = json!({"items": [{"line_id": 1, "amount": amount}]});
        app.post(&format!("/orders/{several}/authorizations"), body).expect(200);
    }
    app.post(&format!("/orders/{several}/close"), json!({})).expect(200);
    app
}

/// Changes the file from outside the program, without its triggers and checks.
fn tamper(app: &App, sql: &str) {
    #[expect(clippy::disallowed_methods, reason = "the change is made from outside the program")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let triggers = "select name from sqlite_schema where type = 'trigger'";
    let mut statement = conn.prepare(triggers).unwrap();
    let names: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    drop(statement);
    for name in names {
        conn.execute_batch(&format!("drop trigger {name}")).unwrap();
    }
    conn.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on").unwrap();
    assert_ne!(conn.execute(sql, []).unwrap(), 0, "`{sql}` changed nothing");
}

/// A text in which `{2}` is the number of the second event of orders: drafts have some of the
/// numbers between.
fn numbered(app: &App, text: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the book is read from outside the program")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let mut statement = conn.prepare("select event_seq from events order by event_seq").unwrap();
    let seqs = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(Result::unwrap);
    let replace = |text: String, (at, seq): (usize, i64)| {
        text.replace(&format!("{{{}}}", at + 1), &seq.to_string())
    };
    seqs.enumerate().fold(text.to_owned(), replace)
}

#[test]
fn a_book_that_only_the_program_has_changed_is_right() {
    let app = book();
    let report = check(&app);
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!((report.accounts, report.orders, report.lines), (1, 2, 3));
    assert_eq!((report.operations, report.events), (6, 9));
}

/// Changes of a book, and what must be found after each. `numbered` fills in events.
const CHANGES: &[(&str, &str)] = &[
    ("update events set amount = amount + 1 where event_seq = {2}", "do not add up"),
    (
        "update events set document = replace(document, '5000', '4000'), amount = 4000
         where amount = 5000",
        "the ledger has",
    ),
    ("update events set success = 1 where success = 0", "the ledger has"),
    ("update events set kind = 'refund' where kind = 'capture'", "the ledger has"),
    (
        "update ledgers set lines = replace(lines, '8000,5000', '9000,5000')
         where order_seq = 1",
        "the ledger has",
    ),
    (
        "update ledgers set lines = replace(lines, '8000,5000', '8000,9000')
         where order_seq = 1",
        "do not balance",
    ),
    ("update ledgers set lines = '[' where order_seq = 1", "unreadable"),
    ("update ledgers set payment_status = 'paid' where order_seq = 1", "payment status"),
    ("update ledgers set version = version + 1 where order_seq = 2", "numbered"),
    ("update ledgers set order_id = 'x' where order_seq = 1", "a different order id"),
    ("update ledgers set last_event_seq = {4} where order_seq = 1", "numbered"),
    ("update events set version = 9 where event_seq = {3}", "numbered"),
    ("update events set previous_seq = null where event_seq = {3}", "numbered"),
    (
        "update events set previous_seq = {3} where event_seq = {3}",
        "an event of a history is missing",
    ),
    (
        "update events set previous_seq = {9} where event_seq = {3}",
        "an event of a history is missing",
    ),
    ("update order_items set gross_amount = 9999 where line_id = 1", "have different totals"),
    ("delete from order_items where line_id = 2", "have different totals"),
    ("delete from order_names where order_seq = 1", "does not find it"),
    (
        "update events set operation_id = null where event_seq = {4}",
        "is 5, and that of their events 6",
    ),
    ("delete from events where event_seq = {9}", "refers to a missing row"),
    ("delete from api_events where event_seq = {1}", "neither an operation nor"),
    ("update events set kind = 'service' where event_seq = {1}", "not in the table for their kind"),
    (
        "insert into events values (99, 1, null, 99, '00000000-0000-4000-8000-000000000000',
         'api', 0, 'me', null, null, null, null, null)",
        "in the histories of orders",
    ),
    (
        "update ledgers set lines = replace(lines, '[0,400', '[0,401') where order_seq = 2",
        "balance",
    ),
    ("update ledgers set account_seq = 2 where order_seq = 1", "the list of another account"),
    ("update ledgers set currency = 'SEK' where order_seq = 1", "the list of another currency"),
    ("update ledgers set total_thousandths = 1 where order_seq = 1", "a wrong total"),
    ("update ledgers set holds = 1 - holds where order_seq = 1", "an amount is held"),
    ("update order_items set store_id = 'torget' where order_seq = 1", "whose list lacks"),
    ("update events set order_seq = 2 where event_seq = {2}", "follow an event of another order"),
    ("delete from accounts", "refers to a missing row"),
];

#[test]
fn every_way_of_changing_a_figure_is_found() {
    for (sql, expected) in CHANGES {
        let app = book();
        tamper(&app, &numbered(&app, sql));
        let found = check(&app).findings.join("\n");
        assert!(found.contains(expected), "after `{sql}`, found only:\n{found}");
    }
}

/// A book with an order whose money is split in halves, and a line of it that is not.
fn book_with_payouts() -> App {
    let app = App::start();
    let half = |name| json!({"type": "percentage", "value": 50, "destination": name});
    let rule = json!({"rule_type": "order.items.store.id", "rule_id": "torget",
        "destinations": [half("a"), half("b")]});
    let items = json!([{"id": "p", "gross_amount": 100, "store": {"id": "torget"}},
        {"id": "q", "gross_amount": 9}]);
    let options = json!({"split_draft": false, "payout": {"rules": [rule]}});
    let order = app.order(json!({"currency": "NOK", "items": items}), options);
    for (kind, amount) in [("authorizations", 80), ("captures", 30), ("refunds", 4)] {
        let items = json!([{"line_id": 1, "amount": amount}, {"line_id": 2, "amount": 0}]);
        app.post(&format!("/orders/{order}/{kind}"), json!({"items": items})).expect(200);
    }
    app
}

#[test]
fn every_way_of_changing_a_payout_is_found() {
    expect_verified(&book_with_payouts());
    let capture =
        |change: &str| format!("update events set document = {change} where kind = 'capture'");
    let part =
        |name: &str, amount: i64| format!(r#"'{{"destination":"{name}","amount":{amount}}}'"#);
    let parts = |a: i64, b: i64| {
        let first = format!("replace(document, {}, {})", part("a", 15), part("a", a));
        capture(&format!("replace({first}, {}, {})", part("b", 15), part("b", b)))
    };
    let ledger = |from: &str, to: &str| {
        format!("update ledgers set lines = replace(lines, '{from}', '{to}')")
    };
    let rule = |from: &str, to: &str| {
        format!(
            "update order_items set payout_rule = replace(payout_rule, '{from}', '{to}')
            where line_id = 1"
        )
    };
    let table = [
        (ledger("[25,13,2],[25,13,2]", "[24,13,2],[26,13,2]"), "the ledger splits it as"),
        (ledger("[25,13,2],[25,13,2]", "[24,13,2],[25,13,2]"), "do not balance"),
        (ledger("[25,13,2],[25,13,2]", "[50,26,4]"), "do not balance"),
        (ledger("500000000000", "500000000001"), "do not balance"),
        (ledger("\"a\"", "\"b\""), "not the one that was copied"),
        (ledger("\"torget\"", "\"bua\""), "not the one that was copied"),
        (rule("\"a\"", "\"c\""), "not the one that was copied"),
        (rule("50", "5"), "payout rule of a line is unreadable"),
        ("update order_items set payout_rule = null".to_owned(), "not the one that was copied"),
        (parts(15, 14), "does not add up"),
        (parts(-15, 45), "the wrong sign"),
        (parts(14, 16), "is not what its rule gives"),
        (capture("json_remove(document, '$.items[0].payout')"), "is missing"),
        (capture("replace(document, 'torget', 'bua')"), "is not by the line's rule"),
        (capture("replace(document, '\"a\"', '\"c\"')"), "is not by the line's rule"),
        (
            capture("json_set(document, '$.items[1].payout', document -> '$.items[0].payout')"),
            "is on a line that has none",
        ),
    ];
    for (sql, expected) in table {
        let app = book_with_payouts();
        tamper(&app, &sql);
        let found = check(&app).findings.join("\n");
        assert!(found.contains(expected), "after `{sql}`, found only:\n{found}");
    }
}

/// A book with one open session and one that was paid.
fn book_with_sessions() -> App {
    let app = App::start();
    let order = app.simple_order(&[700, 300]);
    let start = || {
        let url = json!({"return_url": "https://shop.example/thanks"});
        let body = json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url});
        app.post(&format!("/orders/{order}/sessions"), body).expect(200).body
    };
    let (paid, _open) = (start(), start());
    let (_, token) = paid["url"].as_str().unwrap().rsplit_once('/').unwrap();
    let approve = json!({"outcome": "approve"}).to_string();
    app.send("POST", &format!("/pay/{token}/outcome"), &[], Some(&approve)).expect(200);
    app
}

#[test]
fn every_way_of_changing_a_session_is_found() {
    expect_verified(&book_with_sessions());
    let set = |what: &str, status: &str| {
        format!("update order_sessions set {what} where status = '{status}'")
    };
    let by = "completed by something else";
    let table = [
        (set("amount = 701", "open"), "do not add up"),
        (set("amount = 0", "completed"), "do not add up"),
        (set("document = replace(document, '700', '699')", "completed"), "do not add up"),
        (set("document = '{'", "open"), "do not add up"),
        (set("status = 'paid'", "completed"), "contradicts their end"),
        (set("status = 'cancelled'", "open"), "contradicts their end"),
        (set("ended_at_ms = 1", "open"), "contradicts their end"),
        (set("transaction_seq = null", "completed"), "contradicts their end"),
        (set("token = null", "open"), "contradicts their end"),
        (set("transaction_seq = 99", "completed"), by),
        (set("transaction_seq = (select min(event_seq) from events)", "completed"), by),
        (set("id = '00000000-0000-4000-8000-000000000000'", "completed"), by),
        ("update events set success = 0 where operation_id is not null".to_owned(), by),
        (
            "update events set document = json_remove(document, '$.metadata')
             where operation_id is not null"
                .to_owned(),
            by,
        ),
    ];
    for (sql, expected) in table {
        let app = book_with_sessions();
        tamper(&app, &sql);
        let found = check(&app).findings.join("\n");
        assert!(found.contains(expected), "after `{sql}`, found only:\n{found}");
    }
}

/// A book with an order and a draft that were removed, and an order that was closed.
fn book_with_expiries() -> App {
    let app = App::start();
    let item = json!({"id": "a", "gross_amount": 100});
    let order = |order_id: &str| {
        let body = json!({"currency": "NOK", "order_id": order_id, "items": [item]});
        app.order(body, json!({"split_draft": false, "order_time_to_live": 60}))
    };
    let (removed, closed) = (order("E-1"), order("E-2"));
    let session = json!({"items": [{"line_id": 1}], "profile_id": "p",
        "url": {"return_url": "https://shop.example/thanks"}});
    app.post(&format!("/orders/{removed}/sessions"), session).expect(200);
    let capture = json!({"items": [{"line_id": 1, "amount": 100}]});
    app.post(&format!("/orders/{closed}/captures"), capture).expect(200);
    app.draft(json!({"currency": "NOK", "items": []}), json!({"order_time_to_live": 60}));
    app.pass(60_000);
    tillbook::worker::sweep_expired(&app.state.store);
    app
}

#[test]
fn every_way_of_changing_an_expiry_is_found() {
    expect_verified(&book_with_expiries());
    let time = "expire at another time";
    let (order_left, draft_left) = ("removed orders still have", "removed drafts still have");
    let table = [
        ("update order_expiries set expires_at_ms = 1 where order_seq = 2", time),
        ("update order_expiries set lives_s = 61 where order_seq = 1", time),
        ("update draft_expiries set expires_at_ms = 1 where removed_at_ms is null", time),
        ("update order_expiries set has_operations = 0 where order_seq = 2", "does not count"),
        ("update order_expiries set has_operations = 1 where order_seq = 1", "does not count"),
        (
            "update order_expiries set event_seq = (select min(event_seq) from events)
             where order_seq = 2",
            "by an event of another order",
        ),
        (
            "insert into order_documents select 1, document, options_document
            from order_documents where order_seq = 2",
            order_left,
        ),
        ("update order_items set order_seq = 1", order_left),
        (
            "insert into order_values (account_seq, filter, value, order_seq)
             values (1, 'customer_id', 'c', 1)",
            order_left,
        ),
        ("insert into order_search (rowid, words) values (1, 'kari')", order_left),
        ("update order_sessions set document = json_set(document, '$.url', 'x')", order_left),
        ("update order_sessions set status = 'open', ended_at_ms = null", order_left),
        (
            "insert into request_bodies select max(event_seq), '{}' from events
             where order_seq = 1",
            order_left,
        ),
        ("update order_names set order_seq = 1 where name = 'E-1'", "can still be looked up"),
        ("delete from order_names where name = 'E-1'", "names of removed orders are free"),
        ("update drafts set document = '{\"a\":1}' where status = 'deleted'", draft_left),
        ("update drafts set options_document = '{\"a\":1}' where status = 'deleted'", draft_left),
        ("update drafts set store_document = '{}' where status = 'deleted'", draft_left),
        (
            "insert into draft_search (rowid, words)
             select draft_seq, 'kari' from drafts where status = 'deleted'",
            draft_left,
        ),
    ];
    for (sql, expected) in table {
        let app = book_with_expiries();
        tamper(&app, sql);
        let found = check(&app).findings.join("\n");
        assert!(found.contains(expected), "after `{sql}`, found only:\n{found}");
    }
}

#[test]
fn a_finding_names_its_order_even_if_its_ledger_is_unreadable() {
    let app = book();
    let listed = app.get("/orders").expect(200).body;
    let order = listed["orders"].as_array().unwrap().last().unwrap()["order_id"].clone();
    let order = order.as_str().unwrap();
    tamper(&app, "update ledgers set lines = '[' where order_seq = 1");
    let found = check(&app).findings.join("\n");
    assert!(found.contains(&format!("order {ACCOUNT} {order}: ")), "{found}");
}

#[test]
fn a_key_whose_answer_does_not_exist_is_found() {
    for (answer, is_found) in [
        ("orders 1 2", false),
        ("orders 2", false),
        ("orders 99", true),
        ("orders 1 99", true),
        ("orders 1,2", true),
        ("orders 1 x", true),
        ("orders ", true),
        ("event {2}", false),
        ("event 99", true),
        ("event {2} 3", true),
        ("event {2}x", true),
        ("draft 1", false),
        ("draft 99", true),
        ("draft x", true),
        ("payout_rule 1", true),
        ("payout_rule x", true),
        // The first event of an order is the change that made it, which no key names.
        ("event {1}", true),
        ("{}", false),
        ("{", true),
        ("", true),
        ("event", true),
    ] {
        let app = book();
        let sql = "insert into idempotency_keys (key_hash, fingerprint, answer, created_at_ms)
            values (zeroblob(16), zeroblob(32), 'NAME', 0)";
        tamper(&app, &sql.replace("NAME", &numbered(&app, answer)));
        let found = check(&app).findings.join("\n");
        assert_eq!(found.contains("keys name an answer"), is_found, "{answer}: {found}");
    }
}
