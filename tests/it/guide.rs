//! The public guides' bodies, unchanged: draft, complete, authorize, capture, refund, and replacing
//! an item with one that costs the same, less or more.

use serde_json::{Value, json};

use super::audit::{expect_balanced, expect_clean};
use super::harness::App;

const DRAFT: &str = r#"{"options": {"generate_order_id": "ALPHANUMERIC_9"},
 "order": {"currency": "NOK", "items": [
   {"id": "175938", "line_id": 1, "quantity": 2, "gross_amount": 39800,
    "tax_lines": [{"amount": 7960, "percentage": 25}],
    "description": "Stablestol for utendørsbruk", "description_alias": "Stablestol"}]}}"#;

const OPERATION: &str = r#"{"items":[{"amount":39800,"line_id":1}],"payment_details":{"payment_id":"PID_123"},"success":true}"#;

#[test]
fn the_guide_s_requests_lead_from_a_draft_to_a_refunded_order() {
    let app = App::start();
    let draft = app.shopping("POST", "/draft_orders", &[], Some(DRAFT)).expect(200).body;
    let complete = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let order =
        app.shopping("PUT", &complete, &[], Some("{}")).expect(200).body["orders"][0].clone();
    let id = order["order_id"].as_str().unwrap();
    assert_eq!(id.len(), 9);
    assert_eq!(order["net_amount"], 31840);
    let status = |expected: &str| {
        let order = app.get(&format!("/orders/{id}")).expect(200).body;
        assert_eq!(order["payment_status"], expected);
        order
    };
    status("pending");
    for (kind, after) in
        [("authorizations", "pending"), ("captures", "paid"), ("refunds", "refunded")]
    {
        let path = format!("/orders/{id}/{kind}");
        let made = app.shopping("POST", &path, &[], Some(OPERATION)).expect(200).body;
        let sent: Value = serde_json::from_str(OPERATION).unwrap();
        for (key, value) in sent.as_object().unwrap() {
            assert_eq!(&made[key], value);
        }
        assert_eq!(made["amount"], 39800);
        let order = status(after);
        assert_eq!(order[kind], json!([made]));
        assert_eq!(app.get(&path).expect(200).body[kind], json!([made]));
    }
}

/// The order that the guide begins with: its one line is authorized and captured.
fn captured_order(app: &App) -> String {
    let draft = app.shopping("POST", "/draft_orders", &[], Some(DRAFT)).expect(200).body;
    let complete = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let done = app.put(&complete, json!({})).expect(200).body;
    let id = done["orders"][0]["order_id"].as_str().unwrap().to_owned();
    for kind in ["authorizations", "captures"] {
        let path = format!("/orders/{id}/{kind}");
        app.shopping("POST", &path, &[], Some(OPERATION)).expect(200);
    }
    id
}

/// Completes the guide's draft, which reverses line 1 and adds line 3 at this price and any further
/// lines. Returns the changed order.
fn replace_item(app: &App, id: &str, price: i64, more: &[Value]) -> Value {
    let mut items = vec![
        json!({"id": "175938", "line_id": 2, "quantity": 2, "gross_amount": -39800,
            "tax_lines": [{"amount": -7960, "percentage": 25}],
            "description": "Stablestol for utendørsbruk", "description_alias": "Stablestol",
            "reversed_reason": "Replace item",
            "related_item": {"line_id": 1, "type": "reversed"}}),
        json!({"id": "003929", "line_id": 3, "quantity": 1, "gross_amount": price,
            "tax_lines": [{"amount": price / 5, "percentage": 25}]}),
    ];
    items.extend_from_slice(more);
    let draft = app.draft(json!({"currency": "NOK", "items": items}), json!({"order_id": id}));
    let done = app.put(&format!("{draft}/complete"), json!({})).expect(200).body;
    assert_eq!(done["orders"].as_array().unwrap().len(), 1);
    let order = done["orders"][0].clone();
    assert_eq!(order["order_id"], id);
    for (at, sent) in items.iter().enumerate() {
        for (key, value) in sent.as_object().unwrap() {
            assert_eq!(&order["items"][at + 1][key], value);
        }
    }
    order
}

/// Records amounts on lines, authorized and then captured.
fn authorize_and_capture(app: &App, id: &str, amounts: &[(i64, i64)]) {
    for kind in ["authorizations", "captures"] {
        record(app, id, kind, amounts);
    }
}

fn record(app: &App, id: &str, kind: &str, amounts: &[(i64, i64)]) {
    let item = |(line, amount): &(i64, i64)| json!({"line_id": line, "amount": amount});
    let items: Vec<Value> = amounts.iter().map(item).collect();
    let body = json!({"items": items, "payment_details": {"payment_id": "PID_123"}});
    let made = app.post(&format!("/orders/{id}/{kind}"), body).expect(200).body;
    assert_eq!(made["amount"], amounts.iter().map(|(_, amount)| amount).sum::<i64>());
}

/// The order's sums (payable, authorized, captured, refunded, remaining) and its status.
#[track_caller]
fn expect(app: &App, id: &str, sums: [i64; 5], status: &str) {
    let order = app.get(&format!("/orders/{id}")).expect(200).body;
    let names = [
        "payable_amount",
        "authorized_amount",
        "captured_amount",
        "refunded_amount",
        "remaining_amount",
    ];
    assert_eq!(names.map(|name| order[name].as_i64().unwrap()), sums);
    assert_eq!(order["payment_status"], status);
    expect_balanced(&order);
    expect_clean(&app.db);
    let report = tillbook::store::verify::verify(&app.db, |_, _| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[test]
fn an_item_is_replaced_by_another_of_its_price() {
    let app = App::start();
    let id = captured_order(&app);
    expect(&app, &id, [39800, 39800, 39800, 0, 0], "paid");
    let order = replace_item(&app, &id, 39800, &[]);
    assert_eq!((&order["net_amount"], &order["status"]), (&json!(31840), &json!("open")));
    expect(&app, &id, [39800, 39800, 39800, 0, 0], "paid");
    authorize_and_capture(&app, &id, &[(2, -39800), (3, 39800)]);
    expect(&app, &id, [39800, 39800, 39800, 0, 0], "paid");
    // Nothing is left on any line, and a reversed line cannot be reversed again.
    for (line, amount) in [(2, -1), (3, 1)] {
        let items = json!({"items": [{"line_id": line, "amount": amount}]});
        let refused = app.post(&format!("/orders/{id}/captures"), items).expect(409);
        assert_eq!(refused.code(), "amount_exceeds_remaining");
    }
    let wrong = json!({"items": [{"line_id": 2, "amount": 39800}]});
    let refused = app.post(&format!("/orders/{id}/authorizations"), wrong).expect(400);
    assert_eq!(refused.problems(), "/items/0/amount wrong_sign");
}

#[test]
fn an_item_is_replaced_by_a_cheaper_one_and_the_difference_is_refunded_on_a_line() {
    let app = App::start();
    let id = captured_order(&app);
    let difference = json!({"id": "refund", "line_id": 4, "gross_amount": 9800});
    replace_item(&app, &id, 30000, &[difference]);
    expect(&app, &id, [39800, 39800, 39800, 0, 0], "paid");
    authorize_and_capture(&app, &id, &[(2, -39800), (3, 30000), (4, 9800)]);
    expect(&app, &id, [39800, 39800, 39800, 0, 0], "paid");
    record(&app, &id, "refunds", &[(4, 9800)]);
    expect(&app, &id, [39800, 39800, 39800, 9800, 0], "partially_refunded");
}

#[test]
fn an_item_is_replaced_by_a_dearer_one_and_the_difference_is_charged() {
    let app = App::start();
    let id = captured_order(&app);
    replace_item(&app, &id, 50000, &[]);
    expect(&app, &id, [50000, 39800, 39800, 0, 10200], "partially_paid");
    authorize_and_capture(&app, &id, &[(2, -39800), (3, 39800)]);
    expect(&app, &id, [50000, 39800, 39800, 0, 0], "partially_paid");
    // A second authorization, on the new line, for the amount that the first one lacked.
    authorize_and_capture(&app, &id, &[(3, 10200)]);
    expect(&app, &id, [50000, 50000, 50000, 0, 0], "paid");
}
