//! The print page of an order.

use serde_json::json;
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::office::{get, visitor, words};

fn order(app: &App) -> String {
    let order = json!({
        "currency": "NOK", "comment": "Ring på hos naboen",
        "customer": {"first_name": "Kåre", "last_name": "Ødegård", "email": "k@example.no"},
        "shipping_address": {"first_name": "Åse", "address_line": "Bjørkelia 4",
            "postal_code": "0875", "postal_place": "Oslo"},
        "items": [
            {"id": "175938", "description": "Stablestol", "quantity": 2, "gross_amount": 100_000,
             "discount_lines": [{"amount": 10_000}], "comment": "blå",
             "tax_lines": [{"amount": 18_000, "percentage": 25}]},
            {"id": "190010", "description": "Kaffe", "quantity": 1, "gross_amount": 23_000,
             "tax_lines": [{"amount": 3_000, "percentage": 15}]},
            {"id": "frakt", "gross_amount": 12_500,
             "tax_lines": [{"amount": 2_500, "percentage": 25.00}]},
            {"id": "retur", "description": "Returnert stol", "gross_amount": -5_000,
             "tax_lines": [{"amount": -1_000, "percentage": 25.0}]},
        ],
    });
    app.order(order, json!({}))
}

#[test]
fn a_packing_slip_has_the_items_and_the_address_and_no_money() {
    let app = App::start();
    let packer = visitor(&app, Role::Packer, ACCOUNT);
    let order = order(&app);
    let path = format!("/orders/{order}/packing-slip");
    let slip = words(&get(&app, &packer, &path).expect(200));
    let head = format!(
        "Butikken på hjørnet Packing slip Order {order} Date 18 Nov 2026 12:06 \
         Ship to Åse Bjørkelia 4 0875 Oslo The customer says Ring på hos naboen"
    );
    for expected in [
        head.as_str(),
        "Packed Quantity Description Item 2 Stablestol blå 175938 1 Kaffe 190010 frakt frakt",
        "frakt 1 line that gives money back is left out.",
    ] {
        assert!(slip.contains(expected), "{expected} in {slip}");
    }
    for absent in ["NOK", "000.00", "900.00", "Returnert", "Do not send", "k@example.no"] {
        assert!(!slip.contains(absent), "{absent} in {slip}");
    }
    app.post(&format!("/orders/{order}/cancel"), json!({})).expect(200);
    let slip = words(&get(&app, &packer, &path).expect(200));
    assert!(slip.contains("This order is cancelled. Do not send it."), "{slip}");
    let plain = app.order(
        json!({"currency": "NOK", "customer": {"first_name": "Kåre"},
               "items": [{"id": "a", "gross_amount": 1}]}),
        json!({}),
    );
    let slip = words(&get(&app, &packer, &format!("/orders/{plain}/packing-slip")).expect(200));
    assert!(slip.contains("Ship to Kåre To pack"), "{slip}");
}

#[test]
fn a_receipt_has_the_items_their_tax_and_the_payments_with_dates() {
    let app = App::start();
    let viewer = visitor(&app, Role::Viewer, ACCOUNT);
    let order = order(&app);
    let record = |kind: &str, body| {
        app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
    };
    record("authorizations", json!({"items": [{"line_id": 1, "amount": 90_000}]}));
    record(
        "captures",
        json!({"items": [{"line_id": 1, "amount": 80_000}],
               "processed_at": "2026-11-20T23:30:00Z"}),
    );
    record("captures", json!({"items": [{"line_id": 1, "amount": 1}], "success": false}));
    record("captures", json!({"items": [{"line_id": 4, "amount": -5_000}]}));
    record("refunds", json!({"items": [{"line_id": 1, "amount": 10_000}]}));
    record("cancellations", json!({"items": [{"line_id": 1, "amount": 10_000}]}));
    let receipt = words(&get(&app, &viewer, &format!("/orders/{order}/receipt")).expect(200));
    for expected in [
        "Customer Kåre Ødegård k@example.no Goes to Åse",
        "Description Quantity Price Discount To pay Stablestol 2 1 000.00 -100.00 900.00 \
         Kaffe 1 230.00 230.00 frakt 125.00 125.00 \
         Returnert stol give back 50.00 give back 50.00 \
         Total 1 205.00 NOK of which tax 15 % 30.00 NOK of which tax 25 % 195.00 NOK \
         Captured 750.00 NOK Refunded 100.00 NOK No longer to pay 100.00 NOK \
         Remains to pay 355.00 NOK",
        "Date What Amount 21 Nov 2026 00:30 Capture 800.00 NOK \
         18 Nov 2026 12:06 Capture give back 50.00 NOK 18 Nov 2026 12:06 Refund 100.00 NOK",
    ] {
        assert!(receipt.contains(expected), "{expected} in {receipt}");
    }
    assert!(!receipt.contains("0.01"), "a failed operation is not a payment");
    let cancelled = app.simple_order(&[1_000]);
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    let receipt = words(&get(&app, &viewer, &format!("/orders/{cancelled}/receipt")).expect(200));
    assert!(
        receipt.contains("Captured 0.00 NOK No longer to pay 10.00 NOK Remains to pay 0.00 NOK")
    );
    assert!(!receipt.contains("Discount") && !receipt.contains("Payments"), "{receipt}");
}
