//! The public guide's own bodies, word for word: draft, complete, authorize, capture, refund.

use serde_json::{Value, json};

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
