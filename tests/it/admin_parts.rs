//! The form of an operation: parts by quantity that add up, and captures of more than is reserved.

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::admin_operations::{Fields, Office};
use super::harness::{ACCOUNT, App};
use super::office::{form_fields, get, send_form, visitor, words};

/// Records one line of a form after its review; the page that it leads to.
fn record(app: &App, cookie: &str, path: &str, typed: &[(&str, &str)]) -> String {
    let to_key = get(app, cookie, path).expect(303);
    let at = to_key.header("location").unwrap();
    let mut page = app.send("GET", at, &[("cookie", cookie)], None).expect(200);
    for button in ["review", "record"] {
        let mut fields = form_fields(&page);
        fields.retain(|(name, _)| {
            let is_box = name.starts_with("amount-") || name.starts_with("quantity-");
            !is_box && !typed.iter().any(|(typed, _)| typed == name)
        });
        fields.extend(typed.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        fields.push(("button".to_owned(), button.to_owned()));
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        page = send_form(app, cookie, path, &fields);
    }
    let done = page.clone().expect(303).header("location").unwrap().to_owned();
    words(&app.send("GET", &done, &[("cookie", cookie)], None).expect(200))
}

fn amounts(app: &App, order: &str, kind: &str) -> Vec<i64> {
    let order: Value = app.get(&format!("/orders/{order}")).expect(200).body;
    let operations = order[kind].as_array().unwrap().iter();
    operations.map(|operation| operation["amount"].as_i64().unwrap()).collect()
}

#[test]
fn parts_by_quantity_add_up_for_every_kind_of_operation() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    for (currency, gross, quantity, parts, expected) in [
        ("NOK", 5, 4, vec!["1", "1", "1", "1"], vec![1, 1, 1, 2]),
        ("JPY", 1_500, 1_000, vec!["333", "333", "334"], vec![499, 500, 501]),
        ("NOK", 1, 3, vec!["1", "1", "1"], vec![0, 0, 1]),
        ("NOK", -5, 4, vec!["1", "1", "1", "1"], vec![-1, -1, -1, -2]),
    ] {
        let item = json!({"id": "a", "quantity": quantity, "gross_amount": gross});
        let order = || app.order(json!({"currency": currency, "items": [item]}), json!({}));
        let all = |order: &str, kind: &str| {
            let body = json!({"items": [{"line_id": 1, "amount": gross}]});
            app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
        };
        for (kind, before) in [
            ("captures", vec![]),
            ("captures", vec!["authorizations"]),
            ("authorizations", vec![]),
            ("cancellations", vec!["authorizations"]),
            ("refunds", vec!["captures"]),
        ] {
            let order = order();
            before.iter().for_each(|kind| all(&order, kind));
            for part in &parts {
                record(&app, &cookie, &format!("/orders/{order}/{kind}"), &[("quantity-1", part)]);
            }
            assert_eq!(amounts(&app, &order, kind), expected, "{kind} after {before:?}");
        }
    }
}

#[test]
fn no_more_than_what_is_left_of_a_quantity_is_taken() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let item = json!({"id": "a", "quantity": 5, "gross_amount": 39_800});
    let order = app.order(json!({"currency": "NOK", "items": [item]}), json!({}));
    let path = format!("/orders/{order}/captures");
    record(&app, &cookie, &path, &[("quantity-1", "3")]);
    let to_key = get(&app, &cookie, &path).expect(303);
    let at = to_key.header("location").unwrap();
    let page = app.send("GET", at, &[("cookie", &cookie)], None).expect(200);
    let mut fields = form_fields(&page);
    fields.retain(|(name, _)| !name.starts_with("amount-") && !name.starts_with("quantity-"));
    fields.extend([("quantity-1".to_owned(), "3".to_owned()), ("button".into(), "record".into())]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let refused = words(&send_form(&app, &cookie, &path, &fields).expect(400));
    assert!(refused.contains("Only 2 of the 5 is left."), "{refused}");
}

#[test]
fn captures_beyond_what_is_reserved_in_all_are_recorded_and_told() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let order = app.simple_order(&[10_000, -2_500]);
    for (line, amount) in [(1, 10_000), (2, -2_500)] {
        let body = json!({"items": [{"line_id": line, "amount": amount}]});
        app.post(&format!("/orders/{order}/authorizations"), body).expect(200);
    }
    let path = format!("/orders/{order}/captures");
    let page = |path: &str| words(&get(&app, &cookie, path).expect(200));
    assert!(!page(&format!("/orders/{order}")).contains("more than is reserved"));
    let to_key = get(&app, &cookie, &path).expect(303);
    let at = to_key.header("location").unwrap();
    let form = app.send("GET", at, &[("cookie", &cookie)], None).expect(200);
    assert!(!words(&form).contains("more than is reserved"), "both lines together are reserved");
    let mut fields = form_fields(&form);
    fields.retain(|(name, _)| name != "amount-2");
    fields.push(("button".to_owned(), "review".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let preview = words(&send_form(&app, &cookie, &path, &fields).expect(200));
    let told = "captures come to 25.00 more than is reserved in all.";
    assert!(preview.contains(told), "{preview}");
    let done = record(&app, &cookie, &path, &[("amount-1", "100")]);
    assert!(done.contains(told), "{done}");
    assert_eq!(amounts(&app, &order, "captures"), [10_000]);
    let done = record(&app, &cookie, &path, &[("amount-2", "25")]);
    assert!(!done.contains("more than is reserved"), "{done}");
}

#[test]
fn a_cancelled_order_s_page_shows_what_is_still_reserved() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let order = app.simple_order(&[80_000]);
    let body = json!({"items": [{"line_id": 1, "amount": 80_000}]});
    app.post(&format!("/orders/{order}/authorizations"), body).expect(200);
    app.post(&format!("/orders/{order}/cancel"), json!({})).expect(200);
    let text = words(&get(&app, &cookie, &format!("/orders/{order}")).expect(200));
    for expected in [
        "Cancelled, to release",
        "To release 800.00 NOK",
        "800.00 NOK is still reserved, until its release is recorded.",
        "Release reservation",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let path = format!("/orders/{order}/cancellations");
    let part = record(&app, &cookie, &path, &[("amount-1", "300")]);
    assert!(part.contains("500.00 NOK stays reserved."), "{part}");
    let done = record(&app, &cookie, &path, &[("amount-1", "500")]);
    assert!(done.contains("Left to capture 0.00 NOK") && !done.contains("to release"), "{done}");
}

#[test]
fn both_boxes_may_be_filled_if_they_mean_the_same_amount() {
    for (gross, quantity, amount, expected) in [
        (10_000, "1", "33.33", 3_333),
        (10_000, "1,0", "33,33", 3_333),
        (10_000, "3", "100", 10_000),
        (10_001, "2", "66.67", 6_667),
        (-10_000, "1", "33.33", -3_333),
    ] {
        let app = App::start();
        let item = json!([{"id": "a", "quantity": 3, "gross_amount": gross}]);
        let office = Office::open(&app, item, json!({}));
        let form = Fields::of(&office.form("captures")).set("quantity-1", quantity);
        let form = form.set("amount-1", amount);
        let form = Fields::of(&form.send(&office, "captures", "review").expect(200));
        assert_eq!((form.value("quantity-1"), form.value("amount-1")), (quantity, amount));
        office.follow(&form.send(&office, "captures", "record"));
        let capture = office.order()["captures"][0].clone();
        assert_eq!(capture["amount"], expected, "{quantity} and {amount}");
        assert!(capture["items"][0]["quantity"].is_number(), "{capture}");
    }
}

#[test]
fn a_quantity_that_comes_to_nothing_is_refused() {
    for (currency, gross, quantity, shown) in [
        ("NOK", 10_000, "0.0001", "0.0001 of 3 is 0.00. Enter more of the 3, or an amount."),
        ("NOK", -10_000, "0.0001", "0.0001 of 3 is 0.00. Enter more of the 3, or an amount."),
        ("JPY", 3, "0,25", "0.25 of 3 is 0. Enter more of the 3, or an amount."),
        ("KWD", 3, "0,25", "0.25 of 3 is 0.000. Enter more of the 3, or an amount."),
    ] {
        let app = App::start();
        let item = json!([{"id": "a", "quantity": 3, "gross_amount": gross}]);
        let order = app.order(json!({"currency": currency, "items": item}), json!({}));
        let cookie = visitor(&app, Role::Manager, ACCOUNT);
        let office = Office::at(&app, &cookie, &order);
        for amount in ["", "0"] {
            let form = Fields::of(&office.form("captures")).set("quantity-1", quantity);
            let form = form.set("amount-1", amount);
            for (button, status) in [("review", 200), ("record", 400)] {
                let text = words(&form.send(&office, "captures", button).expect(status));
                assert!(text.contains(shown), "{shown} in {text}");
            }
        }
        assert_eq!(office.captures(), 0);
    }
}
