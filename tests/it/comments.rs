//! Adding, showing and erasing comments on orders.

use serde_json::{Value, json};

use super::audit;
use super::harness::App;

fn comment(app: &App, order: &str, body: Value) -> Value {
    app.post(&format!("/orders/{order}/comments"), body).expect(200).body
}

#[test]
fn a_comment_is_on_the_order_with_its_author_time_and_other_fields() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let fresh = app.get(&format!("/orders/{order}")).body;
    assert_eq!(fresh["comments"], json!([]));
    app.pass(1_000);
    let path = format!("/orders/{order}/comments?include_events=api-event");
    let body = json!({"comment": "Ring twice", "id": "mine", "x": {"kept": [null]}});
    let said = app.post(&path, body).expect(200).body;
    let id = said["comments"][0]["id"].as_str().unwrap();
    assert_eq!(
        said["comments"],
        json!([{"id": id, "comment": "Ring twice", "created_at": "2026-11-18T11:06:41.000Z",
            "created_by": app.client.client_id, "x": {"kept": [null]}}])
    );
    assert_ne!(id, "mine");
    assert_eq!(said["events"][1]["request"]["body"]["comment"], "Ring twice");
    assert_eq!(said["updated_at"], "2026-11-18T11:06:41.000Z");
    let second = comment(&app, &order, json!({"comment": "She is at home after four."}));
    assert_eq!(second["comments"].as_array().unwrap().len(), 2);
    assert_eq!(second["comments"][0], said["comments"][0]);
    let shown = app.get(&format!("/orders/{order}")).body;
    assert_eq!(shown["comments"], second["comments"]);
    assert_eq!(app.get("/orders").body["orders"][0]["comments"], second["comments"]);
    audit::expect_clean(&app.db);
}

#[test]
fn the_text_of_a_deleted_comment_is_nowhere() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let said = comment(&app, &order, json!({"comment": "Unspeakable words"}));
    comment(&app, &order, json!({"comment": "Kind words"}));
    let path = format!("/orders/{order}/comments/{}", said["comments"][0]["id"].as_str().unwrap());
    let with_events = format!("{path}?include_events=true");
    let after = app.shopping("DELETE", &with_events, &[], None).expect(200).body;
    assert_eq!(after["comments"].as_array().unwrap().len(), 1);
    assert_eq!(after["comments"][0]["comment"], "Kind words");
    let events = after["events"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!(events[1]["request"].get("body"), None, "the request that added it");
    assert_eq!(events[3]["request"]["method"], "DELETE");
    let snapshot = app.snapshot();
    assert!(!snapshot.contains("Unspeakable") && snapshot.contains("Kind words"), "{snapshot}");
    app.shopping("DELETE", &path, &[], None).expect(404);
    assert_eq!(app.snapshot(), snapshot);
    audit::expect_clean(&app.db);
}

#[test]
fn a_comment_can_be_added_in_every_status_and_does_not_prevent_a_capture() {
    let app = App::start();
    for end in ["close", "cancel"] {
        let order = app.simple_order(&[100]);
        comment(&app, &order, json!({"comment": "first"}));
        app.post(&format!("/orders/{order}/{end}"), json!({})).expect(200);
        assert_eq!(
            comment(&app, &order, json!({"comment": "then"}))["comments"][1]["comment"],
            "then"
        );
    }
    let order = app.simple_order(&[100]);
    comment(&app, &order, json!({"comment": "first"}));
    let capture = json!({"items": [{"line_id": 1, "amount": 40}]});
    app.post(&format!("/orders/{order}/captures"), capture).expect(200);
    audit::expect_clean(&app.db);
}

#[test]
fn an_invalid_comment_leaves_nothing() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let another = app.simple_order(&[100]);
    let said = comment(&app, &another, json!({"comment": "of another order"}));
    let theirs = said["comments"][0]["id"].as_str().unwrap();
    let path = format!("/orders/{order}/comments");
    let before = app.snapshot();
    let refused = |body: Value| app.post(&path, body).expect(400).problems();
    assert_eq!(refused(json!({})), "/comment required");
    assert_eq!(refused(json!({"comment": 1})), "/comment wrong_type");
    assert_eq!(refused(json!({"comment": " \n"})), "/comment bad_value");
    let odd = app.post(&format!("{path}?include_events=yes"), json!({"comment": "c"}));
    assert_eq!(odd.expect(400).problems(), "include_events bad_value");
    app.post("/orders/nowhere/comments", json!({"comment": "c"})).expect(404);
    for id in [theirs, "nothing", "%FF"] {
        app.shopping("DELETE", &format!("{path}/{id}"), &[], None).expect(404);
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_comment_sent_twice_under_a_key_is_one() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let path = format!("/orders/{order}/comments");
    let first = app.post_once("k", &path, json!({"comment": "once"})).expect(200);
    let again = app.post_once("k", &path, json!({"comment": "once"})).expect(200);
    assert_eq!(first.text, again.text);
    assert_eq!(app.get(&format!("/orders/{order}")).body["comments"].as_array().unwrap().len(), 1);
}
