//! The pages of the back office: what each role sees, and that stored text is never markup.

use serde_json::{Value, json};
use tillbook::domain::role::Role;
use tillbook::http::pages;
use tillbook::http::server::ServerOptions;

use super::access_objects::{Shop, filled};
use super::harness::{ACCOUNT, App};
use super::http_client::{Reply, send};
use super::office::{FORM, FORM_TOKEN, get, send_form, visitor, words};

fn post(app: &App, cookie: &str, path: &str, token: &str) -> Reply {
    send_form(app, cookie, path, &[("form_token", token), ("cancelled_reason", "fraud")])
}

fn order_of(app: &App, customer: Value) -> String {
    let items = json!([{"id": "a", "description": "Stol", "gross_amount": 139_850},
                       {"id": "b", "gross_amount": -5_000}]);
    app.order(json!({"currency": "NOK", "items": items, "customer": customer}), json!({}))
}

/// The status that each route answers: without a session, to an owner, a manager, a packer and a
/// viewer of the account, and to an owner of another account.
const TABLE: &[(&str, [u16; 6])] = &[
    //                                                  out  own  man  pac  vie  other
    ("GET /", [303, 303, 303, 303, 303, 303]),
    ("GET /admin", [303, 303, 303, 303, 303, 303]),
    ("GET /admin/sign-in", [200, 303, 303, 303, 303, 303]),
    ("POST /admin/sign-in", [200, 200, 200, 200, 200, 200]),
    ("GET /admin/link", [200, 200, 200, 200, 200, 200]),
    ("POST /admin/link", [400, 400, 400, 400, 400, 400]),
    ("GET /admin/setup", [200, 200, 200, 200, 200, 200]),
    ("POST /admin/setup", [400, 400, 400, 400, 400, 400]),
    ("GET /admin/{aid}/orders", [303, 200, 200, 200, 200, 404]),
    ("GET /admin/{aid}/orders/{order_id}", [303, 200, 200, 200, 200, 404]),
    ("POST /admin/{aid}/orders/{order_id}/open", [307, 409, 409, 403, 403, 404]),
    ("GET /admin/{aid}/orders/{order_id}/packing-slip", [303, 200, 200, 200, 200, 404]),
    ("GET /admin/{aid}/orders/{order_id}/receipt", [303, 200, 200, 200, 200, 404]),
    ("POST /admin/{aid}/orders/{order_id}/comments", [307, 303, 303, 303, 403, 404]),
    (
        "POST /admin/{aid}/orders/{order_id}/comments/{comment_id}/delete",
        [307, 303, 303, 303, 403, 404],
    ),
    ("POST /admin/{aid}/orders/{order_id}/close", [307, 303, 303, 403, 403, 404]),
    ("POST /admin/{aid}/orders/{order_id}/cancel", [307, 303, 303, 403, 403, 404]),
    ("GET /admin/{aid}/orders/{order_id}/authorizations", [303, 303, 303, 403, 403, 404]),
    ("POST /admin/{aid}/orders/{order_id}/authorizations", [307, 400, 400, 403, 403, 404]),
    ("GET /admin/{aid}/orders/{order_id}/captures", [303, 303, 303, 303, 403, 404]),
    ("POST /admin/{aid}/orders/{order_id}/captures", [307, 400, 400, 400, 403, 404]),
    ("GET /admin/{aid}/orders/{order_id}/refunds", [303, 303, 303, 403, 403, 404]),
    ("POST /admin/{aid}/orders/{order_id}/refunds", [307, 400, 400, 403, 403, 404]),
    ("GET /admin/{aid}/orders/{order_id}/cancellations", [303, 303, 303, 403, 403, 404]),
    ("POST /admin/{aid}/orders/{order_id}/cancellations", [307, 400, 400, 403, 403, 404]),
    ("POST {o}/sessions/{session_id}/cancel", [307, 303, 303, 403, 403, 404]),
    ("GET {a}/hooks", [303, 200, 200, 403, 403, 404]),
    ("POST {a}/hooks", [307, 400, 400, 403, 403, 404]),
    ("GET {a}/hooks/new", [303, 200, 200, 403, 403, 404]),
    ("GET {a}/hooks/{hid}", [303, 200, 200, 403, 403, 404]),
    ("GET {a}/hooks/{hid}/edit", [303, 200, 200, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/edit", [307, 400, 400, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/ping", [307, 303, 303, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/pause", [307, 303, 303, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/resume", [307, 400, 400, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/rotate", [307, 303, 303, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/delete", [307, 303, 303, 403, 403, 404]),
    ("GET {a}/hooks/{hid}/deliveries/{did}", [303, 200, 200, 403, 403, 404]),
    ("POST {a}/hooks/{hid}/deliveries/{did}/replay", [307, 303, 303, 403, 403, 404]),
    ("GET {a}/payouts", [303, 200, 200, 403, 403, 404]),
    ("GET {a}/payout-rules", [303, 200, 200, 403, 403, 404]),
    ("POST {a}/payout-rules", [307, 400, 400, 403, 403, 404]),
    ("GET {a}/payout-rules/new", [303, 200, 200, 403, 403, 404]),
    ("GET {a}/payout-rules/{payout_rule_id}", [303, 200, 200, 403, 403, 404]),
    ("POST {a}/payout-rules/{payout_rule_id}", [307, 400, 400, 403, 403, 404]),
    ("POST {a}/payout-rules/{payout_rule_id}/delete", [307, 303, 303, 403, 403, 404]),
    ("POST /admin/sign-out", [303, 303, 303, 303, 303, 303]),
    ("GET /docs", [200, 200, 200, 200, 200, 200]),
    ("GET /static/{file}", [404, 404, 404, 404, 404, 404]),
];

/// A route without its abbreviations.
fn written_out(route: &str) -> String {
    route.replace("{o}", "{a}/orders/{order_id}").replace("{a}", "/admin/{aid}")
}

#[test]
fn every_page_and_form_answers_each_role_as_the_table_says() {
    let app = App::start();
    app.make_account("T00000002");
    let callers = [
        None,
        Some(visitor(&app, Role::Owner, ACCOUNT)),
        Some(visitor(&app, Role::Manager, ACCOUNT)),
        Some(visitor(&app, Role::Packer, ACCOUNT)),
        Some(visitor(&app, Role::Viewer, ACCOUNT)),
        Some(visitor(&app, Role::Owner, "T00000002")),
    ];
    let table = TABLE.iter().map(|(route, statuses)| (written_out(route), statuses));
    let table: Vec<(String, &[u16; 6])> = table.collect();
    assert_all_listed(&table.iter().map(|(route, _)| route.as_str()).collect::<Vec<_>>());
    let shop = Shop::first(&app);
    for (route, statuses) in table {
        for (caller, expected) in callers.iter().zip(*statuses) {
            let order = app.simple_order(&[1_000]);
            let (method, path) = route.split_once(' ').unwrap();
            let path = match ["{session_id}", "{hid}", "{payout_rule_id}"]
                .iter()
                .any(|name| path.contains(name))
            {
                true => filled(path, &shop.ids(path)),
                false => path.replace("{aid}", ACCOUNT).replace("{order_id}", &order),
            };
            let path = path.replace("{comment_id}", &comment_on(&app, &order));
            let cookie = caller.clone().unwrap_or_default();
            let body = format!(
                "form_token={FORM_TOKEN}&email=x%40example.no&password=short&comment=c\
                 &cancelled_reason=other&secret=s3cret"
            );
            let headers = [FORM, ("cookie", cookie.as_str())];
            let sent = (method == "POST").then_some(body.as_str());
            let before = app.snapshot();
            let reply = app.send(method, &path, &headers, sent);
            assert_eq!(reply.status, expected, "{route} by {cookie:?}");
            if matches!(expected, 400..|307| 200) && method == "POST" {
                assert_eq!(app.snapshot(), before, "{route} by {cookie:?} changed something");
            }
        }
    }
}

#[track_caller]
fn assert_all_listed(routes: &[&str]) {
    let mut routed: Vec<String> =
        pages().iter().map(|page| format!("{} {}", page.method, page.path)).collect();
    let mut listed: Vec<String> = routes.iter().map(|route| (*route).to_owned()).collect();
    routed.sort();
    listed.sort();
    assert_eq!(routed, listed, "a page without a row, or a row without a page");
}

/// Adds a comment to an order and returns its id.
fn comment_on(app: &App, order: &str) -> String {
    let path = format!("/orders/{order}/comments");
    let said = app.post(&path, json!({"comment": "Ring twice"})).expect(200).body;
    said["comments"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_order_s_page_shows_its_money_its_people_and_its_story() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let customer = json!({"first_name": "Kåre", "last_name": "Ødegård", "email": "k@example.no"});
    let order = order_of(&app, customer);
    let authorize = json!({"items": [{"line_id": 1, "amount": 100_000}],
        "payment_details": {"psp": "Bambora", "payment_id": "PID-7"}});
    app.post(&format!("/orders/{order}/authorizations"), authorize).expect(200);
    let refused = json!({"items": [{"line_id": 1, "amount": 100}], "success": false});
    app.post(&format!("/orders/{order}/captures"), refused).expect(200);
    let list = words(&get(&app, &cookie, "/orders").expect(200));
    assert!(list.contains("Kåre Ødegård Open Reserved 1 348.50 NOK 0.00 NOK 950.00 NOK"), "{list}");
    let page = words(&get(&app, &cookie, &format!("/orders/{order}")).expect(200));
    for expected in [
        "Open Reserved created 18 Nov 2026 12:06 by API client test",
        "Total 1 348.50 NOK Reserved 1 000.00 NOK Captured 0.00 NOK",
        "Customer Kåre Ødegård k@example.no",
        "2 b give back 50.00 NOK",
        "Reservation 1 000.00 NOK When 18 Nov 2026 12:06 Who API client test Result succeeded",
        "Lines 1 Stol: 1 000.00 Gateway",
        "Gateway Bambora Payment id PID-7",
        "The gateway refused it; no money moved.",
        "Capture of 1.00 NOK refused by the gateway, by API client test",
        "Order created, by API client test",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn closed_and_cancelled_orders_name_the_user_who_pressed_the_button() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let order = order_of(&app, json!({}));
    let path = format!("/orders/{order}");
    let change = |to: &str, token: &str| post(&app, &cookie, &format!("{path}/{to}"), token);
    assert_eq!(change("close", "wrong").status, 403);
    let done = change("close", FORM_TOKEN).expect(303);
    assert_eq!(done.header("location"), Some(format!("/admin/{ACCOUNT}{path}").as_str()));
    let refused = change("close", FORM_TOKEN).expect(409);
    assert!(words(&refused).contains("The order is already closed."));
    change("open", FORM_TOKEN).expect(303);
    change("cancel", FORM_TOKEN).expect(303);
    let shown = app.get(&path).expect(200).body;
    assert_eq!(
        (&shown["status"], &shown["cancelled_reason"]),
        (&json!("cancelled"), &json!("fraud"))
    );
    let page = words(&get(&app, &cookie, &path));
    assert!(page.contains("Cancelled, by manager-t12345678@example.no"), "{page}");
    let viewer = visitor(&app, Role::Viewer, ACCOUNT);
    assert!(!words(&get(&app, &viewer, &path)).contains("Close order"));
}

#[test]
fn text_from_clients_is_never_markup_on_a_page() {
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg onload=alert(1)>",
        "</title><script>x</script>",
        "</textarea><script>x</script>",
        "javascript:alert(1)",
        "<iframe srcdoc='<script>x</script>'>",
        "{{7*7}}",
        "{% include \"x\" %}",
        "<!--",
        "]]>",
        "\" autofocus onfocus=alert(1) x=\"",
        "<a href=javascript:x>",
        "<style>*{}</style>",
        "<base href=//evil>",
        "<meta http-equiv=refresh content=0>",
        "&lt;b&gt;",
        "\u{202e}rtl",
    ];
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    for payload in payloads {
        let items = json!([{"id": payload, "description": payload, "gross_amount": 100}]);
        let person = json!({"first_name": payload, "last_name": payload, "email": payload,
            "phone_number": payload, "address_line": payload, "comment": payload});
        let order = json!({"currency": "NOK", "items": items, "customer": person,
            "shipping_address": person, "metadata": {payload: payload}});
        let order = app.order(order, json!({}));
        let capture = json!({"items": [{"line_id": 1, "amount": 1}], "processed_by": payload,
            "payment_details": {"psp": payload, "payment_id": payload,
                "card": {"brand": payload, "masked_pan": payload}},
            "metadata": {payload: payload}});
        app.post(&format!("/orders/{order}/captures"), capture).expect(200);
        let pages = ["", "/packing-slip", "/receipt"].map(|end| format!("/orders/{order}{end}"));
        for path in pages.into_iter().chain(["/orders".to_owned()]) {
            let page = get(&app, &cookie, &path).expect(200);
            if payload.contains(['<', '"', '\'']) {
                assert!(!page.text.contains(payload), "{payload} is markup on {path}");
            }
            let scripts = page.text.matches("<script").count();
            assert_eq!(scripts, 1, "only our own script on {path} with {payload}");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"));
            assert!(page.text.len() < 100_000);
        }
        let query: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        let searched = get(&app, &cookie, &format!("/orders?search={query}&from={query}"));
        assert_eq!(searched.text.matches("<script").count(), 1, "{payload}");
    }
}

#[test]
fn a_person_gets_a_page_where_there_is_none_and_a_client_gets_json() {
    let prefixed = ServerOptions { path_prefix: "/shop".to_owned(), ..ServerOptions::default() };
    let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    for (app, base) in [(App::start(), ""), (App::start_with(prefixed, "/shop"), "/shop")] {
        for (method, path, headers, status) in [
            ("GET", "/admin/nowhere", &[][..], 404),
            ("POST", "/admin/nowhere", &[], 404),
            ("GET", "/admin/T00000001/orders/x/y/z", &[], 404),
            ("PUT", "/admin/sign-in", &[], 405),
            ("GET", "/admin/sign-out", &[], 405),
            ("GET", "/nowhere", &[html], 404),
            ("GET", "/pay/nowhere/outcome", &[html], 405),
        ] {
            let reply = send(&app.url, method, &format!("{base}{path}"), headers, None);
            let reply = reply.expect(status);
            let kind = reply.header("content-type");
            assert_eq!(kind, Some("text/html; charset=utf-8"), "{method} {path}");
            let is_office = path.starts_with("/admin");
            let text = words(&reply);
            assert_eq!(text.contains("Back to the orders"), is_office, "{path}: {text}");
            assert_eq!(reply.header("allow").is_some(), status == 405, "{path}");
        }
        for (path, headers) in [
            ("/nowhere", &[][..]),
            ("/v1", &[html]),
            ("/v1/nowhere", &[html]),
            ("/v1/admin/x", &[html]),
        ] {
            let reply = send(&app.url, "GET", &format!("{base}{path}"), headers, None);
            assert_eq!(reply.expect(404).header("content-type"), Some("application/json"));
        }
    }
}

#[test]
fn the_receipt_is_linked_once_something_was_captured() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let order = app.simple_order(&[100]);
    let path = format!("/orders/{order}");
    let has_link = || {
        let page = get(&app, &cookie, &path).expect(200).text;
        assert!(page.contains("/packing-slip\""));
        page.contains("/receipt\"")
    };
    let items = json!([{"line_id": 1, "amount": 50}]);
    for (kind, success, is_linked) in
        [("authorizations", true, false), ("captures", false, false), ("captures", true, true)]
    {
        assert!(!has_link(), "before {kind}, {success}");
        let body = json!({"items": items, "success": success});
        app.post(&format!("{path}/{kind}"), body).expect(200);
        assert_eq!(has_link(), is_linked, "after {kind}, {success}");
    }
}

#[test]
fn style_and_script_are_served_as_immutable() {
    let app = App::start();
    let page = app.send("GET", "/admin/sign-in", &[], None).expect(200).text;
    for ending in ["app.css", "app.js"] {
        let end = page.find(ending).unwrap() + ending.len();
        let start = page[..end].rfind('"').unwrap() + 1;
        let asset = app.send("GET", &page[start..end], &[], None).expect(200);
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
        assert!(!asset.text.is_empty());
    }
}
