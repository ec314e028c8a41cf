//! How large an order or a draft may grow: up to the limits, and not beyond (docs/contract.md,
//! Decision 3).

use std::convert::Infallible;

use serde_json::{Value, json};
use tillbook::app::{CommentChange, CommentOrder, OnBehalfOf};
use tillbook::domain::KeptJson;
use tillbook::domain::ids::{AccountId, CreatedBy, OrderName};
use tillbook::store::{Failed, NewApiEvent, Tx, WriteCommand, WriteError};

use super::audit;
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::verify::expect_verified;

const MIB: usize = 1 << 20;

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Appends service events to an order from outside, so that it has `events` in all.
fn fill(app: &App, order: &str, events: i64) {
    #[expect(clippy::disallowed_methods, reason = "20,000 requests would take minutes")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let found = "select order_seq, version, last_event_seq from ledgers where order_id = ?1";
    let newest = "select max(created_at_ms) from events";
    let now: i64 = conn.query_row(newest, [], |row| row.get(0)).unwrap();
    let (seq, version, last): (i64, i64, i64) =
        conn.query_row(found, [order], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    conn.execute_batch(&format!(
        "begin immediate;
         create temp table added as
            with recursive numbers (nth) as (
                select {version} + 1 union all select nth + 1 from numbers where nth < {events})
            select nth, (select max(event_seq) from events) + nth - {version} as seq from numbers;
         insert into events (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms,
            created_by)
            select seq, {seq}, iif(nth = {version} + 1, {last}, seq - 1), nth,
                printf('00000000-0000-4000-8000-%012d', seq), 'service', {now}, 'c' from added;
         insert into service_events (event_seq, state, service, service_status)
            select seq, 'success', 's', 's' from added;
         update ledgers set version = {events}, last_event_seq = (select max(seq) from added)
            where order_seq = {seq};
         drop table added;
         commit"
    ))
    .unwrap();
}

#[track_caller]
fn refused(app: &App, send: impl Fn() -> Reply) {
    let before = app.snapshot();
    assert_eq!(send().expect(409).code(), "order_too_large");
    assert_eq!(app.snapshot(), before, "the refused change left something");
}

fn operation(success: bool) -> Value {
    json!({"items": [{"line_id": 1, "amount": 1}], "success": success})
}

/// A change that adds to an order, by number: every kind but payment operations and drafts.
fn change(app: &App, order: &str, which: usize, bytes: usize) -> Reply {
    let path = format!("/orders/{order}");
    match which {
        0 => app.put(&path, json!({"metadata": {"x": text(bytes)}})),
        1 => app.post(&format!("{path}/comments"), json!({"comment": text(bytes)})),
        _ => {
            let event = json!({"service": "s", "service_status": "s", "state": "success",
                "description": text(bytes)});
            app.post(&format!("{path}/events"), event)
        }
    }
}

#[test]
fn the_bytes_of_an_order_are_bounded_and_its_money_goes_on() {
    let app = App::start();
    let order = app.simple_order(&[1_000_000]);
    let path = format!("/orders/{order}");
    let put = || app.put(&path, json!({"metadata": {"x": text(MIB - 200)}}));
    let accepted = (0..70).take_while(|_| put().status == 200).count();
    assert_eq!(accepted, 7, "the present document and 7 bodies of 1 MiB");
    refused(&app, put);
    for which in 1..3 {
        refused(&app, || change(&app, &order, which, 100 << 10));
    }
    let shown = app.get(&format!("{path}?include_events=true")).expect(200);
    assert!(shown.text.len() < 12 * MIB, "{}", shown.text.len());
    app.post(&format!("{path}/captures"), operation(true)).expect(200);
    // A change that only erases is accepted at any size, and makes room.
    app.put(&path, json!({"metadata": {}})).expect(200);
    let commented = change(&app, &order, 1, 100 << 10).expect(200);
    while change(&app, &order, 1, 100 << 10).status == 200 {}
    let comment = commented.body["comments"][0]["id"].as_str().unwrap();
    app.shopping("DELETE", &format!("{path}/comments/{comment}"), &[], None).expect(200);
    change(&app, &order, 1, 100 << 10).expect(200);
    audit::expect_clean(&app.db);
    expect_verified(&app);
}

#[test]
fn the_events_of_an_order_are_bounded_and_operations_have_room_left() {
    let app = App::start();
    let order = app.simple_order(&[1_000_000]);
    let path = format!("/orders/{order}");
    app.post(&format!("{path}/comments"), json!({"comment": "first"})).expect(200);
    fill(&app, &order, 19_999);
    let said = change(&app, &order, 1, 10).expect(200);
    for which in 0..3 {
        refused(&app, || change(&app, &order, which, 10));
    }
    refused(&app, || app.post(&format!("{path}/close"), json!({})));
    refused(&app, || app.post(&format!("{path}/cancel"), json!({})));
    let items = json!([{"id": "b", "gross_amount": 700}]);
    for replace in [None, Some("order")] {
        let options = json!({"order_id": order, "replace": replace});
        let draft = app.draft(json!({"currency": "NOK", "items": items}), options);
        refused(&app, || app.put(&format!("{draft}/complete"), json!({})));
    }
    let comment = said.body["comments"][0]["id"].as_str().unwrap();
    app.shopping("DELETE", &format!("{path}/comments/{comment}"), &[], None).expect(200);
    for kind in ["authorizations", "captures", "refunds", "cancellations"] {
        app.post(&format!("{path}/{kind}"), operation(kind != "cancellations")).expect(200);
    }
    expect_verified(&app);
    fill(&app, &order, 49_999);
    app.post(&format!("{path}/captures"), operation(false)).expect(200);
    for kind in ["authorizations", "captures", "refunds", "cancellations"] {
        refused(&app, || app.post(&format!("{path}/{kind}"), operation(false)));
    }
}

#[test]
fn long_documents_of_operations_count_and_ordinary_ones_do_not() {
    let app = App::start();
    let order = app.simple_order(&[1_000_000]);
    let path = format!("/orders/{order}/captures");
    let mut body = operation(false);
    body["metadata"] = json!({"x": text(120 << 10)});
    let accepted = (0..400).take_while(|_| app.post(&path, body.clone()).status == 200).count();
    assert_eq!(accepted, 272, "as many of 120 KiB as fit into 32 MiB");
    refused(&app, || app.post(&path, body.clone()));
    app.post(&path, operation(true)).expect(200);
    let comment = json!({"comment": "x"});
    refused(&app, || app.post(&format!("/orders/{order}/comments"), comment.clone()));
    audit::expect_clean(&app.db);
    expect_verified(&app);
}

/// A comment that is rolled back after it was written.
struct Crashing(CommentOrder);

impl WriteCommand for Crashing {
    const NAME: &'static str = "crashing";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        assert!(self.0.run(tx).is_ok(), "the order has room for the comment");
        panic!("this rolls the transaction back");
    }
}

#[test]
fn bytes_that_were_rolled_back_do_not_count() {
    let app = App::start();
    let orders = [app.simple_order(&[10_000]), app.simple_order(&[10_000])];
    let comment = |order: &str, bytes: usize| {
        let document = KeptJson(json!({"comment": text(bytes)}).to_string());
        let event = NewApiEvent {
            method: "POST",
            path: String::new(),
            body: Some(document.clone()),
            body_sha256: None,
        };
        let on_behalf_of = OnBehalfOf {
            account_id: AccountId::parse(ACCOUNT).unwrap(),
            created_by: CreatedBy("me".to_owned()),
        };
        let order = OrderName::parse(order).unwrap();
        CommentOrder { on_behalf_of, order, change: CommentChange::Add(document), event }
    };
    let writer = &app.state.store.writer;
    let write = |order: &str, bytes| writer.write_blocking(comment(order, bytes)).is_ok();
    // Bytes are remembered from 50 events on.
    for order in &orders {
        fill(&app, order, 60);
        assert!(write(order, 10));
    }
    // Each crash leaves the number of its event to the next one, of the same or the other order.
    for (crashing, next) in [(0, 0), (0, 1), (1, 0)] {
        let command = Crashing(comment(&orders[crashing], 3 * MIB));
        assert!(matches!(writer.write_blocking(command), Err(WriteError::Crashed)));
        assert!(write(&orders[next], 10));
        assert!(write(&orders[crashing], 10));
    }
    for order in &orders {
        assert!(write(order, 3 * MIB), "it has room for 3 MiB as a comment and as a request");
        assert!(!write(order, 3 * MIB), "its bytes count");
    }
    expect_verified(&app);
}

#[test]
fn a_draft_is_bounded_like_an_order() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]});
    let draft = app.draft(order.clone(), json!({}));
    let item = json!({"id": "b", "gross_amount": 1, "description": text(120 << 10)});
    let add = || app.post(&format!("{draft}/items"), item.clone());
    let accepted = (0..200).take_while(|_| add().status == 200).count();
    assert_eq!(accepted, 68, "as many of 120 KiB as fit into 8 MiB");
    refused(&app, add);
    refused(&app, || app.put(&format!("{draft}/items/1"), item.clone()));
    app.shopping("DELETE", &format!("{draft}/items/2"), &[], None).expect(200);
    add().expect(200);

    let other = app.draft(order, json!({}));
    #[expect(clippy::disallowed_methods, reason = "20,000 requests would take minutes")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let version = "update drafts set version = 20000 where id = ?1";
    assert_eq!(conn.execute(version, [other.rsplit('/').next().unwrap()]).unwrap(), 1);
    let update = json!({"order": {"currency": "NOK", "items": [{"id": "a", "gross_amount": 2}]}});
    refused(&app, || app.put(&other, update.clone()));
    refused(&app, || app.post(&format!("{other}/items"), json!({"id": "b", "gross_amount": 1})));
    refused(&app, || app.shopping("DELETE", &format!("{other}/items/1"), &[], None));
    app.shopping("DELETE", &other, &[], None).expect(200);
}
