//! The server killed in the middle of its work: every answered operation is in the book, no
//! operation is there twice, and a request without an answer can be sent again under its key.

use super::load::{Load, Trial};
use super::sent::{Outcome, Sent};
use super::stored::stored;
use super::{Dice, count, say, seed};
use crate::audit;

#[test]
fn answered_operations_survive_kill_9_and_are_recorded_once() {
    let seed = seed("kill -9");
    let dice = Dice::new(seed);
    let mut trial = Trial::new();
    let mut server = trial.start();
    let (mut unknown, mut unknown_done) = (0, 0);
    for cycle in 0..count("TILLBOOK_CRASH_CYCLES", 20) {
        let load = Load { cycle, seed: dice.below(u64::MAX), answers: 1 + dice.below(150) };
        trial.work(&load, server, |server| {
            server.kill();
            None
        });
        server = trial.start();
        let before = stored(&trial.db());
        trial.expect_stored(&before);
        let settled = trial.settle(&server);
        unknown += settled.len();
        unknown_done += settled.iter().filter(|key| before.contains_key(*key)).count();
        audit::expect_clean(&trial.db());
    }
    let done = trial.done();
    say(&format!("{done} answered, {unknown} without an answer, {unknown_done} of them recorded"));
    assert!(0 < unknown, "no request was cut off");
    for target in &trial.targets {
        let path = format!("/orders/{}", target.order_id);
        audit::expect_balanced(&server.shopping(&trial.token, "GET", &path, None).expect(200).body);
    }
}

#[test]
fn a_signal_under_load_ends_with_exit_code_0_and_every_answer_sent() {
    let seed = seed("SIGTERM and Ctrl-C");
    let dice = Dice::new(seed);
    let mut trial = Trial::new();
    for cycle in 0..count("TILLBOOK_TERM_CYCLES", 4) {
        let server = trial.start();
        let load = Load { cycle, seed: dice.below(u64::MAX), answers: 50 + dice.below(100) };
        let stopping = trial.work(&load, server, |server| {
            server.signal(if cycle % 2 == 0 { "TERM" } else { "INT" });
            Some(server)
        });
        let server = stopping.unwrap();
        server.wait().expect(0);
        let wal = std::fs::metadata(trial.folder().join("book.db-wal"));
        assert!(
            wal.is_err() || wal.is_ok_and(|wal| wal.len() == 0),
            "the WAL was not written back"
        );
        let rows = stored(&trial.db());
        trial.expect_stored(&rows);
        let unanswered = trial.sent.values().filter(|sent| sent.outcome == Outcome::Unknown);
        let done: Vec<&Sent> = unanswered.filter(|sent| rows.contains_key(&sent.key)).collect();
        assert!(done.is_empty(), "committed and never answered: {done:?}");
        audit::expect_clean(&trial.db());
    }
}

#[test]
fn a_second_signal_under_load_ends_the_server_at_once_and_loses_nothing() {
    let seed = seed("two signals");
    let dice = Dice::new(seed);
    let mut trial = Trial::new();
    for cycle in 0..count("TILLBOOK_TERM_CYCLES", 4) {
        let server = trial.start();
        let _half = trial.send_half(&server);
        let load = Load { cycle, seed: dice.below(u64::MAX), answers: 50 + dice.below(100) };
        let (name, code) = if cycle % 2 == 0 { ("TERM", 143) } else { ("INT", 130) };
        let stopping = trial.work(&load, server, |server| {
            server.signal(name);
            // Once connections are refused, the server has received the first signal.
            server.wait_until_connections_are_refused();
            server.signal(name);
            Some(server)
        });
        stopping.unwrap().wait().expect(code);
        trial.expect_stored(&stored(&trial.db()));
        trial.settle(&trial.start());
        audit::expect_clean(&trial.db());
    }
}
