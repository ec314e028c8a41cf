//! Webhooks: which deliveries are made, how they are signed, and how failing receivers are handled.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tillbook::app::ForgetDeliveries;
use tillbook::store::StoreError;
use tillbook::store::verify::verify;
use tillbook::wire::hook_signature::{event_signature, webhook_signature};

use super::audit::tamper;
use super::harness::{ACCOUNT, App};
use super::receiver::{Answer, Received, Receiver};

const ALL_EVENTS: [&str; 6] = [
    "shopping_draft_add",
    "shopping_draft_update",
    "shopping_draft_complete",
    "shopping_order_update",
    "shopping_order_event_add",
    "shopping_order_delete",
];

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Makes a hook of the first account; the answer.
pub fn make_hook(app: &App, url: &str, events: &[&str]) -> Value {
    let body = json!({"config": {"url": url, "secret": "s3cret"}, "events": events});
    app.hooks("POST", "", Some(body)).expect(200).body
}

/// The path of a hook below `/hooks/subscriptions`.
fn path_of(hook: &Value) -> String {
    format!("/{}", hook["id"].as_str().unwrap())
}

pub fn capture(app: &App, order: &str, amount: i64) {
    let body = json!({"items": [{"line_id": 1, "amount": amount}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
}

/// The deliveries of a hook, newest first.
fn deliveries(app: &App, hook: &Value) -> Vec<Value> {
    let listed = app.hooks("GET", &format!("{}/deliveries?limit=100", path_of(hook)), None);
    listed.expect(200).body.as_array().unwrap().clone()
}

/// Waits until the deliveries of a hook are as a test says.
#[track_caller]
fn until_deliveries(app: &App, hook: &Value, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..20_000 {
        let found = deliveries(app, hook);
        if is_so(&found) {
            return found;
        }
    }
    panic!("not in time: {:#?}", deliveries(app, hook));
}

/// Waits until a member of a hook has a value.
#[track_caller]
fn until_hook(app: &App, hook: &Value, key: &str, value: Value) {
    for _ in 0..20_000 {
        let found = app.hooks("GET", &path_of(hook), None).expect(200).body;
        if found.get(key).unwrap_or(&Value::Null) == &value {
            return;
        }
    }
    panic!("not in time: {:#}", app.hooks("GET", &path_of(hook), None).body);
}

/// Lets the clock pass and the deliverer look at it.
fn pass(app: &App, ms: i64) {
    app.pass(ms);
    app.state.store.signal.wake();
}

#[test]
fn each_change_is_delivered_with_its_objects_in_order() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let hook = make_hook(&app, &receiver.url, &ALL_EVENTS);
    let ping = receiver.next();
    assert_eq!(ping.header("event"), "ping");
    assert_eq!(ping.body["id"], hook["id"]);
    assert!(!ping.text.contains("s3cret"));

    let draft = app.draft(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 100}]}),
        json!({"generate_order_id": "ALPHANUMERIC_9"}),
    );
    let item = json!({"id": "b", "gross_amount": 50});
    app.post(&format!("{draft}/items"), item).expect(200);
    let done = app.put(&format!("{draft}/complete"), json!({})).expect(200).body;
    let order = done["orders"][0]["order_id"].as_str().unwrap().to_owned();
    capture(&app, &order, 30);
    let event = json!({"service": "kitchen", "service_status": "prepared"});
    app.post(&format!("/orders/{order}/events"), event).expect(200);
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);

    let mut got = receiver.events(7);
    // Up to four deliveries are on their way at once.
    got.sort_by_key(|one| {
        (one.body["seq"].as_i64(), one.header("event") == "shopping_order_update")
    });
    let names: Vec<&str> = got.iter().map(|one| one.header("event")).collect();
    assert_eq!(
        names,
        [
            "shopping_draft_add",
            "shopping_draft_update",
            "shopping_draft_complete",
            "shopping_order_event_add",
            "shopping_order_update",
            "shopping_order_event_add",
            "shopping_order_update",
        ]
    );
    for one in &got {
        assert_eq!(one.body["account_id"], ACCOUNT);
        assert_eq!(one.body["event"], one.header("event"));
        assert_eq!(one.body["event_delivery"], one.header("event-delivery"));
    }
    assert_eq!(got[0].body["draft_order"]["id"], got[2].body["draft_order"]["id"]);
    assert_eq!(got[2].body["orders"][0]["order_id"], *order);
    let captured = &got[3].body;
    assert_eq!(captured["order_event"]["service_status"], "capture");
    assert_eq!(captured["order_event"]["metadata"]["amount"], 30);
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let closed = &got[6].body["order"];
    assert_eq!(*closed, shown, "the last body has the order as the API shows it");
    let listed = until_deliveries(&app, &hook, |all| all.iter().all(|d| d["state"] == "delivered"));
    assert_eq!(listed.len(), 8);
    app.hooks("GET", &path_of(&hook), None).expect(200);
}

#[test]
fn deliveries_are_signed_for_both_kinds_of_receivers_and_rotation_overlaps() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let body = json!({"config": {"url": receiver.url}, "events": ["shopping_order_update"]});
    let hook = app.hooks("POST", "", Some(body)).expect(200).body;
    let secret = hook["config"]["secret"]["value"].as_str().unwrap().to_owned();
    let shown = app.hooks("GET", &path_of(&hook), None).expect(200).body;
    assert_eq!(shown["config"]["secret"], json!({"type": "HMAC-SHA1"}));
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    check_signed(&receiver.next_event(), &[&secret]);

    let rotated = app.hooks("POST", &format!("{}/rotate", path_of(&hook)), None).expect(200).body;
    let newer = rotated["config"]["secret"]["value"].as_str().unwrap().to_owned();
    assert_ne!(newer, secret);
    capture(&app, &order, 2);
    check_signed(&receiver.next_event(), &[&newer, &secret]);
    app.pass(24 * HOUR_MS);
    app.token = app.token_of(&app.client);
    capture(&app, &order, 3);
    check_signed(&receiver.next_event(), &[&newer]);

    // The value of a secret of the type Authorization is that header.
    let secret = json!({"type": "Authorization", "value": "Bearer let-me-in"});
    let change = json!({"config": {"secret": secret}});
    let changed = app.hooks("PUT", &path_of(&hook), Some(change)).expect(200);
    assert!(!changed.text.contains("let-me-in"), "{}", changed.text);
    capture(&app, &order, 4);
    assert_eq!(receiver.next_event().header("authorization"), "Bearer let-me-in");
}

#[track_caller]
pub fn check_signed(one: &Received, secrets: &[&str]) {
    let (id, text) = (one.header("webhook-id"), &one.text);
    let timestamp = one.header("webhook-timestamp").parse().unwrap();
    let expected: Vec<String> =
        secrets.iter().map(|secret| webhook_signature(secret, id, timestamp, text)).collect();
    assert_eq!(one.header("webhook-signature"), expected.join(" "));
    assert_eq!(one.header("event-signature"), event_signature(secrets[0], text));
    assert_eq!(id, one.header("event-delivery"));
    assert!(one.header("user-agent").starts_with("Tillbook-Hook/"));
    assert_eq!(one.header("content-type"), "application/json");
}

#[test]
fn a_failed_delivery_is_repeated_with_its_id_and_holds_no_other_back() {
    let mut app = App::start();
    app.deliver();
    let mut tries: BTreeMap<String, u32> = BTreeMap::new();
    let receiver = Receiver::answering(move |one| {
        let amount = one.body["order"]["captured_amount"].as_i64().unwrap_or_default();
        let count = tries.entry(one.header("webhook-id").to_owned()).or_default();
        *count += 1;
        match (amount, *count) {
            (1, 1) => Answer::Status(500, ""),
            (1, 2) => Answer::Status(503, "retry-after: 3600\r\n"),
            (1, 3) => Answer::Status(302, "location: http://127.0.0.1:1/\r\n"),
            _ => Answer::Status(204, ""),
        }
    });
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    let first = receiver.next_event();
    until_deliveries(&app, &hook, |all| all[0]["tries"] == 1);
    capture(&app, &order, 2);
    assert_eq!(receiver.next_event().body["order"]["captured_amount"], 3);

    let failed = |tries: u32| {
        let is_so = move |all: &[Value]| {
            all.iter().any(|one| one["tries"] == tries && one["state"] == "waiting")
        };
        until_deliveries(&app, &hook, is_so);
    };
    failed(1);
    pass(&app, 6_000);
    let second = receiver.next_event();
    assert_eq!(
        (second.text.as_str(), second.header("webhook-id")),
        (first.text.as_str(), first.header("webhook-id"))
    );
    assert_ne!(second.header("webhook-timestamp"), first.header("webhook-timestamp"));
    failed(2);
    // Retry-After is longer than the five minutes that were planned.
    pass(&app, HOUR_MS - 1_000);
    app.hooks("GET", &path_of(&hook), None).expect(200);
    assert!(receiver.come().is_empty(), "the receiver asked for an hour");
    pass(&app, 2_000);
    receiver.next_event();
    failed(3);
    pass(&app, HOUR_MS);
    receiver.next_event();
    let all =
        until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] == "delivered"));
    assert_eq!(all.len(), 3, "{all:#?}");
    let one = path_of(&hook) + "/deliveries/" + first.header("webhook-id");
    let whole = app.hooks("GET", &one, None).expect(200).body;
    assert_eq!(whole["request"]["body"], first.body);
    assert_eq!(whole["details"]["delivery_success"], true);
    assert_eq!((&whole["status"], &whole["tries"]), (&json!(204), &json!(4)));
}

#[test]
fn a_hook_is_paused_by_410_and_resumes_with_what_it_missed_or_from_now() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::answering(|_| Answer::Status(410, ""));
    let order = app.simple_order(&[1_000]);
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    receiver.next();
    until_hook(&app, &hook, "paused_because", json!("gone"));
    let refused = app.hooks("POST", &format!("{}/ping", path_of(&hook)), None).expect(409);
    assert_eq!(refused.code(), "hook_paused");
    capture(&app, &order, 1);
    capture(&app, &order, 2);
    receiver.answer(|_| Answer::Status(200, ""));
    let resume = |from: &str| {
        let path = format!("{}/resume", path_of(&hook));
        app.hooks("POST", &path, Some(json!({"from": from}))).expect(200)
    };
    resume("missed");
    let mut seqs: Vec<i64> =
        receiver.events(2).iter().map(|one| one.body["seq"].as_i64().unwrap()).collect();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 2);

    app.hooks("POST", &format!("{}/pause", path_of(&hook)), None).expect(200);
    until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] != "waiting"));
    capture(&app, &order, 3);
    resume("now");
    capture(&app, &order, 4);
    assert_eq!(receiver.next_event().body["order"]["captured_amount"], 10);
    assert_eq!(deliveries(&app, &hook).len(), 4, "the missed event was not delivered");
}

#[test]
fn a_hook_that_fails_for_75_hours_is_paused_and_never_deleted() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::answering(|_| Answer::Status(500, ""));
    let order = app.simple_order(&[1_000]);
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    for _ in 0..10 {
        capture(&app, &order, 1);
    }
    until_deliveries(&app, &hook, |all| {
        all.iter().filter(|one| one["tries"] == 1 && one["event"] != "ping").count() == 10
    });
    assert_eq!(app.hooks("GET", &path_of(&hook), None).body["active"], true);
    app.pass(76 * HOUR_MS);
    app.token = app.token_of(&app.client);
    app.state.store.signal.wake();
    until_hook(&app, &hook, "paused_because", json!("failing"));
    assert_eq!(deliveries(&app, &hook).len(), 11);
}

#[test]
fn a_slow_or_endless_receiver_delays_no_other_hook() {
    let mut app = App::start();
    app.deliver();
    let (silent, endless) =
        (Receiver::answering(|_| Answer::Hang), Receiver::answering(|_| Answer::Endless));
    let quick = Receiver::start();
    for url in [&silent.url, &endless.url, &quick.url] {
        make_hook(&app, url, &["shopping_order_update"]);
    }
    let order = app.simple_order(&[1_000]);
    for _ in 0..20 {
        capture(&app, &order, 1);
    }
    assert_eq!(quick.events(20).len(), 20);
    endless.events(20);
    // No more than four are on their way to one receiver.
    assert!(silent.come().len() <= 4);
}

#[test]
fn deliveries_can_be_sent_again() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    let first = receiver.next_event();
    until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] == "delivered"));
    let one = format!("{}/deliveries/{}", path_of(&hook), first.header("webhook-id"));
    app.hooks("POST", &format!("{one}/replay"), None).expect(200);
    let again = receiver.next_event();
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(again.text, first.text);
    until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] == "delivered"));
    let range = |failed_only: bool| {
        let body = json!({"since": "2026-01-01T00:00:00Z", "failed_only": failed_only});
        app.hooks("POST", &format!("{}/replay", path_of(&hook)), Some(body)).expect(200).body
    };
    assert_eq!(range(true), json!({"replayed": 0}));
    assert_eq!(range(false), json!({"replayed": 2}));
    receiver.next_event();
}

#[test]
fn a_restart_delivers_what_was_committed_before_and_nothing_twice() {
    let mut app = App::start();
    let receiver = Receiver::start();
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    app.restart();
    app.deliver();
    assert_eq!(receiver.next_event().body["order"]["captured_amount"], 1);
    until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] == "delivered"));
    app.restart();
    app.deliver();
    capture(&app, &order, 2);
    assert_eq!(receiver.next_event().body["order"]["captured_amount"], 3);
    assert_eq!(deliveries(&app, &hook).len(), 3);
}

#[test]
fn a_new_hook_can_start_from_an_earlier_event() {
    let mut app = App::start();
    app.deliver();
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    let receiver = Receiver::start();
    let from = |seq: i64| {
        json!({"config": {"url": receiver.url}, "events": ["shopping_order_update"],
            "through_seq": seq})
    };
    app.hooks("POST", "", Some(from(0))).expect(200);
    assert_eq!(receiver.next_event().body["order"]["captured_amount"], 1);
    let refused = app.hooks("POST", "", Some(from(1_000))).expect(400);
    assert_eq!(refused.problems(), "/through_seq bad_value");
}

#[test]
fn only_the_fields_that_a_hook_wants_are_sent() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let body = json!({"config": {"url": receiver.url}, "events": ["shopping_order_event_add"],
        "fields": ["order.order_id", "order.items.line_id", "order_event"],
        "exclude_fields": ["order_event.metadata"]});
    app.hooks("POST", "", Some(body)).expect(200);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    let got = receiver.next_event().body;
    assert_eq!(got["order"], json!({"order_id": order, "items": [{"line_id": 1}]}));
    assert_eq!(got["order_event"]["service_status"], "capture");
    assert_eq!(got["order_event"].get("metadata"), None);
}

#[test]
fn an_object_of_more_than_256_kib_is_sent_in_a_short_form() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    make_hook(&app, &receiver.url, &["shopping_draft_complete", "shopping_order_event_add"]);
    let items = json!([{"id": "a", "gross_amount": 100}]);
    let note = "x".repeat(256 << 10);
    let order = json!({"currency": "NOK", "items": items, "metadata": {"note": note}});
    let order = app.order(order, json!({}));
    let done = receiver.next_event().body;
    assert_eq!(done["draft_order"]["truncated"], true);
    assert_eq!(done["orders"][0]["order_id"], order);
    capture(&app, &order, 1);
    let got = receiver.next_event();
    assert_eq!(got.body["order"]["payment_status"], "partially_paid");
    assert_eq!(got.body["order_event"]["metadata"]["amount"], 1);
    assert!(got.text.len() < 4_096, "{} bytes", got.text.len());
}

#[test]
fn javascript_keeps_the_bytes_of_a_body() {
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    make_hook(&app, &receiver.url, &["shopping_draft_add"]);
    let order = r#"{"order":{"currency":"NOK","items":[{"id":"a","gross_amount":100.0,
        "quantity":2.50,"metadata":{"10":1e3,"2":-0.0,"b":"\u2028\/"}}]}}"#;
    app.shopping("POST", "/draft_orders", &[], Some(order)).expect(200);
    let text = receiver.next_event().text;
    assert!(text.contains(r#""quantity":2.5,"metadata":{"2":0,"10":1000,"b":""#), "{text}");
    let script = "process.stdout.write(JSON.stringify(JSON.parse(process.argv[1])))";
    let node = std::process::Command::new("node").args(["-e", script, &text]).output().unwrap();
    assert_eq!(String::from_utf8(node.stdout).unwrap(), text);
}

#[test]
fn a_refused_request_sends_nothing_and_a_hook_of_another_account_gets_nothing() {
    let mut app = App::start();
    app.deliver();
    let (ours, theirs) = (Receiver::start(), Receiver::start());
    make_hook(&app, &ours.url, &ALL_EVENTS);
    let other = app.other_account("T87654321");
    let body = json!({"config": {"url": theirs.url}, "events": ALL_EVENTS}).to_string();
    other.hooks("POST", "", Some(&body)).expect(200);
    let order = app.simple_order(&[1_000]);
    let too_much = json!({"items": [{"line_id": 1, "amount": 1_001}]});
    app.post(&format!("/orders/{order}/captures"), too_much).expect(409);
    capture(&app, &order, 1);
    let names: Vec<String> =
        ours.events(4).iter().map(|one| one.header("event").to_owned()).collect();
    assert!(!names.contains(&String::new()), "{names:?}");
    let theirs = theirs.come();
    assert!(theirs.iter().all(|one| one.header("event") == "ping"), "{theirs:#?}");
}

#[test]
fn a_hook_needs_an_address_that_is_allowed_and_there_are_twenty() {
    let app = App::start();
    let ask = |url: &str| {
        let body = json!({"config": {"url": url}, "events": ["shopping_draft_add"]});
        app.hooks("POST", "", Some(body))
    };
    for (url, problem) in [
        ("http://shop.example/hook", "not_allowed"),
        ("https://10.0.0.1/hook", "not_allowed"),
        ("https://0x0a000001/hook", "not_allowed"),
        ("https://[::ffff:10.0.0.1]/hook", "not_allowed"),
        ("https://user:pw@shop.example/", "bad_value"),
        ("shop.example", "bad_value"),
    ] {
        let refused = ask(url).expect(400);
        assert_eq!(refused.problems(), format!("/config/url {problem}"), "{url}");
        if problem == "not_allowed" {
            assert!(refused.text.contains("--webhook-allow"), "{}", refused.text);
        }
    }
    for _ in 0..20 {
        ask("https://shop.example/hook").expect(200);
    }
    let before = app.snapshot();
    assert_eq!(ask("https://shop.example/hook").expect(409).code(), "too_many_hooks");
    assert_eq!(app.snapshot(), before);
    let listed = app.hooks("GET", "?limit=3&total=true", None).expect(200);
    assert_eq!(listed.header("total-count"), Some("20"));
    let last = listed.body[2]["paging_token"].as_str().unwrap().to_owned();
    let next = app.hooks("GET", &format!("?limit=100&starting_after={last}"), None).expect(200);
    assert_eq!(next.body.as_array().unwrap().len(), 17);
    app.hooks("DELETE", &format!("/{last}"), None).expect(200);
    ask("https://shop.example/hook").expect(200);
    let path = "?include_deleted=true&total=true";
    assert_eq!(app.hooks("GET", path, None).expect(200).header("total-count"), Some("21"));
    assert!(app.hooks("GET", &format!("/{last}"), None).body["deleted_at"].is_string());
    app.hooks("POST", &format!("/{last}/pause"), None).expect(404);
}

#[test]
fn verify_finds_cursors_and_deliveries_that_lead_nowhere() {
    for (sql, expected) in [
        ("update hooks set through_seq = 1000", "past the newest event"),
        ("update hooks set through_seq = 0", "that their hook has not reached"),
        ("update hooks set account_seq = 2", "of an event of another account"),
        ("delete from delivery_bodies", "wait without a body"),
        ("update deliveries set event_seq = 99 where event_seq is not null", "a missing row"),
    ] {
        let mut app = App::start();
        app.make_account("T87654321");
        make_hook(&app, "https://127.0.0.1:1/hook", &["shopping_order_update"]);
        let order = app.simple_order(&[1_000]);
        capture(&app, &order, 1);
        app.deliver();
        let hook = app.hooks("GET", "", None).expect(200).body[0].clone();
        until_deliveries(&app, &hook, |all| all.len() == 2);
        app.stop();
        assert_eq!(findings(&app), "");
        tamper(&app.db, &format!("pragma foreign_keys = off; {sql}")).unwrap();
        let found = findings(&app);
        assert!(found.contains(expected), "after `{sql}`: {found}");
    }
}

fn findings(app: &App) -> String {
    verify(&app.db, |_, _| {}).unwrap().findings.join("\n")
}

#[test]
fn old_bodies_and_lines_are_deleted_and_what_waits_is_kept() {
    const DAY_MS: i64 = 24 * HOUR_MS;
    let mut app = App::start();
    app.deliver();
    let receiver = Receiver::start();
    let hook = make_hook(&app, &receiver.url, &["shopping_order_update"]);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    let first = receiver.next_event();
    until_deliveries(&app, &hook, |all| all.iter().all(|one| one["state"] == "delivered"));
    let path = format!("{}/deliveries/{}", path_of(&hook), first.header("webhook-id"));
    let body =
        |app: &App| app.hooks("GET", &path, None).expect(200).body["request"]["body"].clone();
    let forget = |app: &App| {
        let mut hook_seq = None;
        loop {
            hook_seq =
                app.state.store.writer.write_blocking(ForgetDeliveries { hook_seq }).unwrap();
            if hook_seq.is_none() {
                return;
            }
        }
    };
    let later = |app: &mut App, ms: i64| {
        app.pass(ms);
        app.token = app.token_of(&app.client);
        forget(app);
    };
    later(&mut app, 7 * DAY_MS);
    assert_eq!(body(&app), first.body);
    later(&mut app, 1);
    assert_eq!(body(&app), Value::Null);
    let refused = app.hooks("POST", &format!("{path}/replay"), None).expect(409);
    assert_eq!(refused.code(), "delivery_expired");
    later(&mut app, 23 * DAY_MS);
    assert_eq!(deliveries(&app, &hook), Vec::<Value>::new());
    let kept = app.hooks("GET", &path_of(&hook), None).expect(200).body;
    assert_eq!(kept["delivered_count"], 2);
    app.hooks("DELETE", &path_of(&hook), None).expect(200);
    later(&mut app, 30 * DAY_MS + 1);
    app.hooks("GET", &path_of(&hook), None).expect(404);
}

#[test]
fn secrets_are_in_no_answer_and_no_text_of_the_hook() {
    let app = App::start();
    let hook = make_hook(&app, "https://shop.example/hook", &ALL_EVENTS);
    for path in ["", &path_of(&hook), &format!("{}/deliveries", path_of(&hook))] {
        let text = app.hooks("GET", path, None).expect(200).text;
        assert!(!text.contains("s3cret"), "{text}");
    }
    let record = app.state.store.read_blocking::<_, StoreError>(|reader| reader.list_all_hooks());
    let text = format!("{:?}", record.unwrap());
    assert!(!text.contains("s3cret"), "{text}");
}
