//! Faults in the process's surroundings: a log that is not read, and too little memory.

use std::io::Write;

use super::load::{PUBLIC_URL, Trial};
use super::sent::keys;
use super::{count, say};
use crate::harness::ACCOUNT;
use crate::http_client::{agent, basic, try_send};
use crate::process::{Served, after, command, path};

#[test]
fn an_unread_log_stops_neither_requests_nor_the_end() {
    let mut trial = Trial::new();
    let served = start_with_a_full_log(&trial, count("TILLBOOK_LOG_LINES", 3_000));
    trial.capture(&served, &keys("unread", 50));
    assert_eq!(trial.done(), 50);
    served.signal("TERM");
    assert_eq!(served.wait_unread(), 0);
    trial.expect_settled();
}

#[test]
fn a_server_whose_book_fails_ends_although_its_log_is_unread() {
    let mut trial = Trial::new();
    let served = start_with_a_full_log(&trial, 3_000);
    let client = agent();
    // Most of the file is overwritten while the server has only some of its pages in memory.
    let mut file = std::fs::OpenOptions::new().write(true).open(trial.db()).unwrap();
    file.write_all(&[0xff; 200_000]).unwrap();
    for nth in 0_u32.. {
        let answers = trial.capture(&served, &keys(&format!("lost {nth}"), 100));
        let is_off = try_send(&client, &served.url, "GET", "/health", &[], None);
        if answers.len() < 100 || is_off.map_or(true, |reply| reply.status != 200) {
            break;
        }
    }
    assert_eq!(served.wait_unread(), 70);
}

/// Limits of the address space, and whether the server must do all its work within them. glibc's
/// allocator reserves 64 MiB for each of its arenas.
const LITTLE: [(&str, bool); 3] = [
    ("export MALLOC_ARENA_MAX=1 && ulimit -v 524288", true),
    ("export MALLOC_ARENA_MAX=1 && ulimit -v 57000", false),
    ("ulimit -v 524288", false),
];

#[test]
fn little_memory_loses_no_answered_request() {
    let mut trial = Trial::new();
    for round in 0..count("TILLBOOK_MEMORY_ROUNDS", 1) {
        for (limit, is_enough) in LITTLE {
            let sent = keys(&format!("{limit} {round}"), 200);
            let done = work_within(limit, &mut trial, &sent);
            say(&format!("{limit}: {done:?} of {} done", sent.len()));
            assert!(!is_enough || done == Some(sent.len()), "{limit}: {done:?}");
            let served = trial.start();
            for (key, reply) in trial.capture(&served, &sent) {
                assert_eq!(reply.status, 200, "{key}: {}", reply.text);
            }
            trial.expect_settled();
        }
    }
}

/// The captures that a server did under a limit; `None` if it did not start or gave no token.
fn work_within(limit: &str, trial: &mut Trial, keys: &[String]) -> Option<usize> {
    let served = Served::try_start(after(limit, &trial.command())).ok()?;
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    let secret = basic(&trial.client);
    let headers = [("authorization", secret.as_str())];
    let asked = try_send(&agent(), &served.url, "POST", &path, &headers, None).ok()?;
    asked.body["access_token"].as_str()?;
    let answers = trial.capture(&served, keys);
    Some(answers.iter().filter(|(_, reply)| reply.status == 200).count())
}

/// Starts a server that logs every request, and sends it so many that its log fills the pipe, which
/// holds 64 KiB and is not read.
fn start_with_a_full_log(trial: &Trial, requests: u32) -> Served {
    let db = trial.db();
    let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "debug"];
    let served = Served::try_start(command(&args, &[("TILLBOOK_PUBLIC_URL", PUBLIC_URL)])).unwrap();
    let client = agent();
    for _ in 0..requests {
        try_send(&client, &served.url, "GET", "/health", &[], None).unwrap().expect(200);
    }
    served
}
