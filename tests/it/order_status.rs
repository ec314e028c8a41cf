//! Opening, closing and cancelling orders, and the events of these changes.

use serde_json::{Value, json};

use super::harness::App;

fn captured_order(app: &App) -> String {
    let order = app.simple_order(&[1_000]);
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
    order
}

#[test]
fn each_status_allows_its_changes_and_each_refusal_says_why() {
    let app = App::start();
    let order = app.simple_order(&[1_000]);
    let change = |to: &str| app.post(&format!("/orders/{order}/{to}"), json!({}));
    assert_eq!((change("open").status, change("open").code()), (409, "order_not_closed"));
    let closed = change("close").expect(200).body;
    assert_eq!(closed["status"], "closed");
    assert_eq!(closed["closed_by"], app.client.client_id.as_str());
    assert_eq!(closed["closed_at"], "2026-11-18T11:06:40.000Z");
    assert_eq!((change("close").status, change("close").code()), (409, "order_not_open"));
    let opened = change("open").expect(200).body;
    assert_eq!((&opened["status"], opened.get("closed_at")), (&json!("open"), None));
    change("close").expect(200);
    let cancelled = change("cancel").expect(200).body;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancelled_by"], app.client.client_id.as_str());
    assert_eq!((cancelled.get("closed_at"), cancelled.get("cancelled_reason")), (None, None));
    assert_eq!(cancelled["remaining_amount"], 0);
    let before = app.snapshot();
    for to in ["open", "close", "cancel"] {
        assert_eq!((change(to).status, change(to).code()), (409, "order_cancelled"));
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn an_order_is_cancelled_for_a_reason_and_never_with_captured_money() {
    let app = App::start();
    for reason in ["customer", "merchant", "fraud", "expired", "other"] {
        let path = format!("/orders/{}/cancel", app.simple_order(&[1]));
        let body = app.post(&path, json!({"cancelled_reason": reason})).expect(200).body;
        assert_eq!(body["cancelled_reason"], reason);
    }
    let path = format!("/orders/{}/cancel", app.simple_order(&[1]));
    for wrong in [json!("bored"), json!(5), json!(["fraud"])] {
        let reply = app.post(&path, json!({"cancelled_reason": wrong})).expect(400);
        assert!(reply.problems().starts_with("/cancelled_reason "));
    }
    app.post(&path, json!({"cancelled_reason": null})).expect(200);
    let captured = format!("/orders/{}/cancel", captured_order(&app));
    let reply = app.post(&captured, json!({}));
    assert_eq!((reply.status, reply.code()), (409, "order_has_captures"));
}

#[test]
fn a_body_may_be_absent_but_not_invalid() {
    let app = App::start();
    let path = format!("/orders/{}/close", app.simple_order(&[1]));
    assert_eq!(app.shopping("POST", &path, &[], Some("[1]")).status, 400);
    assert_eq!(app.shopping("POST", &path, &[], Some("{")).status, 400);
    assert_eq!(app.shopping("POST", &path, &[], None).status, 200);
    assert_eq!(app.post("/orders/nowhere/close", json!({})).status, 404);
}

#[test]
fn the_events_of_an_order_are_complete_and_in_order() {
    let app = App::start();
    let order = captured_order(&app);
    let failed = json!({"items": [{"line_id": 1, "amount": 5}], "success": false});
    app.post(&format!("/orders/{order}/refunds"), failed).expect(200);
    app.pass(1_000);
    app.post(&format!("/orders/{order}/close?include_events=true"), json!({})).expect(200);
    let all = app.get(&format!("/orders/{order}/events")).expect(200).body;
    let events = all["events"].as_array().unwrap();
    let told: Vec<(i64, &str)> = events
        .iter()
        .map(|e| (e["version"].as_i64().unwrap(), e["event_type"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [(1, "api-event"), (2, "service-event"), (3, "service-event"), (4, "api-event")]
    );
    assert_eq!(events[0]["request"]["method"], "PUT");
    assert_eq!(events[0]["request"]["body"], json!({}));
    assert!(events[0]["draft_id"].is_string() && events[3].get("draft_id").is_none());
    let capture = &app.get(&format!("/orders/{order}/captures")).body["captures"][0];
    let metadata = json!({"operation_id": capture["id"], "amount": 1, "currency": "NOK",
        "items": [{"line_id": 1, "amount": 1}]});
    assert_eq!(events[1]["metadata"], metadata);
    assert_eq!(
        (&events[1]["service"], &events[1]["state"]),
        (&json!("payment"), &json!("success"))
    );
    assert_eq!(
        (&events[2]["service_status"], &events[2]["state"]),
        (&json!("refund"), &json!("failure"))
    );
    assert_eq!(events[3]["created_at"], "2026-11-18T11:06:41.000Z");
    assert_eq!(all["state"], "failure", "one failure makes the whole state a failure");
}

#[test]
fn events_are_included_only_if_include_events_asks_for_them() {
    let app = App::start();
    let order = captured_order(&app);
    let with = |value: &str| app.get(&format!("/orders/{order}?include_events={value}"));
    let count = |value: &str| with(value).expect(200).body["events"].as_array().map(Vec::len);
    assert_eq!(count("true"), Some(2));
    assert_eq!(count("api-event"), Some(1));
    assert_eq!(count("service-event"), Some(1));
    assert_eq!(count("false"), None);
    assert_eq!(with("service-event").body["state"], "success");
    assert_eq!(app.get(&format!("/orders/{order}")).body.get("events"), None);
    assert_eq!(with("yes").expect(400).problems(), "include_events bad_value");
    let listed = app.get("/orders?include_events=api-event").expect(200).body;
    assert_eq!(listed["orders"][0]["events"][0]["event_type"], "api-event");
    let fresh = app.simple_order(&[1]);
    assert_eq!(app.get(&format!("/orders/{fresh}/events")).body["state"], Value::from("pending"));
}
