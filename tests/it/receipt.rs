//! The receipt that an order links to (docs/contract.md, Decision 14).

use serde_json::{Value, json};

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;

/// An order of two lines with tax of two percentages, one of which is written in two ways.
fn order(app: &App) -> String {
    let order = json!({"currency": "NOK", "items": [
        {"id": "175938", "description": "Stablestol \"blå\"", "quantity": 2.50,
         "gross_amount": 100_000, "discount_lines": [{"amount": 10_000}],
         "tax_lines": [{"amount": 18_000, "percentage": 25.0}]},
        {"id": "frakt", "gross_amount": 12_500,
         "tax_lines": [{"amount": 2_400, "percentage": 25}, {"amount": 100, "percentage": 6}]},
    ]});
    app.order(order, json!({}))
}

fn receipt(app: &App, order: &str, accept: Option<&str>) -> Reply {
    let headers: Vec<(&str, &str)> = accept.into_iter().map(|value| ("accept", value)).collect();
    app.shopping("GET", &format!("/orders/{order}/receipt"), &headers, None)
}

fn linked(app: &App, order: &str) -> Option<Value> {
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let links = shown["_links"].as_array().unwrap().clone();
    links.into_iter().find(|link| link["rel"] == "receipt").map(|link| link["href"].clone())
}

#[test]
fn an_order_links_to_its_receipt_from_its_first_successful_capture_on() {
    let app = App::start();
    let order = order(&app);
    let capture = |amount: i64, success: bool| {
        let items = json!([{"line_id": 1, "amount": amount}]);
        let body = json!({"items": items, "success": success});
        app.post(&format!("/orders/{order}/captures"), body).expect(200);
    };
    capture(500, false);
    assert_eq!(linked(&app, &order), None);
    assert_eq!(receipt(&app, &order, None).expect(404).code(), "not_found");
    capture(40_000, true);
    let href = linked(&app, &order).expect("a link");
    assert!(href.as_str().unwrap().ends_with(&format!("/orders/{order}/receipt")), "{href}");
    let refund = json!({"items": [{"line_id": 1, "amount": 1_000}]});
    app.post(&format!("/orders/{order}/refunds"), refund).expect(200);
    let json = receipt(&app, &order, Some("application/json")).expect(200);
    assert_eq!(json.header("content-type"), Some("application/json"));
    let mut body = json.body;
    assert_eq!(body["_links"][0], json!({"rel": "self", "href": href}));
    body.as_object_mut().unwrap().retain(|key, _| key != "_links" && key != "created_at");
    assert_eq!(
        body,
        json!({
            "order_id": order, "currency": "NOK",
            "shop": {"account_id": ACCOUNT, "name": "Butikken på hjørnet"},
            "lines": [
                {"line_id": 1, "id": "175938", "description": "Stablestol \"blå\"",
                 "quantity": 2.5, "gross_amount": 100_000, "discount_amount": 10_000,
                 "amount": 90_000},
                {"line_id": 2, "id": "frakt", "gross_amount": 12_500, "discount_amount": 0,
                 "amount": 12_500},
            ],
            "vat": [{"percentage": 6, "amount": 100}, {"percentage": 25, "amount": 20_400}],
            "amount": 102_500, "captured": 40_000, "refunded": 1_000,
        })
    );
}

#[test]
fn a_receipt_is_a_page_unless_only_json_is_accepted() {
    let app = App::start();
    let order = order(&app);
    let body = json!({"items": [{"line_id": 2, "amount": 12_500}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
    const PAGE: &str = "text/html; charset=utf-8";
    for (accept, expected) in [
        (None, PAGE),
        (Some("*/*"), PAGE),
        (Some("text/html,application/xhtml+xml,application/json;q=0.9"), PAGE),
        (Some("application/json"), "application/json"),
        (Some("Application/JSON; q=1, */*"), "application/json"),
    ] {
        let reply = receipt(&app, &order, accept).expect(200);
        assert_eq!(reply.header("content-type"), Some(expected), "{accept:?}");
        assert_eq!(reply.header("vary"), Some("accept"), "{accept:?}");
        if expected == PAGE {
            assert!(reply.text.contains("Captured") && reply.text.contains("125.00"));
            assert!(!reply.text.contains("/admin/"), "a caller of the API has no page to go to");
        }
    }
}
