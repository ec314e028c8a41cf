//! An idempotency key never stores an answer, only the name of the row that the answer is rendered
//! from (docs/contract.md, Decision 4).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::audit::{self, tamper};

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{FORM_TOKEN, form_fields, get, send_form, visitor};
use super::schema::OPENAPI;
use super::verify::expect_verified;

/// Orders that a draft makes.
const STORES: i64 = 40;

/// A text that a client can find again in the file.
const MARK: &str = "rannsakelse";

/// A request with an idempotency key.
struct Write {
    /// The route in data/openapi.yaml, below `/shopping`.
    route: &'static str,
    method: &'static str,
    path: String,
    body: Value,
}

impl Write {
    fn send(&self, app: &App) -> Reply {
        let headers = [("idempotency-key", self.route)];
        app.shopping(self.method, &self.path, &headers, Some(&self.body.to_string())).expect(200)
    }
}

/// A long JSON object that most requests can keep.
fn long() -> Value {
    json!({ MARK: MARK.repeat(8_000) })
}

/// A request for a session about everything unreserved on line 1.
fn session() -> Value {
    let url = json!({"return_url": "https://shop.example/thanks"});
    json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url, "metadata": long()})
}

/// An order with money in three boxes of line 1.
fn order(app: &App) -> String {
    let order = app.simple_order(&[40_000]);
    for (kind, amount) in [("authorizations", 30_000), ("captures", 20_000)] {
        let body = json!({"items": [{"line_id": 1, "amount": amount}]});
        app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
    }
    order
}

/// A draft of an order of as many stores as there are items.
fn draft(app: &App) -> String {
    let item = |nth: i64| json!({"id": "x", "gross_amount": nth, "store": {"id": nth.to_string()}});
    let items: Vec<Value> = (1..=STORES).map(item).collect();
    app.draft(json!({"currency": "NOK", "items": items}), json!({}))
}

/// One request for each route that accepts a key, each of its own order or draft.
fn writes(app: &App) -> Vec<Write> {
    let one = |route: &'static str, body: Value| {
        let (method, rest) = route.split_once(' ').unwrap();
        let mut path = rest.to_owned();
        if path.contains("{order_id}") {
            let fresh = if path.ends_with("cancel") { app.simple_order(&[1]) } else { order(app) };
            if path.ends_with("open") {
                app.post(&format!("/orders/{fresh}/close"), json!({})).expect(200);
            }
            if path.ends_with("{comment_id}") {
                let comment = json!({"comment": "Ring twice"});
                let said = app.post(&format!("/orders/{fresh}/comments"), comment).expect(200);
                let id = said.body["comments"][0]["id"].as_str().unwrap();
                path = path.replace("{comment_id}", id);
            }
            if path.contains("{session_id}") {
                let made = app.post(&format!("/orders/{fresh}/sessions"), session()).expect(200);
                path = path.replace("{session_id}", made.body["id"].as_str().unwrap());
            }
            path = path.replace("{order_id}", &fresh);
        }
        if path.contains("{id}") {
            path = path.replace("/draft_orders/{id}", &draft(app)).replace("{line_id}", "1");
        }
        Write { route, method, path, body }
    };
    let operation = json!({"items": [{"line_id": 1, "amount": 500}], "note": long()});
    let item = json!({"id": "y", "gross_amount": 5, "metadata": long()});
    let draft = json!({"order": {"currency": "NOK", "items": [item], "metadata": long()}});
    let event = json!({"state": "success", "service": "freight", "service_status": "sent",
        "metadata": long()});
    vec![
        one("POST /draft_orders", draft.clone()),
        one("PUT /draft_orders/{id}", draft),
        one("PUT /draft_orders/{id}/complete", json!({})),
        one("POST /draft_orders/{id}/items", item.clone()),
        one("PUT /draft_orders/{id}/items/{line_id}", item),
        one("PUT /orders/{order_id}", json!({"metadata": long()})),
        one("POST /orders/{order_id}/cancel", json!({"cancelled_reason": "other"})),
        one("POST /orders/{order_id}/close", json!({})),
        one("POST /orders/{order_id}/open", json!({})),
        one("POST /orders/{order_id}/comments", json!({"comment": MARK.repeat(8_000)})),
        one("DELETE /orders/{order_id}/comments/{comment_id}", json!({})),
        one("POST /orders/{order_id}/events", event),
        one("POST /orders/{order_id}/sessions", session()),
        one("POST /orders/{order_id}/sessions/{session_id}/cancel", json!({})),
        one("POST /orders/{order_id}/authorizations", operation.clone()),
        one("POST /orders/{order_id}/cancellations", operation.clone()),
        one("POST /orders/{order_id}/captures", operation.clone()),
        one("POST /orders/{order_id}/refunds", operation),
    ]
}

/// The routes of data/openapi.yaml that accept a key.
fn documented() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for (path, item) in OPENAPI["paths"].as_object().unwrap() {
        let Some((_, below)) = path.split_once("/shopping") else { continue };
        for (method, operation) in item.as_object().unwrap() {
            if operation["parameters"].to_string().contains("IdempotencyKey") {
                routes.insert(format!("{} {below}", method.to_uppercase()));
            }
        }
    }
    routes
}

/// The texts that the keys store, oldest first.
fn stored(app: &App) -> Vec<String> {
    let conn = audit::open(&app.db);
    let mut statement =
        conn.prepare("select answer from idempotency_keys order by key_seq").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// True if the text names one row, as `event 12` does.
fn is_name(stored: &str) -> bool {
    stored.split_once(' ').is_some_and(|(kind, number)| {
        ["event", "draft", "orders", "session"].contains(&kind) && number.parse::<u32>().is_ok()
    })
}

#[test]
fn every_write_stores_a_name_and_its_replay_follows_the_public_url() {
    let mut app = App::start();
    let writes = writes(&app);
    let tried: BTreeSet<String> = writes.iter().map(|write| write.route.to_owned()).collect();
    assert_eq!(tried, documented(), "the requests tried (left) are not those with a key");
    let firsts: Vec<Reply> = writes.iter().map(|write| write.send(&app)).collect();
    let names = stored(&app);
    assert_eq!(names.len(), writes.len());
    for (write, name) in writes.iter().zip(&names) {
        assert!(is_name(name), "{} stores {} bytes", write.route, name.len());
    }
    let before = app.snapshot();
    for (write, first) in writes.iter().zip(&firsts) {
        let again = write.send(&app);
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", write.route);
        assert!(again.text == first.text, "{} replays another answer", write.route);
    }
    let old = app.state.links.public_url().to_owned();
    app.restart_as("https://shop.example/till");
    app.token = app.token_of(&app.client);
    for (write, first) in writes.iter().zip(&firsts) {
        let again = write.send(&app);
        let expected = first.text.replace(&old, "https://shop.example/till");
        assert!(expected != first.text, "{} has no links", write.route);
        assert!(again.text == expected, "the links of {} are old", write.route);
    }
    assert_eq!(app.snapshot(), before, "a replay wrote something");
    expect_verified(&app);
}

#[test]
fn an_operation_is_replayed_as_it_was_whatever_came_later() {
    let app = App::start();
    let order = app.order(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 40_000}]}),
        json!({"multiple_authorizations": true}),
    );
    let path = |kind: &str| format!("/orders/{order}/{kind}");
    let mut sent: Vec<(String, Value, Reply)> = Vec::new();
    let mut send = |kind: &str, body: Value| {
        let reply = app.post_once(&format!("k{}", sent.len()), &path(kind), body.clone());
        sent.push((path(kind), body, reply.clone().expect(200)));
        reply.body["id"].as_str().unwrap().to_owned()
    };
    let items = |amount: i64| json!([{"line_id": 1, "amount": amount, "quantity": 2}]);
    let id = send(
        "authorizations",
        json!({"items": items(30_000), "processed_at": "2026-11-18T12:00:00+01:00"}),
    );
    for (kind, amount, success) in [
        ("captures", 20_000, json!(true)),
        ("captures", 1, json!(false)),
        ("refunds", 5_000, Value::Null),
        ("cancellations", 10_000, json!(true)),
        ("authorizations", 1, json!(false)),
    ] {
        let mut body = json!({"items": items(amount), "success": success,
            "payment_details": {"psp": "Bølge", "card": {"brand": "visa"}},
            "unknown": [1.50, null]});
        if kind != "authorizations" {
            body["authorization_id"] = json!(id);
        }
        send(kind, body);
    }
    app.post(&path("close"), json!({})).expect(200);
    for (nth, (path, body, first)) in sent.iter().enumerate() {
        let again = app.post_once(&format!("k{nth}"), path, body.clone()).expect(200);
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        let id = first.body["id"].as_str().unwrap();
        assert_eq!(app.get(&format!("{path}/{id}")).expect(200).text, first.text);
    }
}

#[test]
fn a_whole_order_is_replayed_as_it_is_now() {
    let app = App::start();
    let path = format!("/orders/{}", order(&app));
    let comment = json!({"comment": "Ring twice"});
    let first = app.post_once("c", &format!("{path}/comments"), comment.clone()).expect(200);
    assert_eq!(first.body["status"], "open");
    app.post(&format!("{path}/close"), json!({})).expect(200);
    let again = app.post_once("c", &format!("{path}/comments"), comment).expect(200);
    assert_eq!(again.body["status"], "closed");
    assert_eq!(again.text, app.get(&path).expect(200).text);
}

#[test]
fn keys_of_earlier_versions_are_replayed() {
    let app = App::start();
    let path = format!("/orders/{}/captures", order(&app));
    let body = json!({"items": [{"line_id": 1, "amount": 500}]});
    let first = app.post_once("k", &path, body.clone()).expect(200);
    let whole = first.text.replace('\'', "''");
    tamper(&app.db, &format!("update idempotency_keys set answer = '{whole}'")).unwrap();
    let again = app.post_once("k", &path, body).expect(200);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let made = draft(&app);
    let complete = || {
        let key = [("idempotency-key", "complete")];
        app.shopping("PUT", &format!("{made}/complete"), &key, Some("{}")).expect(200)
    };
    let first = complete();
    let seqs: Vec<String> = (2..2 + STORES).map(|seq| seq.to_string()).collect();
    let listed = format!("orders {}", seqs.join(" "));
    let sql = format!("update idempotency_keys set answer = '{listed}' where key_seq = 2");
    tamper(&app.db, &sql).unwrap();
    assert!(complete().text == first.text);
    expect_verified(&app);
}

#[test]
fn a_form_stores_a_name_and_leads_to_what_it_recorded() {
    let mut app = App::start();
    let order = order(&app);
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let at = format!("/orders/{order}");
    let opened = get(&app, &cookie, &format!("{at}/captures?fill=all")).expect(303);
    let form = opened.header("location").unwrap().to_owned();
    let page = app.send("GET", &form, &[("cookie", &cookie)], None).expect(200);
    let mut fields = form_fields(&page);
    fields.push(("button".to_owned(), "record".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let key = "00000000-0000-4000-8000-000000000001";
    let text = MARK.repeat(150);
    let comment = [("form_token", FORM_TOKEN), ("key", key), ("comment", text.as_str())];
    let send = |app: &App| {
        let recorded = send_form(app, &cookie, &format!("{at}/captures"), &fields).expect(303);
        let said = send_form(app, &cookie, &format!("{at}/comments"), &comment).expect(303);
        [recorded, said].map(|reply| reply.header("location").unwrap().to_owned())
    };
    let first = send(&app);
    let names = stored(&app);
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| is_name(name)), "{names:?}");
    let before = app.snapshot();
    assert_eq!(send(&app), first);
    let back = app.send("GET", &form, &[("cookie", &cookie)], None).expect(303);
    assert_eq!(back.header("location").unwrap(), first[0], "going back to a recorded form");
    expect_verified(&app);
    // What earlier versions stored: the ids of the operation and of the order.
    let (_, id) = first[0].split_once("recorded=").unwrap();
    tamper(&app.db, &format!("update idempotency_keys set answer = '{id}' where key_seq = 1"))
        .unwrap();
    tamper(&app.db, &format!("update idempotency_keys set answer = '{order}' where key_seq = 2"))
        .unwrap();
    assert_eq!(send(&app), first);
    expect_verified(&app);
    let moved = format!("{}/till", app.state.links.public_url());
    app.restart_as(&moved);
    let moved = send(&app).map(|location| location.replace("/till/admin", "/admin"));
    assert_eq!(moved, first);
    let after = app.snapshot();
    assert_eq!(after.lines().count(), before.lines().count());
}

#[test]
fn no_key_keeps_a_deleted_comment() {
    let app = App::start();
    let order = order(&app);
    let path = format!("/orders/{order}/comments");
    let said = app.post_once("c", &path, json!({"comment": MARK})).expect(200);
    let id = said.body["comments"][0]["id"].as_str().unwrap();
    app.post_once("k", &format!("/orders/{order}/close"), json!({})).expect(200);
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let key = "00000000-0000-4000-8000-000000000001";
    let form = [("form_token", FORM_TOKEN), ("key", key), ("comment", MARK)];
    send_form(&app, &cookie, &format!("/orders/{order}/comments"), &form).expect(303);
    let key = [("idempotency-key", "d")];
    app.shopping("DELETE", &format!("{path}/{id}"), &key, None).expect(200);
    let left = app.get(&format!("/orders/{order}")).expect(200);
    let id = left.body["comments"][0]["id"].as_str().unwrap();
    app.shopping("DELETE", &format!("{path}/{id}"), &[], None).expect(200);
    assert!(!app.snapshot().contains(MARK), "a text of the book has the deleted comment");
    let again = app.post_once("c", &path, json!({"comment": MARK})).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(!again.text.contains(MARK));
    expect_verified(&app);
}
