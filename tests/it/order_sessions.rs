//! Order sessions through the API (docs/contract.md, Decision 11).

use serde_json::{Value, json};
use tillbook::app::{EditAccount, ExpireOrderSessions};
use tillbook::domain::ids::AccountId;

use super::audit;
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::verify::expect_verified;

/// How long a session lives.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

pub fn request(items: Value) -> Value {
    let url = json!({"return_url": "https://shop.example/thanks?cart=7#end"});
    json!({"items": items, "profile_id": "p", "url": url})
}

/// Starts a session about everything that is left on line 1.
pub fn start(app: &App, order: &str) -> Value {
    let sent = request(json!([{"line_id": "1"}]));
    app.post(&format!("/orders/{order}/sessions"), sent).expect(200).body
}

/// The path of a session's test page.
pub fn page_of(session: &Value) -> String {
    let url = session["url"].as_str().unwrap();
    url[url.find("/pay/").unwrap()..].to_owned()
}

/// Answers as a script does.
pub fn answer(app: &App, session: &Value, outcome: &str) -> Reply {
    let body = json!({"outcome": outcome}).to_string();
    app.send("POST", &format!("{}/outcome", page_of(session)), &[], Some(&body))
}

pub fn shown(app: &App, order: &str, session: &Value) -> Value {
    let id = session["id"].as_str().unwrap();
    app.get(&format!("/orders/{order}/sessions/{id}")).expect(200).body
}

/// The steps of the order's sessions, each with its state.
fn steps(app: &App, order: &str) -> Vec<String> {
    let events = app.get(&format!("/orders/{order}/events")).expect(200).body;
    let events = events["events"].as_array().unwrap().clone();
    let of_session = events.iter().filter(|event| event["service"] == "session");
    let told = |event: &Value| {
        let word = |key: &str| event[key].as_str().unwrap().to_owned();
        format!("{} {}", word("service_status"), word("state"))
    };
    of_session.map(told).collect()
}

fn set_checkout(app: &App, account: &str, url: Option<&str>) {
    let account_id = AccountId::parse(account).unwrap();
    let checkout_url = Some(url.map(str::to_owned));
    let command = EditAccount { account_id, checkout_url, callback_secret: None };
    app.state.store.writer.write_blocking(command).unwrap();
}

fn amount(app: &App, order: &str, key: &str) -> i64 {
    app.get(&format!("/orders/{order}")).expect(200).body[key].as_i64().unwrap()
}

#[test]
fn a_session_is_answered_listed_and_linked_and_keeps_what_was_sent() {
    let app = App::start();
    let order = app.simple_order(&[100, 50]);
    let exact = r#""metadata":{"n":1.50},"x":{"y":[null,2e3]}"#;
    let body = format!(
        r#"{{"items":[{{"line_id":2,"note":"n"}},{{"line_id":"1","amount":40.0}}],
            "profile_id":"p","url":{{"return_url":"https://shop.example"}},
            "express":null,{exact},"id":"mine","status":"completed","transaction_id":"t"}}"#
    );
    let path = format!("/orders/{order}/sessions");
    let reply = app.shopping("POST", &path, &[], Some(&body)).expect(200);
    assert!(reply.text.contains(exact), "{}", reply.text);
    let session = reply.body;
    let expected = json!([{"line_id": "2", "note": "n", "amount": 50},
        {"line_id": "1", "amount": 40}]);
    assert_eq!((&session["items"], &session["amount"]), (&expected, &json!(90)));
    assert_eq!((&session["status"], &session["transaction_id"]), (&json!("open"), &Value::Null));
    assert_ne!(session["id"], "mine");
    assert_eq!(session["created_at"], "2026-11-18T11:06:40.000Z");
    assert_eq!(session["expires_at"], "2026-11-19T11:06:40.000Z");
    let token = page_of(&session);
    assert_eq!(token.len(), "/pay/".len() + 22, "not 128 bits: {token}");
    assert_eq!(app.follow(&session, "session").body, session);
    assert_eq!(app.follow(&session, "self").body, session);
    let order_shown = app.follow(&session, "order").body;
    assert_eq!(order_shown["authorized_amount"], 0, "a session reserves nothing");
    assert_eq!(app.follow(&order_shown, "session").body, session);
    assert_eq!(app.get(&path).expect(200).body, json!({"sessions": [session]}));
    assert_eq!(steps(&app, &order), ["created pending"]);
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_refused_session_leaves_nothing() {
    let app = App::start();
    let order = app.simple_order(&[100, -30]);
    let path = format!("/orders/{order}/sessions");
    let refused = |items: Value, status: u16| {
        let before = app.snapshot();
        let reply = app.post(&path, request(items)).expect(status);
        assert_eq!(app.snapshot(), before);
        if status == 409 { reply.code().to_owned() } else { reply.problems() }
    };
    assert_eq!(refused(json!([]), 400), "/items empty");
    assert_eq!(refused(json!([{"line_id": 7}]), 400), "/items/0/line_id unknown_line");
    assert_eq!(refused(json!([{"line_id": 1, "amount": -1}]), 400), "/items/0/amount wrong_sign");
    assert_eq!(refused(json!([{"line_id": 2}]), 400), "/items amount_out_of_range");
    assert_eq!(refused(json!([{"line_id": 1, "amount": 101}]), 409), "amount_exceeds_remaining");
    let pan = json!({"items": [{"line_id": 1}], "profile_id": "p", "card": "4111111111111111",
        "url": {"return_url": "https://a"}});
    assert_eq!(app.post(&path, pan).expect(400).problems(), "/card unmasked_card_number");
    app.post("/orders/nowhere/sessions", request(json!([{"line_id": 1}]))).expect(404);
    let all = json!({"items": [{"line_id": 1, "amount": 100}]});
    let paid = app.post(&format!("/orders/{order}/authorizations"), all).expect(200);
    let conflict = app.post(&path, request(json!([{"line_id": 1}]))).expect(409);
    let last = &conflict.body["error"]["errors"][0]["last_operation"]["id"];
    assert_eq!((conflict.code(), last), ("amount_exceeds_remaining", &paid.body["id"]));
    let closed = app.simple_order(&[100]);
    app.post(&format!("/orders/{closed}/close"), json!({})).expect(200);
    let one = request(json!([{"line_id": 1}]));
    let reply = app.post(&format!("/orders/{closed}/sessions"), one.clone()).expect(409);
    assert_eq!(reply.code(), "order_not_open");
    app.post(&format!("/orders/{closed}/cancel"), json!({})).expect(200);
    let reply = app.post(&format!("/orders/{closed}/sessions"), one).expect(409);
    assert_eq!(reply.code(), "order_not_open");
}

#[test]
fn a_callback_url_to_which_nothing_would_be_sent_is_refused() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let send = |callback_url: &str| {
        let mut sent = request(json!([{"line_id": 1}]));
        sent["url"]["callback_url"] = json!(callback_url);
        app.post(&format!("/orders/{order}/sessions"), sent)
    };
    for (url, code, advice) in [
        ("http://10.0.0.1/cb", "not_allowed", "--webhook-allow 10.0.0.1"),
        ("https://[::ffff:10.0.0.1]/", "not_allowed", "--webhook-allow ::ffff:10.0.0.1"),
        ("https://169.254.169.254/", "not_allowed", "--webhook-allow 169.254.169.254"),
        ("http://shop.example/cb", "not_allowed", "--webhook-allow shop.example"),
        ("https://user@shop.example/", "bad_value", "without a user name and password"),
        ("https://:word@shop.example/", "bad_value", "without a user name and password"),
        ("https://shop.example/?method=PUT", "bad_value", "method="),
        ("https://shop.example/?delay_callback=soon", "bad_value", "delay_callback="),
        ("https://shop.example/?sid_parameter_name=a%26b", "bad_value", "sid_parameter_name="),
    ] {
        let before = app.snapshot();
        let refused = send(url).expect(400);
        assert_eq!(refused.problems(), format!("/url/callback_url {code}"), "{url}");
        assert!(refused.body.to_string().contains(advice), "{}", refused.body);
        assert_eq!(app.snapshot(), before);
    }
    for url in ["https://shop.example/cb?method=POST", "http://127.0.0.1:1/", "http://localhost/"] {
        send(url).expect(200);
    }
}

#[test]
fn a_hundred_sessions_of_an_order_can_be_open() {
    let mut app = App::start();
    let order = app.simple_order(&[100]);
    let first = start(&app, &order);
    for _ in 1..100 {
        start(&app, &order);
    }
    let one = request(json!([{"line_id": 1}]));
    let path = format!("/orders/{order}/sessions");
    assert_eq!(app.post(&path, one.clone()).expect(409).code(), "too_many_sessions");
    answer(&app, &first, "cancel").expect(200);
    app.post(&path, one.clone()).expect(200);
    assert_eq!(app.post(&path, one.clone()).expect(409).code(), "too_many_sessions");
    app.pass(DAY_MS);
    app.token = app.token_of(&app.client);
    app.post(&path, one).expect(200);
}

#[test]
fn an_approval_is_one_authorization_and_a_second_answer_changes_nothing() {
    let app = App::start();
    for (outcome, captured) in [("approve", 0), ("capture", 100)] {
        let order = app.simple_order(&[100]);
        let session = start(&app, &order);
        let told = answer(&app, &session, outcome).expect(200).body;
        assert_eq!(told["status"], "completed");
        let after = shown(&app, &order, &session);
        assert_eq!(after["transaction_id"], told["transaction_id"]);
        let id = told["transaction_id"].as_str().unwrap();
        let back = format!(
            "https://shop.example/thanks?cart=7&transaction_id={id}&merchant_reference={order}#end"
        );
        assert_eq!(told["return_url"], json!(back));
        let authorization = app.follow(&after, "transaction").body;
        assert_eq!(authorization["processed_by"], "tillbook-test");
        assert_eq!(authorization["metadata"], json!({"session_id": session["id"]}));
        let details = &authorization["payment_details"];
        assert_eq!(details["payment_id"], session["id"]);
        assert_eq!(details["payment_product_type"], "tillbook.test");
        assert_eq!(amount(&app, &order, "authorized_amount"), 100);
        assert_eq!(amount(&app, &order, "captured_amount"), captured);
        assert_eq!(steps(&app, &order), ["created pending", "completed success"]);
        let order_shown = app.get(&format!("/orders/{order}")).body;
        let links = order_shown["_links"].to_string();
        assert!(!links.contains("sessions"), "an ended session is still linked: {links}");
        let before = app.snapshot();
        for again in ["approve", "capture", "decline", "hold", "cancel"] {
            assert_eq!(answer(&app, &session, again).expect(200).body, told);
        }
        assert_eq!(app.snapshot(), before);
    }
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_session_that_is_not_paid_moves_nothing() {
    let app = App::start();
    for (outcome, status, step, error) in [
        ("decline", "failed", "failed failure", "authorization"),
        ("cancel", "cancelled", "cancelled failure", "cancelled"),
    ] {
        let order = app.simple_order(&[100]);
        let session = start(&app, &order);
        let told = answer(&app, &session, outcome).expect(200).body;
        let back = format!("https://shop.example/thanks?cart=7&error={error}#end");
        assert_eq!((&told["status"], &told["return_url"]), (&json!(status), &json!(back)));
        assert_eq!(steps(&app, &order), ["created pending", step]);
        let operations = app.get(&format!("/orders/{order}/authorizations")).body;
        let operations = operations["authorizations"].as_array().unwrap().clone();
        let results: Vec<&Value> = operations.iter().map(|one| &one["success"]).collect();
        let expected = if outcome == "decline" { vec![&Value::Bool(false)] } else { vec![] };
        assert_eq!(results, expected);
        assert_eq!(amount(&app, &order, "authorized_amount"), 0);
        // The payer may try again.
        answer(&app, &start(&app, &order), "approve").expect(200);
        assert_eq!(amount(&app, &order, "authorized_amount"), 100);
    }
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_payment_on_hold_stays_open_and_can_then_be_approved() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let session = start(&app, &order);
    let told = answer(&app, &session, "hold").expect(200).body;
    assert_eq!(told["status"], "open");
    let back = format!("https://shop.example/thanks?cart=7&merchant_reference={order}#end");
    assert_eq!(told["return_url"], json!(back));
    let before = app.snapshot();
    answer(&app, &session, "hold").expect(200);
    assert_eq!(app.snapshot(), before, "a second hold adds a second step");
    assert_eq!(answer(&app, &session, "approve").expect(200).body["status"], "completed");
    let expected = ["created pending", "on_hold pending", "completed success"];
    assert_eq!(steps(&app, &order), expected);
}

#[test]
fn of_two_open_sessions_the_second_payer_is_told_what_has_happened() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let (first, second) = (start(&app, &order), start(&app, &order));
    answer(&app, &first, "approve").expect(200);
    let before = app.snapshot();
    for outcome in ["approve", "capture"] {
        let conflict = answer(&app, &second, outcome).expect(409);
        assert_eq!(conflict.code(), "amount_exceeds_remaining");
        let told =
            "Another payment of this order was made on 18 Nov 2026 12:06, over 1.00\u{a0}NOK.";
        assert_eq!(conflict.body, json!({"error": {"code": conflict.code(), "message": told}}));
    }
    assert_eq!(app.snapshot(), before);
    assert_eq!(shown(&app, &order, &second)["status"], "open");
    assert_eq!(answer(&app, &second, "cancel").expect(200).body["status"], "cancelled");
}

#[test]
fn a_session_of_a_closed_order_is_refused_when_it_is_paid() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let session = start(&app, &order);
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);
    let refused = |outcome: &str, code: &str| {
        let told = "The shop has closed this order, so it cannot be paid.";
        let refused = answer(&app, &session, outcome).expect(409);
        assert_eq!(refused.body, json!({"error": {"code": code, "message": told}}));
    };
    refused("approve", "order_not_open");
    app.post(&format!("/orders/{order}/cancel"), json!({})).expect(200);
    refused("capture", "order_cancelled");
    assert_eq!(shown(&app, &order, &session)["status"], "open");
}

#[test]
fn several_authorizations_are_approved_and_captured_as_one() {
    let app = App::start();
    let order = app.order(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 100}]}),
        json!({"multiple_authorizations": true}),
    );
    let path = format!("/orders/{order}/sessions");
    for _ in 0..2 {
        let half = request(json!([{"line_id": 1, "amount": 50}]));
        let session = app.post(&path, half).expect(200).body;
        answer(&app, &session, "capture").expect(200);
    }
    assert_eq!(amount(&app, &order, "captured_amount"), 100);
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_session_expires_by_itself_and_the_sweep_only_adds_the_step() {
    let mut app = App::start();
    let order = app.simple_order(&[100]);
    let session = start(&app, &order);
    app.pass(DAY_MS - 1);
    app.token = app.token_of(&app.client);
    assert_eq!(shown(&app, &order, &session)["status"], "open");
    app.pass(1);
    let expired = shown(&app, &order, &session);
    assert_eq!(expired["status"], "expired");
    assert_eq!(expired["ended_at"], session["expires_at"]);
    let links = app.get(&format!("/orders/{order}")).body["_links"].to_string();
    assert!(!links.contains("sessions"), "an expired session is still linked: {links}");
    let told = answer(&app, &session, "approve").expect(200).body;
    assert_eq!(told["status"], "expired");
    assert_eq!(told["return_url"], "https://shop.example/thanks?cart=7&error=failed#end");
    assert_eq!(steps(&app, &order), ["created pending"]);
    app.pass(5_000);
    app.state.store.writer.write_blocking(ExpireOrderSessions).unwrap();
    assert_eq!(shown(&app, &order, &session), expired, "the sweep changed what is shown");
    assert_eq!(steps(&app, &order), ["created pending", "expired failure"]);
    let before = app.snapshot();
    app.state.store.writer.write_blocking(ExpireOrderSessions).unwrap();
    assert_eq!(app.snapshot(), before);
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_client_cancels_an_open_session_only() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let (session, paid) = (start(&app, &order), start(&app, &order));
    let path = |session: &Value| {
        format!("/orders/{order}/sessions/{}/cancel", session["id"].as_str().unwrap())
    };
    let cancelled = app.post_once("k", &path(&session), json!({})).expect(200);
    assert_eq!(cancelled.body["status"], "cancelled");
    let again = app.post_once("k", &path(&session), json!({})).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(app.post(&path(&session), json!({})).expect(409).code(), "session_not_open");
    answer(&app, &paid, "approve").expect(200);
    let other = app.simple_order(&[100]);
    let before = app.snapshot();
    assert_eq!(app.post(&path(&paid), json!({})).expect(409).code(), "session_not_open");
    app.post(&path(&json!({"id": "nowhere"})), json!({})).expect(404);
    let id = session["id"].as_str().unwrap();
    app.get(&format!("/orders/{other}/sessions/{id}")).expect(404);
    assert_eq!(app.snapshot(), before);
    assert_eq!(answer(&app, &session, "approve").expect(200).body["status"], "cancelled");
}

#[test]
fn a_merchant_s_own_page_is_linked_and_its_payment_completes_the_session() {
    let app = App::start();
    let page = "https://shop.example/pay/{session_id}?x=1";
    set_checkout(&app, ACCOUNT, Some(page));
    for kind in ["authorizations", "captures"] {
        let order = app.simple_order(&[100]);
        let path = format!("/orders/{order}/{kind}");
        let session = start(&app, &order);
        let id = session["id"].as_str().unwrap();
        assert_eq!(session["url"], json!(page.replace("{session_id}", id)));
        let items = json!([{"line_id": 1, "amount": 60}]);
        let names = |id: &str, success: bool| {
            let metadata = json!({"session_id": id});
            json!({"items": items, "metadata": metadata, "success": success})
        };
        let send = |body: Value| app.post(&path, body).expect(200).body;
        send(names(id, false));
        send(names("another", true));
        let nothing = json!([{"line_id": 1, "amount": 0}]);
        send(json!({"items": nothing, "metadata": {"session_id": id}}));
        let refund =
            json!({"items": [{"line_id": 1, "amount": 0}], "metadata": {"session_id": id}});
        app.post(&format!("/orders/{order}/cancellations"), refund).expect(200);
        assert_eq!(shown(&app, &order, &session)["status"], "open");
        let zero = json!([{"line_id": 1, "amount": 40}]);
        let paid = send(json!({"items": zero, "metadata": {"session_id": id}}));
        let after = shown(&app, &order, &session);
        assert_eq!(
            (&after["status"], &after["transaction_id"]),
            (&json!("completed"), &paid["id"])
        );
        assert_eq!(app.follow(&after, "transaction").body, paid);
        assert_eq!(steps(&app, &order), ["created pending", "completed success"]);
        let late = json!({"items": [{"line_id": 1, "amount": 0}], "metadata": {"session_id": id}});
        send(late);
        assert_eq!(shown(&app, &order, &session), after, "a session has two transactions");
    }
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn an_operation_completes_no_session_of_another_order() {
    let app = App::start();
    let (order, other) = (app.simple_order(&[100]), app.simple_order(&[100]));
    let session = start(&app, &order);
    let items = json!([{"line_id": 1, "amount": 100}]);
    let body = json!({"items": items, "metadata": {"session_id": session["id"]}});
    app.post(&format!("/orders/{other}/captures"), body).expect(200);
    assert_eq!(shown(&app, &order, &session)["status"], "open");
    assert_eq!(steps(&app, &other), Vec::<String>::new());
}

#[test]
fn an_account_of_real_money_needs_a_page_of_its_own() {
    let mut app = App::start();
    let live = "P12345678";
    let page = live_page(&app, live);
    let body = json!({"outcome": "approve"}).to_string();
    let before = app.snapshot();
    app.send("GET", &page, &[], None).expect(404);
    app.send("POST", &page, &[], Some("outcome=approve")).expect(404);
    app.send("POST", &format!("{page}/outcome"), &[], Some(&body)).expect(404);
    assert_eq!(app.snapshot(), before);
    app.restart_with_test_gateway();
    app.send("GET", &page, &[], None).expect(200);
    app.send("POST", &format!("{page}/outcome"), &[], Some(&body)).expect(200);
}

/// The path that a test page of a session of this account would have.
fn live_page(app: &App, live: &str) -> String {
    let account = app.other_account(live);
    let items = json!([{"id": "a", "gross_amount": 100}]);
    let draft = json!({"order": {"currency": "NOK", "items": items}}).to_string();
    let made = account.shopping("POST", "/draft_orders", &[], Some(&draft)).expect(200).body;
    let complete = format!("/draft_orders/{}/complete", made["id"].as_str().unwrap());
    let done = account.shopping("PUT", &complete, &[], Some("{}")).expect(200);
    let order = done.body["orders"][0]["order_id"].as_str().unwrap().to_owned();
    let send = || {
        let body = request(json!([{"line_id": 1}])).to_string();
        account.shopping("POST", &format!("/orders/{order}/sessions"), &[], Some(&body))
    };
    let refused = send().expect(409);
    assert_eq!(refused.code(), "no_checkout");
    let told = refused.body["error"]["message"].as_str().unwrap();
    assert!(told.contains("--checkout-url") && told.contains("--test-gateway"), "{told}");
    set_checkout(app, live, Some("https://shop.example/{session_id}"));
    let own = send().expect(200).body;
    assert!(own["url"].as_str().unwrap().starts_with("https://shop.example/"));
    set_checkout(app, live, None);
    send().expect(409);
    let token = "a".repeat(22);
    let sql = format!("update order_sessions set checkout_url = null, token = '{token}'");
    audit::tamper(&app.db, &sql).unwrap();
    format!("/pay/{token}")
}

#[test]
fn one_of_many_simultaneous_answers_counts() {
    let app = App::start();
    for round in 0..10 {
        let order = app.simple_order(&[100]);
        let (first, second) = (start(&app, &order), start(&app, &order));
        let capture = json!({"items": [{"line_id": 1, "amount": 100}]});
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tabs = [(&first, "approve"), (&first, "capture"), (&second, "approve")];
            let tabs = tabs.map(|(session, outcome)| {
                let app = &app;
                scope.spawn(move || answer(app, session, outcome).status)
            });
            let api = scope.spawn(|| app.post(&format!("/orders/{order}/captures"), capture));
            let api = api.join().unwrap().status;
            tabs.into_iter().map(|tab| tab.join().unwrap()).chain([api]).collect()
        });
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
        let done = app.get(&format!("/orders/{order}")).expect(200).body;
        let count = |kind: &str| done[kind].as_array().unwrap().len();
        let (authorized, captured) = (count("authorizations"), count("captures"));
        assert!(authorized <= 1 && captured <= 1, "round {round}: {statuses:?} {done:#}");
        assert_eq!(authorized.max(captured), 1, "round {round}: {statuses:?}");
    }
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_capture_that_names_no_session_reads_and_writes_no_session() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let session = start(&app, &order);
    let body = json!({"items": [{"line_id": 1, "amount": 100}], "metadata": {"x": 1}});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
    assert_eq!(shown(&app, &order, &session)["status"], "open");
    assert_eq!(steps(&app, &order), ["created pending"]);
}
