//! Callbacks of order sessions (docs/contract.md, Decision 11).

use serde_json::{Value, json};
use tillbook::app::{EditAccount, ExpireOrderSessions, ForgetCallbacks};
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;
use tillbook::outbound::Guard;
use tillbook::wire::callback_request::{CallbackRequest, signature};
use url::Url;

use super::audit;
use super::harness::{ACCOUNT, App};
use super::office::{get, visitor, words};
use super::order_sessions::answer;
use super::process::{Served, make_book, path, run, serve_command, until};
use super::receiver::{Answer, Received, Receiver};

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;

/// Starts a session about line 1 with this `callback_url`.
fn start(app: &App, order: &str, callback_url: &str) -> Value {
    let url = json!({"return_url": "https://shop.example/", "callback_url": callback_url});
    let sent = json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url});
    app.post(&format!("/orders/{order}/sessions"), sent).expect(200).body
}

/// Starts a session of a new order and lets its payer answer; the order and the session.
fn answered(app: &App, callback_url: &str, outcome: &str) -> (String, Value) {
    let order = app.simple_order(&[100]);
    let session = start(app, &order, callback_url);
    answer(app, &session, outcome).expect(200);
    (order, session)
}

fn set_secret(app: &App, secret: Option<&str>) {
    let account_id = AccountId::parse(ACCOUNT).unwrap();
    let callback_secret = Some(secret.map(str::to_owned));
    let command = EditAccount { account_id, checkout_url: None, callback_secret };
    app.state.store.writer.write_blocking(command).unwrap();
}

/// The parameters of a request, in their order.
fn parameters(one: &Received) -> Vec<(String, String)> {
    let (_, target) = one.request.split_once(' ').unwrap();
    let url = Url::parse(&format!("http://a{target}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn parameter(one: &Received, name: &str) -> String {
    let all = parameters(one);
    let mut found = all.into_iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value).unwrap_or_default();
    assert!(found.next().is_none(), "{name} comes twice");
    value
}

/// The state, tries and status of each callback.
fn stored(app: &App) -> Vec<(String, i64, Option<i64>)> {
    let conn = audit::open(&app.db);
    let sql = "select state, tries, status from session_callbacks order by callback_seq";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[track_caller]
fn until_stored(app: &App, state: &str, tries: i64) {
    until(&format!("{state} after {tries} tries"), || {
        stored(app).last().is_some_and(|last| (last.0.as_str(), last.1) == (state, tries))
    });
}

#[test]
fn a_paid_session_is_reported_once_with_its_transaction_and_signature() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    // A session without a callback_url reports nothing.
    let order = app.simple_order(&[100]);
    answer(&app, &super::order_sessions::start(&app, &order), "approve").expect(200);
    assert_eq!(stored(&app), []);

    let (order, session) = answered(&app, &format!("{}?shop=7&a=%20b#x", receiver.url), "approve");
    let one = receiver.next();
    assert!(one.request.starts_with("GET /hook?shop=7&a=%20b&transaction_id="), "{}", one.request);
    let shown = super::order_sessions::shown(&app, &order, &session);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(
        parameters(&one)[2..],
        [
            ("transaction_id".to_owned(), text(&shown["transaction_id"])),
            ("session_id".to_owned(), text(&session["id"])),
            ("merchant_reference".to_owned(), order),
            ("time".to_owned(), text(&shown["ended_at"])),
        ]
    );
    assert_eq!((one.header("dintero-signature"), one.text.as_str()), ("", ""));
    assert_eq!(one.header("event-delivery").len(), 36);
    until_stored(&app, "delivered", 1);

    // As a POST, signed, and with the name of the parameter that the merchant asks for.
    set_secret(&app, Some("123"));
    let query = "method=POST&sid_parameter_name=sid";
    let (order, session) = answered(&app, &format!("{}?{query}", receiver.url), "capture");
    let one = receiver.next();
    assert!(one.request.starts_with("POST /hook?method=POST&sid_parameter_name=sid&"));
    assert_eq!(parameter(&one, "sid"), session["id"]);
    assert_eq!(one.body["id"], parameter(&one, "transaction_id"));
    let shown = app.get(&format!("/orders/{order}/authorizations")).expect(200).body;
    assert_eq!(one.body, shown["authorizations"][0]);
    assert_eq!(one.header("content-type"), "application/json");
    let (_, target) = one.request.split_once(' ').unwrap();
    let url = Url::parse(&format!("http://127.0.0.1{target}")).unwrap();
    let request = CallbackRequest { method: "POST", url, body: String::new() };
    let account_id = AccountId::parse(ACCOUNT).unwrap();
    let timestamp = app.clock.now().0 / SECOND_MS;
    assert_eq!(one.header("dintero-signature"), signature("123", &account_id, &request, timestamp));
    until_stored(&app, "delivered", 1);
    assert!(receiver.come().is_empty());
    audit::expect_clean(&app.db);
}

#[test]
fn sessions_without_a_payment_are_reported_if_the_merchant_asks() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    answered(&app, &receiver.url, "cancel");
    answered(&app, &receiver.url, "decline");
    answered(&app, &format!("{}?report_error=false", receiver.url), "cancel");
    assert_eq!(stored(&app), [], "nothing was asked for");
    let url = format!("{}?report_error=true&method=POST", receiver.url);
    for (outcome, error) in [("cancel", "cancelled"), ("decline", "authorization")] {
        let (order, session) = answered(&app, &url, outcome);
        let one = receiver.next();
        assert_eq!(parameter(&one, "error"), error);
        assert_eq!(parameter(&one, "transaction_id"), "");
        assert_eq!(parameter(&one, "merchant_reference"), order);
        assert_eq!(parameter(&one, "session_id"), session["id"]);
        assert_eq!(one.text, "");
    }
    let order = app.simple_order(&[100]);
    start(&app, &order, &url);
    app.pass(DAY_MS);
    app.state.store.writer.write_blocking(ExpireOrderSessions).unwrap();
    assert_eq!(parameter(&receiver.next(), "error"), "failed");
    // A payment on hold has not ended.
    app.token = app.token_of(&app.client);
    answered(&app, &url, "hold");
    assert_eq!(stored(&app).len(), 3);
    audit::expect_clean(&app.db);
}

#[test]
fn a_callback_waits_as_long_as_the_merchant_asks() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let first = answered(&app, &format!("{}?delay_callback=500", receiver.url), "approve");
    // A later one without a delay shows that the first was due and not sent.
    let second = answered(&app, &receiver.url, "approve");
    assert_eq!(parameter(&receiver.next(), "session_id"), second.1["id"]);
    app.pass(59 * SECOND_MS);
    let third = answered(&app, &receiver.url, "approve");
    assert_eq!(parameter(&receiver.next(), "session_id"), third.1["id"]);
    app.pass(SECOND_MS);
    assert_eq!(parameter(&receiver.next(), "session_id"), first.1["id"]);
}

#[test]
fn a_failed_callback_is_tried_twenty_times_and_a_refused_one_once() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::answering(|_| Answer::Status(500, ""));
    answered(&app, &receiver.url, "approve");
    let first = receiver.next();
    for tries in 1..20 {
        until_stored(&app, "waiting", tries);
        app.pass(18_000 * SECOND_MS);
        let again = receiver.next();
        let id = |one: &Received| one.header("event-delivery").to_owned();
        assert_eq!((id(&again), &again.request), (id(&first), &first.request));
    }
    until_stored(&app, "failed", 20);

    for status in [302, 400, 404, 429] {
        receiver.answer(move |_| Answer::Status(status, "location: http://127.0.0.1:1/\r\n"));
        app.token = app.token_of(&app.client);
        answered(&app, &receiver.url, "approve");
        receiver.next();
        until_stored(&app, "failed", 1);
        assert_eq!(stored(&app).last().unwrap().2, Some(i64::from(status)));
    }
    // One that waits for long does not hold up those of other sessions.
    receiver.answer(|one| {
        let hangs = one.request.contains("hang");
        if hangs { Answer::Hang } else { Answer::Status(204, "") }
    });
    answered(&app, &format!("{}?hang", receiver.url), "approve");
    receiver.next();
    answered(&app, &receiver.url, "approve");
    receiver.next();
    until_stored(&app, "delivered", 1);
    audit::expect_clean(&app.db);
}

#[test]
fn a_callback_to_a_forbidden_address_connects_to_nothing_and_is_tried_again() {
    let mut app = App::start();
    // The address was allowed when the session was made, and is not any more.
    app.state.webhook_guard = Guard::default();
    app.deliver();
    let (order, session) = answered(&app, "http://127.0.0.1:1/cb", "approve");
    until_stored(&app, "waiting", 1);
    let shown = super::order_sessions::shown(&app, &order, &session);
    let error = shown["callback"]["error"].as_str().unwrap();
    assert!(error.contains("--webhook-allow 127.0.0.1"), "{error}");
}

#[test]
fn a_session_and_its_orders_page_show_how_far_the_callback_is() {
    let mut app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let receiver = Receiver::answering(|_| Answer::Status(503, ""));
    let order = app.simple_order(&[100]);
    let (plain, called) =
        (super::order_sessions::start(&app, &order), start(&app, &order, &receiver.url));
    let shown = |app: &App, session: &Value| {
        let one = super::order_sessions::shown(app, &order, session);
        let all = app.get(&format!("/orders/{order}/sessions")).expect(200).body;
        assert!(all["sessions"].as_array().unwrap().contains(&one), "{one} in {all}");
        one["callback"].clone()
    };
    let page = |app: &App| words(&get(app, &cookie, &format!("/orders/{order}")));
    assert_eq!(shown(&app, &called), Value::Null);
    answer(&app, &called, "approve").expect(200);
    let ended = "2026-11-18T11:06:40.000Z";
    assert_eq!(shown(&app, &called), json!({"state": "waiting", "tries": 0, "next_at": ended}));
    assert!(page(&app).contains("callback not tried yet"), "{}", page(&app));
    app.deliver();
    until_stored(&app, "waiting", 1);
    let tried = shown(&app, &called);
    let error = "the answer's status was 503";
    assert!(tried["next_at"].is_string());
    assert_eq!(
        tried,
        json!({"state": "waiting", "tries": 1, "next_at": tried["next_at"], "tried_at": ended,
            "status": 503, "error": error})
    );
    let expected = format!("callback is tried again after 1 try: {error}");
    assert!(page(&app).contains(&expected), "{}", page(&app));
    receiver.answer(|_| Answer::Status(204, ""));
    app.pass(5 * SECOND_MS);
    until_stored(&app, "delivered", 2);
    let done = shown(&app, &called);
    assert_eq!((&done["state"], &done["status"]), (&json!("delivered"), &json!(204)));
    assert_eq!((&done["next_at"], &done["error"]), (&Value::Null, &Value::Null));
    assert!(page(&app).contains("callback answered after 2 tries"), "{}", page(&app));
    assert_eq!(shown(&app, &plain), Value::Null);
    let session = super::order_sessions::shown(&app, &order, &called);
    super::schema::assert_valid("a session", &super::schema::named("Session"), &session);
}

#[test]
fn old_callbacks_are_deleted() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    answered(&app, &receiver.url, "approve");
    until_stored(&app, "delivered", 1);
    let forget = || app.state.store.writer.write_blocking(ForgetCallbacks).unwrap();
    app.pass(30 * DAY_MS);
    assert!(!forget());
    assert_eq!(stored(&app).len(), 1);
    app.pass(SECOND_MS);
    assert!(!forget());
    assert_eq!(stored(&app), []);
}

#[test]
fn a_callback_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let edit = ["account", "edit", ACCOUNT, "--db", path(&db), "--callback-secret"];
    let told = run(&[&edit[..], &["new"]].concat()).expect(0).out;
    assert!(told.contains("are signed with the secret "), "{told}");
    let serve = || {
        let mut command = serve_command(&db);
        command.env("TILLBOOK_WEBHOOK_ALLOW", "127.0.0.1");
        Served::try_start(command).unwrap()
    };
    let receiver = Receiver::answering(|_| Answer::Hang);
    let served = serve();
    let token = served.token(&client);
    let send = |method: &str, at: &str, body: Value| {
        served.shopping(&token, method, at, Some(&body)).expect(200).body
    };
    let items = json!([{"id": "a", "gross_amount": 100}]);
    let order = json!({"order": {"currency": "NOK", "items": items}});
    let draft = send("POST", "/draft_orders", order)["id"].as_str().unwrap().to_owned();
    let done = send("PUT", &format!("/draft_orders/{draft}/complete"), json!({}));
    let order = done["orders"][0]["order_id"].as_str().unwrap();
    let url = json!({"return_url": "https://shop.example/", "callback_url": receiver.url});
    let session = json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url});
    let session = send("POST", &format!("/orders/{order}/sessions"), session);
    let page = super::order_sessions::page_of(&session);
    let outcome = json!({"outcome": "approve"}).to_string();
    super::http_client::send(&served.url, "POST", &format!("{page}/outcome"), &[], Some(&outcome))
        .expect(200);
    // The receiver has it, and has not answered.
    let first = receiver.next();
    served.kill();
    receiver.answer(|_| Answer::Status(200, ""));
    let served = serve();
    let again = receiver.next();
    assert_eq!(again.header("event-delivery"), first.header("event-delivery"));
    assert_eq!(again.request, first.request);
    assert!(again.header("dintero-signature").starts_with("t="), "{again:?}");
    until("it is recorded", || {
        let conn = audit::open(&db);
        let sql = "select count(*) from session_callbacks where state = 'delivered'";
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() == 1
    });
    drop(served);
    audit::expect_clean(&db);
    let told = run(&[&edit[..], &["none"]].concat()).expect(0).out;
    assert!(told.contains("are not signed"), "{told}");
}
