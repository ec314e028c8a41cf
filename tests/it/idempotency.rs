//! Idempotency keys: each belongs to one request and its answer (docs/contract.md, Decision 4).

use serde_json::json;
use tillbook::domain::scope::Scope;

use super::audit::{self, tamper};
use super::harness::{ACCOUNT, App};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn capture(amount: i64) -> serde_json::Value {
    json!({"items": [{"line_id": 1, "amount": amount}]})
}

#[test]
fn the_same_request_gets_the_same_answer_and_is_done_once() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let first = app.post_once("k", &path, capture(600)).expect(200);
    assert_eq!(first.header("idempotency-replayed"), None);
    let before = app.snapshot();
    let again = app.post_once("k", &path, capture(600)).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
    let spaced = " {\n\"items\" : [ { \"amount\":600 , \"line_id\":1 } ] } ";
    let key = [("idempotency-key", "k")];
    let reordered = app.shopping("POST", &path, &key, Some(spaced)).expect(200);
    assert_eq!(reordered.text, first.text, "key order and white space do not matter");
    let slash = app.shopping("POST", &format!("{path}/"), &key, Some(spaced)).expect(200);
    assert_eq!(slash.text, first.text);
    let decimal = r#"{"items":[{"line_id":1.0,"amount":600.00}]}"#;
    let decimal = app.shopping("POST", &path, &key, Some(decimal)).expect(200);
    assert_eq!(decimal.text, first.text, "600.00 is the integer 600");
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_key_cannot_be_used_for_another_request() {
    let app = App::start();
    let (one, two) = (app.simple_order(&[1_000]), app.simple_order(&[1_000]));
    let path = format!("/orders/{one}/captures");
    app.post_once("k", &path, capture(600)).expect(200);
    let before = app.snapshot();
    let others = [
        app.post_once("k", &path, capture(601)),
        app.post_once("k", &format!("/orders/{two}/captures"), capture(600)),
        app.post_once("k", &format!("/orders/{one}/authorizations"), capture(600)),
        app.post_once("k", &format!("{path}?x=1"), capture(600)),
        app.post_once("k", "/orders/nowhere/captures", capture(600)),
    ];
    for reply in others {
        assert_eq!((reply.status, reply.code()), (422, "idempotency_key_reused"));
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn only_a_200_is_remembered() {
    let app = App::start();
    let order = app.simple_order(&[1_000]);
    let path = format!("/orders/{order}/captures");
    app.post_once("k", "/orders/nowhere/captures", capture(1)).expect(404);
    app.post_once("k", &path, json!({"items": []})).expect(400);
    app.post(&format!("/orders/{order}/authorizations"), capture(100)).expect(200);
    app.post_once("k", &path, capture(200)).expect(409);
    app.post(&format!("/orders/{order}/authorizations"), capture(100)).expect(200);
    let done = app.post_once("k", &path, capture(200)).expect(200);
    assert_eq!(done.header("idempotency-replayed"), None);
    let replayed = app.post_once("k", &path, capture(200)).expect(200);
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"), "though nothing is left");
}

#[test]
fn keys_of_different_clients_are_different_keys() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    app.post_once("k", &path, capture(100)).expect(200);
    let other = app.make_client(ACCOUNT, &[Scope::WriteShopping]);
    let bearer = format!("Bearer {}", app.token_of(&other));
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    let body = capture(100).to_string();
    let reply = app.shopping("POST", &path, &headers, Some(&body)).expect(200);
    assert_eq!(reply.header("idempotency-replayed"), None);
    assert_eq!(app.get(&path).body["captures"].as_array().unwrap().len(), 2);
}

#[test]
fn a_key_is_forgotten_after_thirty_days_and_a_thousand_others() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let first = app.post_once("k", &path, capture(100)).expect(200);
    let key_seq = number(&app, "select max(key_seq) from idempotency_keys");
    app.pass(30 * DAY_MS);
    let token = app.token_of(&app.client);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    let send = || app.shopping("POST", &path, &headers, Some(&capture(100).to_string()));
    let forget = || app.state.store.writer.write_blocking(tillbook::app::ForgetAnswers).unwrap();
    let add_others = |count: u32| {
        let rows = format!(
            "with recursive counted(n) as (select 1 union all select n + 1 from counted
                where n < {count})
            insert into idempotency_keys
                (key_hash, fingerprint, answer, created_at_ms)
            select randomblob(16), fingerprint, answer, created_at_ms
                from counted, (select * from idempotency_keys where key_seq = {key_seq})"
        );
        tamper(&app.db, &rows).unwrap();
    };
    // First the key has a thousand later ones but is too young, then it is old enough but has one
    // too few, and then both conditions are met.
    add_others(1_000);
    forget();
    assert_eq!(send().expect(200).text, first.text);
    tamper(
        &app.db,
        "delete from idempotency_keys where key_seq = (select max(key_seq) from idempotency_keys)",
    )
    .unwrap();
    app.pass(1);
    forget();
    assert_eq!(send().expect(200).text, first.text);
    add_others(1);
    forget();
    let oldest = number(&app, "select min(key_seq) from idempotency_keys");
    assert!(key_seq < oldest, "the answer was deleted");
    assert_ne!(send().expect(200).text, first.text);
}

fn number(app: &App, sql: &str) -> i64 {
    audit::open(&app.db).query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn every_write_accepts_a_key() {
    let app = App::start();
    let draft = json!({"order": {"currency": "NOK", "items": [{"id": "a", "gross_amount": 5}]}});
    let made = app.post_once("draft", "/draft_orders", draft.clone()).expect(200);
    assert_eq!(app.post_once("draft", "/draft_orders", draft).text, made.text);
    let complete = format!("/draft_orders/{}/complete", made.body["id"].as_str().unwrap());
    let key = [("idempotency-key", "complete")];
    let done = app.shopping("PUT", &complete, &key, Some("{}")).expect(200);
    assert_eq!(app.shopping("PUT", &complete, &key, Some("{}")).expect(200).text, done.text);
    let order = done.body["orders"][0]["order_id"].as_str().unwrap().to_owned();
    for change in ["close", "open", "cancel"] {
        let path = format!("/orders/{order}/{change}");
        let first = app.post_once(change, &path, json!({})).expect(200);
        assert_eq!(app.post_once(change, &path, json!({})).expect(200).text, first.text);
    }
    let events = app.get(&format!("/orders/{order}/events")).body;
    assert_eq!(events["events"].as_array().unwrap().len(), 4, "each was done once");
}

#[test]
fn an_invalid_key_is_refused() {
    let app = App::start();
    let path = format!("/orders/{}/captures", app.simple_order(&[1_000]));
    let long = "k".repeat(256);
    for key in ["", long.as_str(), "tab\tinside"] {
        let reply = app.post_once(key, &path, capture(1)).expect(400);
        assert_eq!(reply.problems(), "Idempotency-Key bad_value", "{key:?}");
    }
    app.post_once(&"k".repeat(255), &path, capture(1)).expect(200);
}
