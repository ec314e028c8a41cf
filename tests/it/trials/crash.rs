//! The server killed in the middle of its work: what was answered is there, nothing is there
//! twice, and a request whose answer never came is settled by its key.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Dice, count, say, seed};
use crate::audit;
use crate::harness::{ACCOUNT, Client, agent, try_send};
use crate::process::{Served, make_book};

const CLIENTS: usize = 8;

const KINDS: [&str; 4] = ["authorizations", "captures", "refunds", "cancellations"];

/// So much on a line that no small amount is ever refused.
const PAYABLE: i64 = 1_000_000_000;

/// One request and what its sender knows of it.
#[derive(Debug, Clone)]
struct Sent {
    key: String,
    path: String,
    body: Value,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// A 200, with the operation's id.
    Done(String),
    Refused,
    /// No answer came.
    Unknown,
}

/// An order to work on.
#[derive(Debug, Clone)]
struct Target {
    order_id: String,
    authorization_id: Option<String>,
}

/// How much is done before the end comes.
struct Load {
    /// Which of the trial's runs this is; part of every key.
    cycle: u32,
    seed: u64,
    /// Answered requests, after which the end comes.
    answers: u64,
}

/// A book, its client, and all that was ever sent.
struct Trial {
    dir: TempDir,
    client: Client,
    targets: Vec<Target>,
    sent: Vec<Sent>,
}

#[test]
fn what_was_answered_survives_kill_9_and_nothing_is_there_twice() {
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
    let done = trial.sent.iter().filter(|sent| matches!(sent.outcome, Outcome::Done(_)));
    say(&format!("{} answered, {unknown} unknown, of these {unknown_done} done", done.count()));
    assert!(0 < unknown, "no request was ever cut off");
    for target in &trial.targets {
        let path = format!("/orders/{}", target.order_id);
        let token = server.token(&trial.client);
        audit::expect_balanced(&server.shopping(&token, "GET", &path, None).expect(200).body);
    }
}

#[test]
fn a_signal_under_load_ends_well_and_leaves_nothing_unanswered() {
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
        let wal = std::fs::metadata(trial.dir.path().join("book.db-wal"));
        assert!(wal.is_err() || wal.is_ok_and(|wal| wal.len() == 0), "the WAL was not put back");
        let rows = stored(&trial.db());
        trial.expect_stored(&rows);
        let unanswered = trial.sent.iter().filter(|sent| sent.outcome == Outcome::Unknown);
        let done: Vec<&Sent> = unanswered.filter(|sent| rows.contains_key(&sent.key)).collect();
        assert!(done.is_empty(), "committed and never answered: {done:?}");
        audit::expect_clean(&trial.db());
    }
}

#[test]
fn a_second_signal_under_load_ends_at_once_and_loses_nothing() {
    let seed = seed("two signals");
    let dice = Dice::new(seed);
    let mut trial = Trial::new();
    for cycle in 0..count("TILLBOOK_TERM_CYCLES", 4) {
        let server = trial.start();
        // Half a request, for which an orderly end waits until its deadline.
        let address = server.url.trim_start_matches("http://");
        let mut half = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /v1/accounts/{ACCOUNT}/shopping/draft_orders HTTP/1.1\r\nHost: x\r\n\
             Authorization: Bearer {}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
            server.token(&trial.client)
        );
        half.write_all(head.as_bytes()).unwrap();
        half.read_exact(&mut [0; 25]).unwrap();
        let load = Load { cycle, seed: dice.below(u64::MAX), answers: 50 + dice.below(100) };
        let (name, code) = if cycle % 2 == 0 { ("TERM", 143) } else { ("INT", 130) };
        let stopping = trial.work(&load, server, |server| {
            server.signal(name);
            // Once nobody can connect, the first has been heard.
            while std::net::TcpStream::connect(server.url.trim_start_matches("http://")).is_ok() {}
            server.signal(name);
            Some(server)
        });
        stopping.unwrap().wait().expect(code);
        trial.expect_stored(&stored(&trial.db()));
        trial.settle(&trial.start());
        audit::expect_clean(&trial.db());
    }
}

impl Trial {
    fn new() -> Trial {
        let dir = tempfile::tempdir().unwrap();
        let client = make_book(&dir.path().join("book.db"));
        let mut trial = Trial { dir, client, targets: Vec::new(), sent: Vec::new() };
        let server = trial.start();
        let token = server.token(&trial.client);
        trial.targets =
            [false, false, true].map(|multiple| Target::make(&server, &token, multiple)).to_vec();
        trial
    }

    fn db(&self) -> PathBuf {
        self.dir.path().join("book.db")
    }

    fn start(&self) -> Served {
        Served::start(&self.db())
    }

    /// Lets all clients work until enough requests are answered, then lets `end` end the
    /// server. Every client goes on until it gets no answer.
    fn work(
        &mut self,
        load: &Load,
        server: Served,
        end: impl FnOnce(Served) -> Option<Served>,
    ) -> Option<Served> {
        let (url, token) = (server.url.clone(), server.token(&self.client));
        let (tell, told) = channel();
        std::thread::scope(|scope| {
            for nth in 0..CLIENTS {
                let worker = Worker {
                    url: &url,
                    bearer: format!("Bearer {token}"),
                    targets: &self.targets,
                    dice: Dice::new(load.seed.wrapping_add(u64::try_from(nth).unwrap())),
                    keeps_alive: nth % 2 == 0,
                };
                let (name, tell) = (format!("{} {nth}", load.cycle), tell.clone());
                scope.spawn(move || worker.work(&name, &tell));
            }
            drop(tell);
            let mut answered = 0;
            while answered < load.answers {
                let sent: Sent = told.recv().unwrap();
                answered += u64::from(sent.outcome != Outcome::Unknown);
                self.sent.push(sent);
            }
            let server = end(server);
            self.sent.extend(told);
            server
        })
    }

    /// What was answered is in the file as it was answered, and nothing else but what got no
    /// answer.
    fn expect_stored(&self, rows: &HashMap<String, Vec<Stored>>) {
        let none = Vec::new();
        let mut known = 0;
        for sent in &self.sent {
            let rows = rows.get(&sent.key).unwrap_or(&none);
            known += rows.len();
            match &sent.outcome {
                Outcome::Done(id) => {
                    let amount = sent.body["items"][0]["amount"].as_i64().unwrap();
                    let kind = sent.path.rsplit('/').next().unwrap().to_owned();
                    let expected = Stored { id: id.clone(), kind, amount };
                    assert_eq!(*rows, [expected], "lost, changed or doubled: {sent:?}");
                }
                Outcome::Refused => assert!(rows.is_empty(), "refused and stored: {sent:?}"),
                Outcome::Unknown => assert!(rows.len() <= 1, "doubled: {sent:?}"),
            }
        }
        let all: usize = rows.values().map(Vec::len).sum();
        assert_eq!(all, known, "the file has operations that nobody sent");
    }

    /// Sends again, under its key, what got no answer; the keys of that.
    fn settle(&mut self, server: &Served) -> Vec<String> {
        let bearer = format!("Bearer {}", server.token(&self.client));
        let before = stored(&self.db());
        let mut keys = Vec::new();
        for sent in self.sent.iter_mut().filter(|sent| sent.outcome == Outcome::Unknown) {
            let headers = [("authorization", bearer.as_str()), ("idempotency-key", &sent.key)];
            let body = sent.body.to_string();
            let reply =
                try_send(&agent(), &server.url, "POST", &sent.path, &headers, Some(&body)).unwrap();
            let was_there = before.contains_key(&sent.key);
            assert_eq!(reply.header("idempotency-replayed").is_some(), was_there, "{sent:?}");
            sent.outcome = outcome(reply.status, &reply.body);
            keys.push(sent.key.clone());
        }
        self.expect_stored(&stored(&self.db()));
        keys
    }
}

impl Target {
    /// An order on which every small operation succeeds.
    fn make(server: &Served, token: &str, multiple: bool) -> Target {
        let post = |method: &str, path: &str, body: Value| {
            server.shopping(token, method, path, Some(&body)).expect(200).body
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let item =
            |line: i64, gross: i64| json!({"id": "p", "line_id": line, "gross_amount": gross});
        let items = [item(1, PAYABLE), item(2, -PAYABLE)];
        let draft = json!({
            "order": {"currency": "NOK", "items": items},
            "options": {"multiple_authorizations": multiple},
        });
        let draft = text(&post("POST", "/draft_orders", draft)["id"]);
        let done = post("PUT", &format!("/draft_orders/{draft}/complete"), json!({}));
        let order_id = text(&done["orders"][0]["order_id"]);
        let operate = |kind: &str, part: i64, under: &Option<String>| {
            let path = format!("/orders/{order_id}/{kind}");
            let items =
                [json!({"line_id": 1, "amount": part}), json!({"line_id": 2, "amount": -part})];
            let body = json!({"items": items, "authorization_id": under, "processed_by": "set up"});
            text(&post("POST", &path, body)["id"])
        };
        let authorization_id = Some(operate("authorizations", PAYABLE / 2, &None));
        operate("captures", PAYABLE / 4, &authorization_id);
        Target { order_id, authorization_id: authorization_id.filter(|_| multiple) }
    }
}

/// One client of the server.
struct Worker<'a> {
    url: &'a str,
    bearer: String,
    targets: &'a [Target],
    dice: Dice,
    keeps_alive: bool,
}

impl Worker<'_> {
    /// Sends requests, each under a key of its own, until one gets no answer.
    fn work(&self, name: &str, tell: &Sender<Sent>) {
        let mut client = agent();
        for nth in 0_u32.. {
            if !self.keeps_alive {
                client = agent();
            }
            let mut sent = self.draw(format!("{name} {nth}"));
            let headers =
                [("authorization", self.bearer.as_str()), ("idempotency-key", sent.key.as_str())];
            let body = sent.body.to_string();
            let reply = try_send(&client, self.url, "POST", &sent.path, &headers, Some(&body));
            if let Ok(reply) = &reply {
                sent.outcome = outcome(reply.status, &reply.body);
            }
            let ended = sent.outcome == Outcome::Unknown;
            tell.send(sent).unwrap();
            if ended {
                return;
            }
        }
    }

    fn draw(&self, key: String) -> Sent {
        let target = self.dice.pick(self.targets);
        let kind = self.dice.pick(&KINDS);
        let line = self.dice.amount(2);
        let sign = if line == 1 { 1 } else { -1 };
        let amount = match self.dice.below(20) {
            0 => PAYABLE * 2,
            _ => self.dice.amount(50),
        };
        let mut body = json!({
            "items": [{"line_id": line, "amount": sign * amount}],
            "processed_by": key,
        });
        if let Some(id) = &target.authorization_id {
            body["authorization_id"] = json!(id);
        }
        let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{}/{kind}", target.order_id);
        Sent { key, path, body, outcome: Outcome::Unknown }
    }
}

fn outcome(status: u16, body: &Value) -> Outcome {
    match status {
        200 => Outcome::Done(body["id"].as_str().unwrap().to_owned()),
        409 => Outcome::Refused,
        503 => Outcome::Unknown,
        _ => panic!("{status}: {body}"),
    }
}

/// An operation in the file.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    id: String,
    /// The collection's name.
    kind: String,
    amount: i64,
}

/// The operations in the file by the key that they were sent under, but for the set-up's.
fn stored(db: &Path) -> HashMap<String, Vec<Stored>> {
    let conn = audit::open(db);
    let sql = "select document, operations.id, kind, amount
        from operations join events using (event_seq)";
    let mut statement = conn.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut stored: HashMap<String, Vec<Stored>> = HashMap::new();
    while let Some(row) = rows.next().unwrap() {
        let document: String = row.get(0).unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let key = document["processed_by"].as_str().unwrap().to_owned();
        if key == "set up" {
            continue;
        }
        let kind: String = row.get(2).unwrap();
        let collection = KINDS.into_iter().find(|collection| collection[..4] == kind[..4]);
        stored.entry(key).or_default().push(Stored {
            id: row.get(1).unwrap(),
            kind: collection.unwrap().to_owned(),
            amount: row.get(3).unwrap(),
        });
    }
    stored
}
