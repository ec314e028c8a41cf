//! Accepts differences between clients that have no meaning (docs/contract.md, Decision 3).

use serde_json::{Value, json};
use tillbook::http::endpoints;

use super::harness::{ACCOUNT, App};
use super::http_client::{Reply, basic};

const BYTE_ORDER_MARK: &str = "\u{feff}";
const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain");

/// A path of the API, filled with the ids of resources that were made for it.
fn fresh(app: &App, path: &str) -> String {
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1_000}]});
    let draft = app.draft(order.clone(), json!({}));
    let made = app.order(order, json!({}));
    if path.ends_with("/open") {
        app.post(&format!("/orders/{made}/close"), json!({})).expect(200);
    }
    let path = match path.contains("{token}") {
        true => path.replace("{token}", &pay_token(app, &made)),
        false => path.replace("{aid}", ACCOUNT).replace("{line_id}", "1"),
    };
    path.replace("{id}", draft.rsplit('/').next().unwrap()).replace("{order_id}", &made)
}

/// The token of the test page of a new session.
fn pay_token(app: &App, order: &str) -> String {
    let url = json!({"return_url": "https://shop.example/"});
    let body = json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url});
    let session = app.post(&format!("/orders/{order}/sessions"), body).expect(200).body;
    session["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// The status, problems and field names of an answer, which are equal for two resources of the same
/// kind.
fn told(reply: &Reply) -> (u16, String, Vec<String>) {
    let fields = reply.body.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default();
    (reply.status, reply.problems(), fields)
}

#[test]
fn every_route_accepts_every_form_of_an_empty_body() {
    let app = App::start();
    let bearer = format!("Bearer {}", app.token);
    let marked = format!("{BYTE_ORDER_MARK}{{}}");
    let routes = endpoints();
    let written = routes.iter().filter(|route| matches!(route.method.as_str(), "POST" | "PUT"));
    let mut accepted = 0;
    for route in written.filter(|route| !route.path.ends_with("/auth/token")) {
        let send = |headers: &[(&str, &str)], body: Option<&str>| {
            let headers = [&[("authorization", bearer.as_str())], headers].concat();
            app.send(route.method.as_str(), &fresh(&app, &route.path), &headers, body)
        };
        let plain = send(&[JSON], Some("{}"));
        accepted += usize::from(plain.status == 200);
        let at = format!("{} {}", route.method, route.path);
        for (headers, body) in [
            (&[][..], None),
            (&[JSON], None),
            (&[TEXT], None),
            (&[TEXT], Some("")),
            (&[JSON], Some("null")),
            (&[JSON], Some("[]")),
            (&[JSON], Some(&marked)),
            (&[JSON], Some(BYTE_ORDER_MARK)),
            (&[JSON, ("content-encoding", "identity")], Some("{}")),
            (&[JSON, ("content-encoding", "Identity")], Some("{}")),
        ] {
            let reply = send(headers, body);
            assert_eq!(told(&reply), told(&plain), "{at} {headers:?} {body:?}");
        }
        for (headers, body, status) in [
            (&[TEXT][..], "{}", 415),
            (&[TEXT], "null", 415),
            (&[JSON, ("content-encoding", "gzip")], "{}", 415),
            (&[JSON, ("content-encoding", "identity, br")], "{}", 415),
            (&[JSON], "[1]", 400),
            (&[JSON], "[[]]", 400),
        ] {
            let reply = send(headers, Some(body));
            assert_eq!(reply.status, status, "{at} {headers:?} {body}");
        }
    }
    assert!(5 <= accepted, "only {accepted} routes accepted an empty body");
}

#[test]
fn a_token_is_issued_for_every_form_of_an_empty_body() {
    let app = App::start();
    let basic = basic(&app.client);
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    for (kind, body) in [
        ("application/json", "null"),
        ("application/json", "[]"),
        ("application/json", "\u{feff}{}"),
        ("text/plain", ""),
        ("application/x-www-form-urlencoded", ""),
    ] {
        let headers = [("authorization", &*basic), ("content-type", kind)];
        app.send("POST", &path, &headers, Some(body)).expect(200);
    }
}

#[test]
fn an_empty_array_is_an_empty_object_wherever_one_belongs() {
    let app = App::start();
    let item = json!({"id": "a", "line_id": 1, "gross_amount": 1_000, "metadata": {},
        "dimension": {}, "related_item": {}});
    let customer = json!({"id": "kari", "company": {}, "metadata": {}, "term": {},
        "enrolled_by": {}, "marketing_consent": {"sms": {}}, "addresses": [{}]});
    let order = json!({"currency": "NOK", "items": [item], "customer": customer,
        "shipping_address": {}, "billing_address": {}, "payment_details": {}, "metadata": {},
        "itinerary": [{"arrival_address": {}}]});
    let draft = json!({"order": order, "options": {}});
    let as_php_writes_it = |body: &Value| body.to_string().replace("{}", "[]");
    let made = |text: &str| {
        let draft = app.shopping("POST", "/draft_orders", &[], Some(text)).expect(200).body;
        let path = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
        let order = app.put(&path, json!({})).expect(200).body["orders"][0].clone();
        (draft["order"].clone(), order)
    };
    let (plain_draft, plain) = made(&draft.to_string());
    let (php_draft, php) = made(&as_php_writes_it(&draft));
    assert_eq!(php_draft, plain_draft);
    for field in ["customer", "items", "metadata", "shipping_address", "payment_details"] {
        assert_eq!(php[field], plain[field], "{field}");
    }

    let capture = json!({"items": [{"line_id": 1, "amount": 1}], "metadata": {},
        "payment_details": {"card": {"metadata": {}}}});
    let captures = |order: &Value| format!("/orders/{}/captures", order["id"].as_str().unwrap());
    let captured = |order: &Value, text: &str| {
        app.shopping("POST", &captures(order), &[], Some(text)).expect(200).body
    };
    let with_object = captured(&plain, &capture.to_string());
    let with_list = captured(&php, &as_php_writes_it(&capture));
    for field in ["metadata", "payment_details", "items"] {
        assert_eq!(with_list[field], with_object[field], "{field}");
    }
    let wrong = capture.to_string().replace("{}", "[0]");
    let refused = app.shopping("POST", &captures(&php), &[], Some(&wrong)).expect(400);
    let expected = "/metadata wrong_type\n/payment_details/card/metadata wrong_type";
    assert_eq!(refused.problems(), expected);
}
