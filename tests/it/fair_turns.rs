//! Accounts take turns: however much one asks for at once, another waits only for what is being
//! done already.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::http_client::Reply;
use super::large_answers::{Caller, OTHER, caller, two_accounts};
use super::trials::say;

/// Requests that the greedy account sends before the other account sends one. Fewer than may wait.
const ASKED: usize = 30;

/// How many of them may be answered before the other account's: those in progress, and those that
/// take turns with it.
const BEFORE_MAX: usize = ASKED / 3;

/// Sends requests at the same time, each on a connection of its own.
fn send_all(caller: &Caller<'_>, method: &str, path: &str, body: Option<&Value>) -> Vec<TcpStream> {
    (0..ASKED).map(|_| send_one(caller, method, path, body)).collect()
}

fn send_one(caller: &Caller<'_>, method: &str, path: &str, body: Option<&Value>) -> TcpStream {
    let mut stream = TcpStream::connect(caller.served.address()).unwrap();
    stream.write_all(&caller.bytes(method, path, body)).unwrap();
    stream
}

/// How many of these connections have an answer, or the beginning of one.
fn answered(streams: &[TcpStream]) -> usize {
    let is_answered = |stream: &&TcpStream| {
        stream.set_nonblocking(true).unwrap();
        match stream.peek(&mut [0]) {
            Ok(bytes) => 0 < bytes,
            Err(error) => panic_unless_waiting(&error),
        }
    };
    streams.iter().filter(is_answered).count()
}

fn capture(caller: &Caller<'_>, order: &str) -> Reply {
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    caller.send("POST", &format!("/orders/{order}/captures"), Some(&body))
}

fn panic_unless_waiting(error: &std::io::Error) -> bool {
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    false
}

/// Sends the other account's request, and expects that it is answered before most of the greedy
/// account's that were not answered yet.
fn expect_early(what: &str, greedy: &[TcpStream], other: impl FnOnce() -> Reply) {
    let before = answered(greedy);
    other().expect(200);
    let first = answered(greedy) - before;
    say(&format!("{what}: {first} of {ASKED} were answered before the other account's"));
    assert!(first <= BEFORE_MAX, "{what}: {first} of {ASKED} came first");
}

#[test]
fn another_account_need_not_wait_until_all_of_one_are_read() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let (large, small) = (greedy.order(), other.order());
    let put = json!({"metadata": {"x": "x".repeat(900 << 10)}});
    greedy.send("PUT", &format!("/orders/{large}"), Some(&put)).expect(200);
    let reads = send_all(&greedy, "GET", &format!("/orders/{large}"), None);
    expect_early("reads", &reads, || other.send("GET", &format!("/orders/{small}"), None));
}

#[test]
fn another_account_need_not_wait_until_all_long_requests_of_one_are_recorded() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let items = json!([{"id": "a", "gross_amount": 100, "description": "x".repeat(900 << 10)}]);
    let draft = json!({"order": {"currency": "NOK", "items": items}});
    let writes = send_all(&greedy, "POST", "/draft_orders", Some(&draft));
    expect_early("long requests", &writes, || other.send("POST", "/draft_orders", Some(&draft)));
}

#[test]
fn another_account_need_not_wait_until_all_lines_of_one_are_recorded() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let order = other.order();
    let items = vec![json!({"id": "a", "gross_amount": 1}); 1_000];
    let draft = json!({"order": {"currency": "NOK", "items": items}});
    let writes = send_all(&greedy, "POST", "/draft_orders", Some(&draft));
    expect_early("drafts of a thousand lines", &writes, || capture(&other, &order));
}

#[test]
fn another_account_need_not_wait_until_all_drafts_of_one_are_completed() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let order = other.order();
    let item = |nth: usize| json!({"id": "a", "gross_amount": 1, "store": {"id": nth.to_string()}});
    let items: Vec<Value> = (0..100).map(item).collect();
    let draft = json!({"order": {"currency": "NOK", "items": items}});
    let drafts: Vec<Value> = (0..ASKED)
        .map(|_| greedy.send("POST", "/draft_orders", Some(&draft)).expect(200).body)
        .collect();
    let completions: Vec<TcpStream> = drafts
        .iter()
        .map(|draft| format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap()))
        .map(|path| send_one(&greedy, "PUT", &path, None))
        .collect();
    expect_early("completions", &completions, || capture(&other, &order));
}
