//! Changing the descriptive fields of an order.

use serde_json::{Value, json};

use super::audit;
use super::harness::App;

fn chairs(app: &App) -> String {
    let order = json!({"currency": "NOK", "comment": "old", "metadata": {"a": 1},
        "customer": {"id": "7", "email": "kari@example.no", "first_name": "Kari"},
        "itinerary": [{"travel_mode": "train", "arrival_address": {"name": "Oslo S"}}],
        "items": [
            {"id": "chair", "line_id": 1, "quantity": 1.50, "gross_amount": 39_800,
             "discount_lines": [{"amount": 800, "discount_type": "manual"}, {"amount": 100}]},
            {"id": "table", "line_id": 2, "gross_amount": 50_000, "status": "new"}]});
    app.order(order, json!({"split_draft": false, "order_time_to_live": 60}))
}

fn put(app: &App, order: &str, body: Value) -> Value {
    app.put(&format!("/orders/{order}"), body).expect(200).body
}

fn orders_found(app: &App, query: &str) -> usize {
    app.get(&format!("/orders?{query}")).expect(200).body["orders"].as_array().unwrap().len()
}

#[test]
fn the_fields_sent_change_and_nothing_else_does() {
    let app = App::start();
    let order = chairs(&app);
    let before = app.get(&format!("/orders/{order}")).body;
    app.pass(1_000);
    let change = json!({
        "external_ids": [{"id": "42"}], "external_links": [{"href": "https://e"}],
        "itinerary": [{"id": "leg", "line_ids": [1], "operator": "Vy", "travel_mode": "CUSTOM",
            "route_id": "r", "vehicle_id": "v", "x": 1,
            "departure_address": {"id": "BGO", "name": "Bergen", "external_ids": ["b"]}}],
        "courier_id": "bring", "delivery_id": "703", "pickup_at": "2026-12-01T10:00:00+01:00",
        "delivery_at": "2026-12-02T10:00:00Z", "comment": "new", "metadata": {"b": [null]},
        "customer": {"email": "ola@example.no"}, "shipping_address": {"first_name": "Ola"},
        "billing_address": {"first_name": "Per"}, "attachments": [{"id": "a", "line_ids": [1]}],
        "attachment": {"car": {"plate": "EK 12345"}}, "x_unknown": {"kept": true},
        "options": {"order_time_to_live": 3600, "x_option": 1},
    });
    let after = put(&app, &order, change.clone());
    for (key, value) in change.as_object().unwrap().iter().filter(|(key, _)| *key != "options") {
        assert_eq!(&after[key], value, "{key}");
    }
    assert_eq!(
        after["options"],
        json!({"split_draft": false, "order_time_to_live": 3600, "x_option": 1})
    );
    assert_eq!(after["updated_at"], "2026-11-18T11:06:41.000Z");
    for key in ["items", "currency", "payable_amount", "status", "created_at", "order_id"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(app.get(&format!("/orders/{order}")).body, after);
    let more = put(&app, &order, json!({"comment": null, "courier_id": "post"}));
    assert_eq!((&more["comment"], &more["courier_id"]), (&json!("new"), &json!("post")));
    audit::expect_clean(&app.db);
}

#[test]
fn items_are_changed_by_line_id_and_keep_their_amounts() {
    let app = App::start();
    let order = chairs(&app);
    let changed = json!({"line_id": 1, "status": "packed", "external_id": "e", "comment": "c",
        "metadata": {"m": 1}, "attachment": {"bus": 1}, "original_currency": "SEK",
        "original_gross_amount": 41_000, "conversion_rate_ppm": 970_000,
        "conversion_rate_timestamp": "2026-11-01T00:00:00Z", "conversion_rate_source": "ecb",
        "x": [1], "discount_lines": [
            {"amount": 800, "discount_type": "manual", "discount_subtype": "haggle", "x": 1},
            {"amount": 100}]});
    let before = app.get(&format!("/orders/{order}")).body;
    let after = put(&app, &order, json!({"items": [changed]}));
    for (key, value) in changed.as_object().unwrap() {
        assert_eq!(&after["items"][0][key], value, "{key}");
    }
    assert_eq!(after["items"][1], before["items"][1]);
    for key in ["gross_amount", "quantity", "remaining_amount", "id"] {
        assert_eq!(after["items"][0][key], before["items"][0][key], "{key}");
    }
    assert_eq!(after["payable_amount"], before["payable_amount"]);
    audit::expect_clean(&app.db);
}

#[test]
fn an_order_that_was_read_can_be_sent_back() {
    let app = App::start();
    let order = chairs(&app);
    let operation = json!({"items": [{"line_id": 1, "amount": 100}]});
    app.post(&format!("/orders/{order}/captures"), operation).expect(200);
    app.post(&format!("/orders/{order}/comments"), json!({"comment": "c"})).expect(200);
    let mut read = app.get(&format!("/orders/{order}?include_events=true")).body;
    let mut same = put(&app, &order, read.clone());
    for of in [&mut read, &mut same] {
        let members = of.as_object_mut().unwrap();
        members.retain(|key, _| !["updated_at", "events", "state"].contains(&key.as_str()));
    }
    assert_eq!(same, read);
    // Another spelling of a number and another order of members make no difference.
    let body = r#"{"items":[{"quantity":1.50,"gross_amount":39800.0,"line_id":1}]}"#;
    app.shopping("PUT", &format!("/orders/{order}"), &[], Some(body)).expect(200);
    assert!(app.get(&format!("/orders/{order}")).text.contains("\"quantity\":1.5,"));
}

#[test]
fn an_order_is_found_by_its_current_text() {
    let app = App::start();
    let order = chairs(&app);
    let change = json!({
        "customer": {"id": "8", "email": "ola@example.no"},
        "itinerary": [{"travel_mode": "CUSTOM", "departure_address": {"id": "BGO"}}],
    });
    put(&app, &order, change);
    let table = [
        ("search=kari", 0),
        ("search=ola", 1),
        (&format!("search={order}"), 1),
        ("customer_id=7", 0),
        ("customer_id=8", 1),
        ("itinerary_travel_mode=train", 0),
        ("itinerary_travel_mode=CUSTOM", 1),
        ("itinerary_departure_address=BGO", 1),
        ("itinerary_arrival_address=Oslo S", 0),
        ("items_discount_lines_discount_type=manual", 1),
    ];
    for (query, count) in table {
        assert_eq!(orders_found(&app, &query.replace(' ', "%20")), count, "{query}");
    }
}

#[test]
fn an_order_can_be_changed_in_every_status_and_an_event_records_it() {
    let app = App::start();
    for end in ["open", "close", "cancel"] {
        let order = chairs(&app);
        if end != "open" {
            app.post(&format!("/orders/{order}/{end}"), json!({})).expect(200);
        }
        let path = format!("/orders/{order}?include_events=api-event");
        let after = app.put(&path, json!({"courier_id": "bring"})).expect(200).body;
        let last = after["events"].as_array().unwrap().last().unwrap();
        assert_eq!(last["request"]["body"], json!({"courier_id": "bring"}), "{end}");
        assert_eq!(last["request"]["method"], "PUT");
        assert_eq!(last.get("draft_id"), None);
    }
    audit::expect_clean(&app.db);
}

#[test]
fn fields_that_cannot_change_are_named_and_nothing_changes() {
    let app = App::start();
    let order = chairs(&app);
    let path = format!("/orders/{order}");
    let table = [
        (
            json!({"currency": "SEK", "order_id": "x", "store": {"id": "s"}, "comment": "c"}),
            "/currency not_changeable\n/order_id not_changeable\n/store not_changeable",
        ),
        (
            json!({"salesperson_id": "7", "type": "web", "discounts": []}),
            "/discounts not_changeable\n/salesperson_id not_changeable\n/type not_changeable",
        ),
        (
            json!({"options": {"split_draft": true, "generate_order_id": "UUID"}}),
            "/options/generate_order_id not_changeable\n/options/split_draft not_changeable",
        ),
        (
            json!({"items": [{"line_id": 1, "gross_amount": 1, "id": "other", "quantity": 2},
                          {"line_id": 3, "status": "x"}]}),
            "/items/0/gross_amount not_changeable\n/items/0/id not_changeable\n\
          /items/0/quantity not_changeable\n/items/1/line_id unknown_line",
        ),
        (
            json!({"items": [{"line_id": 1, "discount_lines": [{"amount": 800}]}]}),
            "/items/0/discount_lines not_changeable",
        ),
        (
            json!({"items": [{"line_id": 1, "discount_lines": [{"amount": 801}, {"amount": 100,
            "discount_type": "manual"}]}]}),
            "/items/0/discount_lines/0/amount not_changeable\n\
          /items/0/discount_lines/1/discount_type not_changeable",
        ),
        (
            json!({"items": [{"line_id": 2, "discount_lines": [{"amount": 1}]}]}),
            "/items/0/discount_lines not_changeable",
        ),
        (json!({"items": [{"status": "x"}]}), "/items/0/line_id required"),
        (json!({"items": [{"line_id": 1}, {"line_id": 1}]}), "/items/1/line_id duplicate_line"),
        (
            json!({"pickup_at": "soon", "customer": 1, "items": [{"line_id": "1", "status": 1}]}),
            "/customer wrong_type\n/pickup_at bad_date_time\n\
          /items/0/line_id wrong_type\n/items/0/status wrong_type",
        ),
        (json!([1]), " wrong_type"),
    ];
    let before = app.snapshot();
    for (body, problems) in table {
        assert_eq!(app.put(&path, body.clone()).expect(400).problems(), problems, "{body}");
    }
    app.put("/orders/nowhere", json!({"comment": "c"})).expect(404);
    assert_eq!(app.snapshot(), before);
}

#[test]
fn several_authorizations_can_be_allowed_until_there_is_an_operation() {
    let app = App::start();
    let order = chairs(&app);
    let allow = |allowed: bool| {
        let body = json!({"options": {"multiple_authorizations": allowed}});
        app.put(&format!("/orders/{order}"), body)
    };
    assert_eq!(allow(true).expect(200).body["options"]["multiple_authorizations"], true);
    allow(false).expect(200);
    let after = allow(true).expect(200).body;
    assert_eq!(after["remaining_amount"], 0, "nothing is captured directly any more");
    let failed = json!({"items": [{"line_id": 1, "amount": 100}], "success": false});
    app.post(&format!("/orders/{order}/authorizations"), failed).expect(200);
    let before = app.snapshot();
    assert_eq!(allow(false).expect(409).code(), "has_payment_operations");
    assert_eq!(app.snapshot(), before);
    allow(true).expect(200);
    let path = format!("/orders/{order}/authorizations");
    let id = &app.get(&path).body["authorizations"][0]["id"];
    let some = json!([{"line_id": 1, "amount": 100}]);
    let authorized = app.post(&path, json!({"items": some})).expect(200).body;
    assert_ne!(&authorized["id"], id);
    let captures = format!("/orders/{order}/captures");
    let missing = app.post(&captures, json!({"items": some})).expect(400);
    assert_eq!(missing.problems(), "/authorization_id required");
    let body = json!({"items": some, "authorization_id": authorized["id"]});
    app.post(&captures, body).expect(200);
    audit::expect_clean(&app.db);
}

#[test]
fn a_change_sent_twice_under_a_key_is_one() {
    let app = App::start();
    let order = chairs(&app);
    let send = || {
        let key = [("idempotency-key", "k")];
        app.shopping("PUT", &format!("/orders/{order}"), &key, Some(r#"{"courier_id":"b"}"#))
    };
    let first = send().expect(200);
    let before = app.snapshot();
    assert_eq!(send().expect(200).text, first.text);
    assert_eq!(app.snapshot(), before);
}

#[test]
fn changes_sent_at_once_are_all_kept_however_long_they_are() {
    let app = App::start();
    let order = chairs(&app);
    let text =
        |nth: usize| format!("{nth}").repeat(if nth.is_multiple_of(2) { 10 } else { 70_000 });
    let change = |nth: usize| json!({format!("x_{nth}"): text(nth)});
    std::thread::scope(|scope| {
        let put = |nth| app.put(&format!("/orders/{order}"), change(nth)).expect(200);
        let sent: Vec<_> = (0..10).map(|nth| scope.spawn(move || put(nth))).collect();
        sent.into_iter().for_each(|one| drop(one.join().unwrap()));
    });
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    for nth in 0..10 {
        assert_eq!(shown[format!("x_{nth}")], text(nth), "{nth}");
    }
    audit::expect_clean(&app.db);
}

#[test]
fn a_long_change_is_recorded_as_it_was_sent_and_once_per_key() {
    let app = App::start();
    let path = format!("/orders/{}", chairs(&app));
    let send = |body: &str| app.shopping("PUT", &path, &[("idempotency-key", "k")], Some(body));
    let long = "ø\\n".repeat(40_000);
    let first = send(&format!(r#"{{"x": "{long}", "y": 1.50}}"#)).expect(200);
    let again = send(&format!(r#"{{"y": 1.50, "x": "{long}"}}"#)).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
    let other = send(&format!(r#"{{"x": "{long}", "y": 1.51}}"#));
    assert_eq!(other.code(), "idempotency_key_reused");
    let whole = app.get(&format!("{path}?include_events=true")).expect(200).body;
    let events = whole["events"].as_array().unwrap();
    let sent: Vec<&Value> =
        events.iter().filter(|event| event["request"]["method"] == "PUT").collect();
    let body = &sent.last().unwrap()["request"]["body"];
    assert_eq!(body["x"].as_str(), Some("ø\n".repeat(40_000).as_str()));
    assert_eq!(first.body["x"], body["x"]);
    let wrong = app.put(&path, json!({"x": long, "items": [{"comment": "a"}]}));
    assert_eq!(wrong.expect(400).problems(), "/items/0/line_id required");
    let broken = app.shopping("PUT", &path, &[], Some(&format!(r#"{{"x": "{long}"#)));
    assert_eq!(broken.expect(400).problems(), " invalid_json");
}
