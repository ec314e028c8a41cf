//! Nothing that a client sends about an order is lost: one order with every property that the
//! public material names, and more.

use serde_json::{Value, json};

use super::harness::App;

/// Every known property, and unknown `x_…` ones, at every level.
fn order() -> Value {
    let address = json!({
        "first_name": "Åse", "last_name": "Brækhus", "address_line": "Nygårdsgaten 19",
        "address_line_2": "2. etg", "postal_code": "5015", "postal_place": "Bergen",
        "country": "NO", "latitude": 60.39299, "longitude": 5.32415, "comment": "ring på",
        "x_address": ["kept"],
    });
    let place = json!({"id": "BGO", "name": "Bergen", "external_ids": [{"id": "1"}],
        "postal_place": "Bergen"});
    let store = json!({"id": "s1", "name": "Torget", "business_name": "Torget AS",
        "organization_number": "999999999", "chain": "kjede", "address": address,
        "email": "torget@example.no", "phone_number": "+4755555555", "gln": "7080000000000",
        "mcc": "5712", "bax": "123", "terminal_id": "t1", "x_store": 1});
    json!({
        "currency": "NOK",
        "customer": {
            "id": "any format/at all", "first_name": "Åse", "last_name": "Brækhus",
            "email": "aase@example.no", "phone_number": "+4791234502", "gender": "female",
            "date_of_birth": "1980-02-29", "type": "customer", "status": "active",
            "pays_tax": true, "favorite_store": "s1", "addresses": [address],
            "company": {"bussiness_name": "Brækhus AS", "organization_number": "1",
                "department": "d", "industry": "i", "website": "https://example.no",
                "number_of_employees": 3},
            "enrolled_by": {"value": "s1", "type": "store"},
            "marketing_consent": {
                "sms": {"consent": true, "updated_at": "2026-01-01T00:00:00Z"},
                "email": {"consent": false, "updated_at": "2026-01-01T00:00:00+01:00"}},
            "term": {"id": "t"}, "metadata": {"a": null, "b": [1, {"c": 2}]}, "x_customer": {},
        },
        "shipping_address": address, "billing_address": address, "store": store,
        "comment": "gave", "salesperson_id": "7", "salesperson_name": "Jørn",
        "delivery_at": "2026-12-01T10:00:00+01:00", "pickup_at": "2026-12-01T10:00:00.123Z",
        "courier_id": "c", "delivery_id": "d", "pre_order": true, "type": "web",
        "discounts": [{"discount_id": "d1", "amount": 100}],
        "external_ids": [{"source": "erp", "id": "42"}], "external_links": [{"href": "https://e"}],
        "itinerary": [{"id": "leg", "line_ids": [1, 2], "operator": "Vy", "travel_mode": "CUSTOM",
            "route_id": "r", "vehicle_id": "v", "departure_address": place,
            "arrival_address": place, "x_leg": false}],
        "attachments": [{"id": "a", "line_ids": [1], "car": {"plate": "EK 12345"}}],
        "payment_details": {"psp": "Bambora", "payment_id": "p", "payment_product": "bambora",
            "payment_product_type": "bambora.creditcard",
            "card": {"masked_pan": "4444 **** **** 4448", "type": "Credit", "brand": "Visa",
                "metadata": {"k": "v"}, "x_card": 1}, "x_details": 2},
        "metadata": {"deep": {"deeper": [null, true]}},
        "x_order": {"kept": ["as", "it", "was", null]},
        "items": [{
            "id": "175938", "line_id": 1, "description": "Stablestol", "description_alias": "Stol",
            "quantity": 2.5, "unit": "stk", "gross_amount": 59800, "unit_gross_price": 23920,
            "net_amount": 47840, "tax_percent": 25, "cost_price": 100.25,
            "tax_lines": [{"amount": 11960, "percentage": 25, "amount_dwh": "11960.0000",
                "exempt": false, "included_in_price": true, "tax_basis": 47840,
                "tax_basis_dwh": "47840.0", "tax_code": "3", "tax_group": "high", "x_tax": 0}],
            "discount_lines": [{"amount": 800, "percentage": 1.5, "discount_type": "manual",
                "discount_subtype": "haggle", "discount_id": "d", "description": "pruting",
                "line_id": 1, "x_discount": 0}],
            "additions": [{"quantity": 1, "gross_amount": -500, "x_addition": "kept"}],
            "eligible_for_discount": true, "is_changed": false, "barcode": "7038010055720",
            "serial_id": "s", "external_id": "e", "groups": [{"id": "g", "name": "Stoler"}],
            "dimension": {"color": "blå", "size": "M", "style": "s", "config": "c", "variant": "v"},
            "status": "picked", "comment": "c", "salesperson_id": "7", "salesperson_name": "Jørn",
            "store": store, "manual_payout": manual_payout(), "attachment": {"bus": {"seat": "4A"}},
            "metadata": {"m": 1}, "original_currency": "SEK", "original_gross_amount": 62000,
            "conversion_rate_ppm": 964516, "conversion_rate_timestamp": "2026-11-01T00:00:00Z",
            "conversion_rate_source": "ecb", "x_item": {"kept": true},
        }, {
            "id": "175938", "line_id": 2, "quantity": 1, "gross_amount": -59800,
            "reversed_reason": "Replace item", "related_item": {"line_id": 1, "type": "reversed"},
        }],
    })
}

fn manual_payout() -> Value {
    json!({"rule_type": "order.items.store.id", "rule_id": "torget", "x_manual": 1})
}

/// Panics unless everything in `sent` is in `answered`, unchanged.
fn assert_kept(at: &str, sent: &Value, answered: &Value) {
    for (key, value) in sent.as_object().unwrap() {
        if key == "items" {
            let pairs = value.as_array().unwrap().iter().zip(answered[key].as_array().unwrap());
            pairs.for_each(|(sent, answered)| assert_kept("items", sent, answered));
        } else {
            assert_eq!(&answered[key], value, "{key} at {at}");
        }
    }
}

#[test]
fn every_property_comes_back_in_the_draft_the_order_and_the_list() {
    let app = App::start();
    let options = json!({"split_draft": false, "order_time_to_live": 86400,
        "serial_order_number_suffix": "-W", "payout": {"rules": [{
            "rule_type": "order.items.store.id", "rule_id": "torget", "x_rule": 1, "destinations":
            [{"type": "percentage", "value": 100, "destination": "d", "x_entry": 1}]}]},
        "x_option": 1});
    let draft = app.post("/draft_orders", json!({"order": order(), "options": options}));
    let draft = draft.expect(200).body;
    assert_kept("draft", &order(), &draft["order"]);
    assert_eq!(draft["options"], options);
    let id = draft["id"].as_str().unwrap();
    let shown = app.get(&format!("/draft_orders/{id}")).expect(200).body;
    assert_kept("shown draft", &order(), &shown["order"]);
    let done = app.put(&format!("/draft_orders/{id}/complete"), json!({})).expect(200).body;
    let completed = &done["orders"][0];
    assert_kept("order", &order(), completed);
    assert_eq!(completed["options"], options);
    let order_id = completed["order_id"].as_str().unwrap();
    assert_kept("GET", &order(), &app.get(&format!("/orders/{order_id}")).expect(200).body);
    let read = app.get(&format!("/orders/{order_id}")).expect(200).body;
    let same = app.put(&format!("/orders/{order_id}"), read).expect(200).body;
    assert_kept("sent back", &order(), &same);
    assert_eq!(same["options"], options);
    assert_kept("list", &order(), &app.get("/orders").expect(200).body["orders"][0]);
    assert_eq!(
        (&completed["total_discount"], &completed["payable_amount"]),
        (&json!(800), &json!(-800))
    );
    assert_eq!(completed["total_manual_discount_amount"], 800);
}

#[test]
fn numbers_are_returned_digit_by_digit() {
    let app = App::start();
    let exact = "{\"big\":12345678901234567890.10000000000000000001,\"e\":1E+30,\"z\":-0.0,\
                 \"n\":[1.10,null]}";
    let body = format!(
        "{{\"order\":{{\"currency\":\"NOK\",\"metadata\":{exact},\"x\":{exact},\
         \"items\":[{{\"id\":\"a\",\"gross_amount\":100.0,\"quantity\":1.50,\"metadata\":{exact},\
         \"x\":{exact}}}]}}}}"
    );
    let draft = app.shopping("POST", "/draft_orders", &[], Some(&body)).expect(200);
    let id = draft.body["id"].as_str().unwrap();
    let path = format!("/draft_orders/{id}/complete");
    let done = app.shopping("PUT", &path, &[], Some("{}")).expect(200);
    let operation = format!(
        "{{\"items\":[{{\"line_id\":1.0,\"amount\":100.00,\"x\":{exact}}}],\"metadata\":{exact}}}"
    );
    let order_id = done.body["orders"][0]["id"].as_str().unwrap();
    let captures = format!("/orders/{order_id}/captures");
    let capture = app.shopping("POST", &captures, &[], Some(&operation)).expect(200);
    assert!(capture.text.contains("\"line_id\":1,\"amount\":100,"), "{}", capture.text);
    for (reply, times) in [(&draft, 4), (&done, 4), (&capture, 2)] {
        assert_eq!(reply.text.matches(exact).count(), times, "{}", reply.text);
    }
    for text in ["\"quantity\":1.50", "\"gross_amount\":100,"] {
        assert!(done.text.contains(text), "{text} in {}", done.text);
    }
}

#[test]
fn null_means_absent_and_fields_that_the_server_sets_are_ignored() {
    let app = App::start();
    let ours = json!({"id": "mine", "status": "closed", "payment_status": "paid",
        "created_at": "x", "gross_amount": 1, "captured_amount": 5, "authorizations": [1],
        "_links": [], "options": {"a": 1}, "events": [], "paging_token": "p"});
    let mut order = json!({"currency": "NOK", "comment": null, "customer": {"email": null},
        "external_ids": null, "metadata": null,
        "items": [{"id": "a", "gross_amount": 100, "unit": null, "captured_amount": 7,
            "tax_lines": null, "version": 9}]});
    order.as_object_mut().unwrap().extend(ours.as_object().unwrap().clone());
    let id = app.order(order, json!({"split_draft": null}));
    let shown = app.get(&format!("/orders/{id}")).expect(200).body;
    for absent in ["comment", "external_ids", "metadata"] {
        assert_eq!(shown.get(absent), None, "{absent}");
    }
    assert_eq!(shown["customer"], json!({}));
    assert_eq!(shown["items"][0].get("unit"), None);
    assert_eq!(shown["items"][0]["captured_amount"], 0);
    assert_eq!((&shown["status"], &shown["gross_amount"]), (&json!("open"), &json!(100)));
    assert_eq!(shown["options"], json!({}));
}

#[test]
fn an_order_has_the_store_of_its_draft() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]});
    let body = json!({"order": order, "store": {"id": "s1", "name": "Torget"}});
    let draft = app.post("/draft_orders", body).expect(200).body;
    assert_eq!(draft["store"]["name"], "Torget");
    let path = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let done = app.put(&path, json!({})).expect(200).body;
    assert_eq!(done["orders"][0]["store"], json!({"id": "s1", "name": "Torget"}));
}
