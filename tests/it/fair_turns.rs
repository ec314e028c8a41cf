//! Accounts take turns: however much one asks for at once, another waits only for what is being
//! done already.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::large_answers::{Caller, OTHER, caller, two_accounts};
use super::trials::say;

/// Requests that the greedy account sends before the other account sends one. Fewer than may wait.
const ASKED: usize = 30;

/// How many of them may be answered before the other account's: those in progress, and those that
/// take turns with it.
const BEFORE_MAX: usize = ASKED / 3;

/// Sends requests at the same time, each on a connection of its own.
fn send_all(caller: &Caller<'_>, method: &str, path: &str, body: Option<&Value>) -> Vec<TcpStream> {
    let request = caller.bytes(method, path, body);
    let send = || {
        let mut stream = TcpStream::connect(caller.served.address()).unwrap();
        stream.write_all(&request).unwrap();
        stream
    };
    (0..ASKED).map(|_| send()).collect()
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

fn panic_unless_waiting(error: &std::io::Error) -> bool {
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
    false
}

fn expect_early(what: &str, before: usize) {
    say(&format!("{what}: {before} of {ASKED} were answered before the other account's"));
    assert!(before <= BEFORE_MAX, "{what}: {before} of {ASKED} came first");
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
    other.send("GET", &format!("/orders/{small}"), None).expect(200);
    expect_early("reads", answered(&reads));
}

#[test]
fn another_account_need_not_wait_until_all_long_requests_of_one_are_recorded() {
    let (_dir, served, greedy, other) = two_accounts();
    let greedy = caller(&served, "T12345678", &greedy);
    let other = caller(&served, OTHER, &other);
    let items = json!([{"id": "a", "gross_amount": 100, "description": "x".repeat(900 << 10)}]);
    let draft = json!({"order": {"currency": "NOK", "items": items}});
    let writes = send_all(&greedy, "POST", "/draft_orders", Some(&draft));
    other.send("POST", "/draft_orders", Some(&draft)).expect(200);
    expect_early("long requests", answered(&writes));
}
