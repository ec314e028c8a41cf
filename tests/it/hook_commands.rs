//! `tillbook hooks`, beside a running server.

use serde_json::json;

use super::harness::ACCOUNT;
use super::http_client::send;
use super::process::{Served, make_book, path, run, serve_command};
use super::receiver::Receiver;

#[test]
fn the_commands_list_ping_and_replay_while_a_server_sends() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let mut command = serve_command(&db);
    command.env("TILLBOOK_WEBHOOK_ALLOW", "127.0.0.1");
    let served = Served::try_start(command).unwrap();
    assert!(run(&["hooks", "list", "--db", path(&db)]).expect(0).out.contains("No webhooks."));

    let receiver = Receiver::start();
    let hooks = format!("/v1/accounts/{ACCOUNT}/hooks/subscriptions");
    let body = json!({"config": {"url": receiver.url, "secret": "s3cret"},
        "events": ["shopping_draft_add"]});
    let bearer = format!("Bearer {}", served.token(&client));
    let headers = [("authorization", bearer.as_str())];
    let hook = send(&served.url, "POST", &hooks, &headers, Some(&body.to_string())).expect(200);
    let id = hook.body["id"].as_str().unwrap();
    let first = receiver.next();
    let draft = json!({"order": {"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]}});
    let token = served.token(&client);
    served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
    let event = receiver.next();
    assert_eq!(event.header("event"), "shopping_draft_add");

    let listed = run(&["hooks", "list", "--db", path(&db)]).expect(0).out;
    assert!(listed.contains(id) && listed.contains("active"), "{listed}");
    let listed = run(&["hooks", "list", "--json", "--db", path(&db)]).expect(0);
    assert_eq!(listed.json()["hooks"][0]["config"]["secret"], json!({"type": "HMAC-SHA1"}));
    run(&["hooks", "ping", id, "--db", path(&db)]).expect(0);
    let pinged = receiver.next();
    assert_eq!(pinged.header("event"), "ping");
    assert_ne!(pinged.header("webhook-id"), first.header("webhook-id"));

    // Everything has been delivered by now, or waits for its outcome to be recorded.
    let deliveries = format!("{hooks}/{id}/deliveries");
    let is_done = || {
        let all = send(&served.url, "GET", &deliveries, &headers, None).expect(200).body;
        all.as_array().unwrap().iter().all(|one| one["state"] == "delivered")
    };
    super::process::until("all deliveries are recorded", is_done);
    let replay = ["hooks", "replay", id, "--since", "2026-01-01T00:00:00Z", "--db", path(&db)];
    let told = run(&[&replay[..], &["--failed-only"]].concat()).expect(0).out;
    assert!(told.starts_with("0 deliveries"), "{told}");
    assert!(run(&replay).expect(0).out.starts_with("3 deliveries"));
    let mut again: Vec<String> =
        (0..3).map(|_| receiver.next().header("webhook-id").to_owned()).collect();
    again.sort();
    let mut before = [first, event, pinged].map(|one| one.header("webhook-id").to_owned());
    before.sort();
    assert_eq!(again, before);
    let unknown = run(&["hooks", "ping", "x", "--db", path(&db)]).expect(1);
    assert!(unknown.err.contains("`tillbook hooks list` shows all"), "{}", unknown.err);
}
