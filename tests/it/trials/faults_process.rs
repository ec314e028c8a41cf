//! What surrounds the process failing it: a log that nobody reads, memory that is not there.

use std::io::Write;

use super::load::{Shop, keys};
use super::{count, say};
use crate::harness::{ACCOUNT, agent, basic, try_send};
use crate::process::{Served, after, command, path, serve_command};

#[test]
fn a_log_that_nobody_reads_stops_neither_requests_nor_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::make(dir.path());
    let args = ["serve", "--db", path(&shop.db), "--listen", "127.0.0.1:0", "--log", "debug"];
    let served = Served::try_start(command(&args, &[])).unwrap();
    let token = served.token(&shop.client);
    // A pipe holds 64 KiB, a line for each of these is far more.
    let client = agent();
    for _ in 0..count("TILLBOOK_LOG_LINES", 3_000) {
        try_send(&client, &served.url, "GET", "/health", &[], None).unwrap().expect(200);
    }
    shop.capture(&served.url, &token, &keys("unread", 50));
    assert_eq!(shop.answered.len(), 50);
    served.signal("TERM");
    assert_eq!(served.wait_unread(), 0);
    shop.expect_stored(0);
}

#[test]
fn a_server_whose_book_fails_ends_though_nobody_reads_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::make(dir.path());
    let args = ["serve", "--db", path(&shop.db), "--listen", "127.0.0.1:0", "--log", "debug"];
    let served = Served::try_start(command(&args, &[])).unwrap();
    let token = served.token(&shop.client);
    let client = agent();
    for _ in 0..3_000 {
        try_send(&client, &served.url, "GET", "/health", &[], None).unwrap().expect(200);
    }
    // The disk loses the file's pages under a server that has some of them in memory only.
    let mut file = std::fs::OpenOptions::new().write(true).open(&shop.db).unwrap();
    file.write_all(&[0xff; 200_000]).unwrap();
    for nth in 0_u32.. {
        let answers = shop.capture(&served.url, &token, &keys(&format!("lost {nth}"), 100));
        let is_off = try_send(&client, &served.url, "GET", "/health", &[], None);
        if answers.len() < 100 || is_off.map_or(true, |reply| reply.status != 200) {
            break;
        }
    }
    assert_eq!(served.wait_unread(), 70);
}

/// What the server may take of the address space, and how much of its work it must do within that.
/// The allocator of glibc sets 64 MiB aside for each of its arenas, used or not.
const LITTLE: [(&str, bool); 3] = [
    ("export MALLOC_ARENA_MAX=1 && ulimit -v 524288", true),
    ("export MALLOC_ARENA_MAX=1 && ulimit -v 57000", false),
    ("ulimit -v 524288", false),
];

#[test]
fn little_memory_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut shop = Shop::make(dir.path());
    for round in 0..count("TILLBOOK_MEMORY_ROUNDS", 1) {
        for (limit, is_enough) in LITTLE {
            let sent = keys(&format!("{limit} {round}"), 200);
            let done = work_within(limit, &mut shop, &sent);
            say(&format!("{limit}: {done:?} of {} done", sent.len()));
            assert!(!is_enough || done == Some(sent.len()), "{limit}: {done:?}");
            let served = Served::start(&shop.db);
            let token = served.token(&shop.client);
            for (key, reply) in shop.capture(&served.url, &token, &sent) {
                assert_eq!(reply.status, 200, "{key}: {}", reply.text);
            }
            shop.expect_stored(0);
        }
    }
}

/// How many captures a server did under a limit; `None` if it did not come to that.
fn work_within(limit: &str, shop: &mut Shop, keys: &[String]) -> Option<usize> {
    let served = Served::try_start(after(limit, &serve_command(&shop.db))).ok()?;
    let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
    let secret = basic(&shop.client);
    let headers = [("authorization", secret.as_str())];
    let asked = try_send(&agent(), &served.url, "POST", &path, &headers, None).ok()?;
    let answers = shop.capture(&served.url, asked.body["access_token"].as_str()?, keys);
    Some(answers.iter().filter(|(_, reply)| reply.status == 200).count())
}
