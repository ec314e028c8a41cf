//! Steps that services report on an order.

use serde_json::{Value, json};

use super::audit;
use super::harness::App;

fn say(app: &App, order: &str, body: Value) -> Value {
    app.post(&format!("/orders/{order}/events"), body).expect(200).body
}

fn state(app: &App, order: &str) -> String {
    let events = app.get(&format!("/orders/{order}/events")).expect(200).body;
    events["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_step_is_answered_listed_and_stored_unchanged() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let exact = "{\"lat\":60.390,\"n\":[1e3,null]}";
    let body = format!(
        "{{\"service\":\"kitchen\",\"service_status\":\"ready_for_pickup\",\
         \"description\":\"food prepared\",\"metadata\":{exact},\"x\":{exact},\
         \"id\":\"mine\",\"version\":99,\"_links\":[]}}"
    );
    app.pass(1_000);
    let path = format!("/orders/{order}/events");
    let event = app.shopping("POST", &path, &[], Some(&body)).expect(200);
    assert_eq!(event.text.matches(exact).count(), 2, "{}", event.text);
    let event = event.body;
    assert_eq!((&event["state"], &event["version"]), (&json!("success"), &json!(2)));
    assert_eq!(event["event_type"], "service-event");
    assert_eq!(event["created_at"], "2026-11-18T11:06:41.000Z");
    assert_ne!(event["id"], "mine");
    assert_eq!(app.follow(&event, "order").body["order_id"], json!(order));
    let listed = app.get(&path).expect(200).body;
    assert_eq!(listed["events"][1], event);
    let shown = app.get(&format!("/orders/{order}?include_events=service-event")).body;
    assert_eq!((&shown["events"], &shown["updated_at"]), (&json!([event]), &event["created_at"]));
    audit::expect_clean(&app.db);
}

#[test]
fn the_order_s_state_is_derived_from_all_services() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let step = |service: &str, state: &str| {
        say(&app, &order, json!({"service": service, "service_status": "s", "state": state}));
        self::state(&app, &order)
    };
    assert_eq!(step("kitchen", "pending"), "pending");
    assert_eq!(step("courier", "success"), "pending");
    assert_eq!(step("kitchen", "success"), "success");
    assert_eq!(step("courier", "pending"), "pending");
    assert_eq!(step("courier", "error"), "failure");
    assert_eq!(step("courier", "success"), "failure");
}

#[test]
fn a_step_can_be_added_in_every_status_and_does_not_prevent_a_capture() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let step = json!({"service": "s", "service_status": "t", "state": null});
    say(&app, &order, step.clone());
    let capture = json!({"items": [{"line_id": 1, "amount": 40}]});
    app.post(&format!("/orders/{order}/captures"), capture).expect(200);
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);
    say(&app, &order, step.clone());
    let cancelled = app.simple_order(&[100]);
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    say(&app, &cancelled, step);
    let shown = app.get(&format!("/orders/{order}?include_events=true")).body;
    assert_eq!(shown["captured_amount"], 40);
    assert_eq!(shown["events"].as_array().unwrap().len(), 5);
    audit::expect_clean(&app.db);
}

#[test]
fn an_invalid_step_leaves_nothing() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let path = format!("/orders/{order}/events");
    let before = app.snapshot();
    let refused = |body: Value| app.post(&path, body).expect(400).problems();
    assert_eq!(refused(json!({})), "/service required\n/service_status required");
    let wrong = json!({"service": 1, "service_status": "s", "state": "fine", "metadata": [1]});
    assert_eq!(refused(wrong), "/metadata wrong_type\n/service wrong_type\n/state bad_value");
    assert_eq!(refused(json!({"service": "", "service_status": "s"})), "/service bad_value");
    assert_eq!(refused(json!([1])).lines().next(), Some(" wrong_type"));
    let step = json!({"service": "s", "service_status": "t"});
    app.post("/orders/nowhere/events", step).expect(404);
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_step_sent_twice_under_a_key_is_one() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let path = format!("/orders/{order}/events");
    let step = json!({"service": "s", "service_status": "t"});
    let first = app.post_once("k", &path, step.clone()).expect(200);
    let before = app.snapshot();
    let again = app.post_once("k", &path, step).expect(200);
    assert_eq!(
        (first.text, again.header("idempotency-replayed")),
        (again.text.clone(), Some("true"))
    );
    assert_eq!(app.snapshot(), before);
}
