//! The server killed while it sends webhooks: each committed event is delivered at least once, and
//! nothing that was not committed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::load::{Load, Trial};
use super::{Dice, count, say, seed};
use crate::audit;
use crate::harness::ACCOUNT;
use crate::http_client::send;
use crate::process::{Served, until};
use crate::receiver::Receiver;

#[test]
fn every_committed_event_is_delivered_and_no_other_through_kill_9() {
    let seed = seed("kill -9 while webhooks are sent");
    let dice = Dice::new(seed);
    let mut trial = Trial::new();
    let receiver = Receiver::start();
    let start = |trial: &Trial| {
        let allowed = [("TILLBOOK_WEBHOOK_ALLOW", "127.0.0.1")];
        trial.try_start(&allowed).unwrap_or_else(|ended| panic!("{}", ended.err))
    };
    let mut server = start(&trial);
    make_hook(&server, &trial, &receiver.url);
    let before = events(&trial);
    for cycle in 0..count("TILLBOOK_CRASH_CYCLES", 20) {
        let load = Load { cycle, seed: dice.below(u64::MAX), answers: 1 + dice.below(150) };
        trial.work(&load, server, |server| {
            server.kill();
            None
        });
        server = start(&trial);
    }
    // The last event is committed when no more come, so its delivery is the last.
    until("nothing waits to be delivered", || {
        number(&trial, "select count(*) from deliveries where state = 'waiting'") == 0
            && number(&trial, "select max(through_seq) from hooks")
                == number(&trial, "select max(event_seq) from events")
    });
    let committed: BTreeSet<i64> = events(&trial).difference(&before).copied().collect();
    let (mut got, mut repeated) = (BTreeMap::new(), 0);
    for one in receiver.come().into_iter().filter(|one| one.header("event") != "ping") {
        let (id, seq) = (one.header("webhook-id").to_owned(), one.body["seq"].as_i64().unwrap());
        if let Some((known, text)) = got.insert(seq, (id.clone(), one.text.clone())) {
            assert_eq!((known, text), (id, one.text), "event {seq} was delivered in two forms");
            repeated += 1;
        }
    }
    let got: BTreeSet<i64> = got.into_keys().collect();
    assert_eq!(got, committed, "delivered (left) and committed");
    say(&format!("{} events, {repeated} of them delivered again", got.len()));
    drop(server);
    audit::expect_clean(&trial.db());
}

pub(super) fn make_hook(server: &Served, trial: &Trial, url: &str) {
    let path = format!("/v1/accounts/{ACCOUNT}/hooks/subscriptions");
    let body = json!({"config": {"url": url}, "events": ["shopping_order_event_add"]});
    let bearer = format!("Bearer {}", trial.token);
    let headers = [("authorization", bearer.as_str())];
    send(&server.url, "POST", &path, &headers, Some(&body.to_string())).expect(200);
}

/// The numbers of all operations.
fn events(trial: &Trial) -> BTreeSet<i64> {
    let conn = open(trial);
    let sql = "select event_seq from events where operation_id is not null";
    let mut statement = conn.prepare(sql).unwrap();
    let seqs = statement.query_map([], |row| row.get(0)).unwrap();
    seqs.map(Result::unwrap).collect()
}

fn number(trial: &Trial, sql: &str) -> i64 {
    open(trial).query_row(sql, [], |row| row.get(0)).unwrap()
}

fn open(trial: &Trial) -> rusqlite::Connection {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    #[expect(clippy::disallowed_methods, reason = "the trial looks into the file from outside")]
    rusqlite::Connection::open_with_flags(trial.db(), flags).unwrap()
}
