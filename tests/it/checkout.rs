//! The test page on which a payer answers a session (docs/contract.md, Decision 11).

use serde_json::{Value, json};

use super::audit;
use super::harness::App;
use super::headers::assert_headers;
use super::http_client::Reply;
use super::order_sessions::{page_of, request, shown, start};

/// Presses a button, as a browser does.
fn press(app: &App, session: &Value, outcome: &str) -> Reply {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("outcome={outcome}");
    app.send("POST", &page_of(session), &form, Some(&body))
}

fn open(app: &App, session: &Value) -> Reply {
    app.send("GET", &page_of(session), &[], None).expect(200)
}

#[test]
fn the_page_shows_the_shop_and_the_lines_and_nothing_about_the_customer() {
    let app = App::start();
    let items = json!([
        {"id": "a", "gross_amount": 65_800, "description": "Kaffe <b>Lillehammer</b>",
            "quantity": 2, "tax_lines": [{"amount": 13_160, "percentage": 25}], "comment": "rosa"},
        {"id": "b", "gross_amount": 10_000},
    ]);
    let customer = json!({"first_name": "Kari", "last_name": "Nordmann", "email": "k@example.no",
        "phone_number": "+4790000000"});
    let order = app.order(
        json!({"currency": "NOK", "items": items, "customer": customer,
            "shipping_address": {"address_line": "Storgata 1"}, "comment": "ring først"}),
        json!({}),
    );
    let sent = request(json!([{"line_id": 1}, {"line_id": 2, "amount": 4_000}]));
    let session = app.post(&format!("/orders/{order}/sessions"), sent).expect(200).body;
    let page = open(&app, &session);
    for expected in [
        "Test payment: no money moves",
        "Butikken på hjørnet",
        "698.00 <small>NOK</small>",
        "Kaffe &#60;b&#62;Lillehammer&#60;/b&#62;",
        "Quantity 2",
        "part of 100.00",
        "value=\"approve\"",
        "value=\"capture\"",
        "value=\"decline\"",
        "value=\"hold\"",
        "value=\"cancel\"",
        "<meta name=\"robots\" content=\"noindex, nofollow\">",
    ] {
        assert!(page.text.contains(expected), "{expected} is missing: {}", page.text);
    }
    for private in ["Kari", "Nordmann", "k@example.no", "+479", "Storgata", "ring", "rosa"] {
        assert!(!page.text.contains(private), "{private} is on the page");
    }
    for forbidden in ["<script", "type=\"text\"", "type=\"password\"", "card"] {
        let text = page.text.replace("asks for no card", "");
        assert!(!text.contains(forbidden), "{forbidden} is on the page");
    }
    assert_headers("GET /pay/…", &page);
    assert_eq!(page.header("x-robots-tag"), Some("noindex, nofollow"));
    assert!(page.header("set-cookie").is_none());
}

#[test]
fn a_button_leads_back_to_the_shop_and_a_second_press_shows_what_was_recorded() {
    let app = App::start();
    for (outcome, query, told) in [
        ("approve", "transaction_id=", "This payment of 1.00\u{a0}NOK was approved on 18 Nov 2026"),
        ("capture", "transaction_id=", "This payment of 1.00\u{a0}NOK was approved on 18 Nov 2026"),
        ("decline", "error=authorization", "This payment was declined on 18 Nov 2026"),
        ("cancel", "error=cancelled", "This payment was cancelled on 18 Nov 2026"),
    ] {
        let order = app.simple_order(&[100]);
        let session = start(&app, &order);
        let first = press(&app, &session, outcome).expect(303);
        let back = first.header("location").unwrap();
        let begin = format!("https://shop.example/thanks?cart=7&{query}");
        assert!(back.starts_with(&begin) && back.ends_with("#end"), "{back}");
        assert_eq!(first.header("referrer-policy"), Some("no-referrer"));
        let before = app.snapshot();
        for again in ["approve", "capture", "decline", "hold", "cancel"] {
            let page = press(&app, &session, again).expect(200);
            assert!(page.text.contains(told), "{again} after {outcome}: {}", page.text);
            let link = format!("href=\"{}\"", back.replace('&', "&#38;"));
            assert!(page.text.contains(&link), "no way back: {}", page.text);
            assert!(!page.text.contains("<form"), "an ended session has buttons");
        }
        assert_eq!(app.snapshot(), before);
    }
    audit::expect_clean(&app.db);
}

#[test]
fn a_payer_who_comes_second_is_told_what_has_happened() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let (first, second) = (start(&app, &order), start(&app, &order));
    press(&app, &first, "hold").expect(303);
    assert!(open(&app, &first).text.contains("This payment is on hold."));
    press(&app, &first, "approve").expect(303);
    let told = "Another payment of this order was made on 18 Nov 2026 12:06, over 1.00\u{a0}NOK.";
    let before = app.snapshot();
    for page in [open(&app, &second), press(&app, &second, "approve").expect(409)] {
        assert!(page.text.contains(told), "{}", page.text);
        assert!(!page.text.contains("value=\"approve\""));
        assert!(page.text.contains("value=\"cancel\""));
    }
    assert_eq!(app.snapshot(), before);
    press(&app, &second, "cancel").expect(303);
    assert_eq!(shown(&app, &order, &second)["status"], "cancelled");
    let closed = app.simple_order(&[100]);
    let session = start(&app, &closed);
    app.post(&format!("/orders/{closed}/close"), json!({})).expect(200);
    let page = press(&app, &session, "approve").expect(409);
    assert!(page.text.contains("The shop has closed this order"), "{}", page.text);
}

#[test]
fn a_wrong_form_or_token_changes_nothing() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let session = start(&app, &order);
    let before = app.snapshot();
    for outcome in ["", "pay", "approve%00"] {
        let page = press(&app, &session, outcome).expect(400);
        assert!(page.text.contains("Choose one of the buttons."), "{}", page.text);
    }
    press(&app, &session, &"a".repeat(1 << 10)).expect(413);
    for token in ["x", &"A".repeat(22), "%00", "%FF"] {
        let path = format!("/pay/{token}");
        let page = app.send("GET", &path, &[], None).expect(404);
        assert!(page.text.contains("This payment link is not valid."), "{}", page.text);
        app.send("POST", &path, &[], Some("outcome=approve")).expect(404);
        let body = json!({"outcome": "approve"}).to_string();
        app.send("POST", &format!("{path}/outcome"), &[], Some(&body)).expect(404);
    }
    let script = format!("{}/outcome", page_of(&session));
    for (body, status) in [("{}", 400), ("{\"outcome\":\"pay\"}", 400), ("[1]", 400), ("{", 400)] {
        app.send("POST", &script, &[], Some(body)).expect(status);
    }
    app.send("POST", &script, &[("content-type", "text/plain")], Some("{}")).expect(415);
    // The secret is checked before the body.
    app.send("POST", "/pay/x/outcome", &[], Some("{")).expect(404);
    assert_eq!(app.send("DELETE", &script, &[], None).expect(405).header("allow"), Some("POST"));
    assert_eq!(app.snapshot(), before);
}

#[test]
fn the_demo_s_return_page_exists_only_in_a_demo() {
    let app = App::start();
    app.send("GET", "/demo/return?a=b", &[], None).expect(404);
    audit::tamper(&app.db, "update book set demo_seed = 1").unwrap();
    let page = app.send("GET", "/demo/return?error=%3Cb%3E&x=y", &[], None).expect(200);
    assert!(page.text.contains("<code>&#60;b&#62;</code>"), "{}", page.text);
    let none = app.send("GET", "/demo/return", &[], None).expect(200);
    assert!(none.text.contains("has no parameters"), "{}", none.text);
}
