//! A book under load, for the trials that end its server badly: clients that send operations, each
//! under a key of its own, what each of them knows, and what is in the file afterwards.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Dice;
use crate::audit;
use crate::harness::{ACCOUNT, Reply, agent, try_send};
use crate::process::{Ended, Served, make_book, serve_command};

const CLIENTS: usize = 8;

const KINDS: [&str; 4] = ["authorizations", "captures", "refunds", "cancellations"];

/// So much on a line that no small amount is ever refused.
const PAYABLE: i64 = 1_000_000_000;

/// One request and what its sender knows of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub key: String,
    path: String,
    body: Value,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A 200, with the operation's id.
    Done(String),
    /// An answer that says that nothing was recorded.
    Refused,
    /// No answer came, or one that leaves it open.
    Unknown,
}

/// An order to work on.
#[derive(Debug, Clone)]
pub struct Target {
    pub order_id: String,
    authorization_id: Option<String>,
}

/// How much is done before the end comes.
pub struct Load {
    /// Which of the trial's runs this is; part of every key.
    pub cycle: u32,
    pub seed: u64,
    /// Answered requests, after which the end comes.
    pub answers: u64,
}

/// A book, and all that was ever sent to its server.
pub struct Trial {
    dir: TempDir,
    /// Good for every server of this book, since all have the same public URL.
    pub token: String,
    pub targets: Vec<Target>,
    pub sent: Vec<Sent>,
}

impl Trial {
    pub fn new() -> Trial {
        let dir = tempfile::tempdir().unwrap();
        let client = make_book(&dir.path().join("book.db"));
        let (token, targets, sent) = (String::new(), Vec::new(), Vec::new());
        let mut trial = Trial { dir, token, targets, sent };
        let server = trial.start();
        trial.token = server.token(&client);
        trial.targets = [false, false, true]
            .map(|multiple| Target::make(&server, &trial.token, multiple))
            .to_vec();
        server.signal("TERM");
        server.wait().expect(0);
        trial
    }

    /// The same book once more, in a folder of its own.
    pub fn copy(&self) -> Trial {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder()).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        let (token, targets) = (self.token.clone(), self.targets.clone());
        Trial { dir, token, targets, sent: self.sent.clone() }
    }

    /// The same book with so much in its WAL that a server under load soon puts that back.
    pub fn with_long_wal(&self) -> Trial {
        const COMMITS: u32 = 950;
        #[expect(clippy::disallowed_methods, reason = "only while this is open does a WAL stay")]
        let conn = rusqlite::Connection::open(self.db()).unwrap();
        for _ in 0..COMMITS {
            conn.execute_batch("update book set access_version = access_version + 1").unwrap();
        }
        self.copy()
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn db(&self) -> PathBuf {
        self.folder().join("book.db")
    }

    pub fn start(&self) -> Served {
        self.try_start(&[]).unwrap_or_else(|ended| panic!("it did not start: {}", ended.err))
    }

    /// Starts the server with more in its environment; how it ended if it did not start.
    pub fn try_start(&self, environment: &[(&str, &str)]) -> Result<Served, Ended> {
        let mut command = serve_command(&self.db());
        command.env("TILLBOOK_PUBLIC_URL", "http://trial.example");
        command.envs(environment.iter().copied());
        Served::try_start(command)
    }

    /// Lets all clients work until enough requests are answered, then lets `end` end the
    /// server. Every client goes on until it gets no answer.
    pub fn work(
        &mut self,
        load: &Load,
        server: Served,
        end: impl FnOnce(Served) -> Option<Served>,
    ) -> Option<Served> {
        let url = server.url.clone();
        let (tell, told) = channel();
        std::thread::scope(|scope| {
            for nth in 0..CLIENTS {
                let seed = load.seed.wrapping_add(u64::try_from(nth).unwrap());
                let worker = self.worker(&url, seed, nth % 2 == 0);
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

    /// A client of the server at that URL.
    fn worker(&self, url: &str, seed: u64, keeps_alive: bool) -> Worker {
        let (url, targets) = (url.to_owned(), self.targets.clone());
        let bearer = format!("Bearer {}", self.token);
        Worker { url, bearer, targets, dice: Dice::new(seed), keeps_alive }
    }

    /// Sends so many requests, one after the other, whatever becomes of them.
    pub fn send_some(&mut self, server: &Served, seed: u64, requests: u32) {
        let worker = self.worker(&server.url, seed, true);
        let client = agent();
        let sent = (0..requests).map(|nth| worker.send(&client, format!("{nth}")));
        let sent: Vec<Sent> = sent.collect();
        self.sent.extend(sent);
    }

    /// Half a request, for whose other half an orderly end waits until its deadline or until this
    /// connection ends.
    pub fn send_half(&self, server: &Served) -> TcpStream {
        let mut half = TcpStream::connect(server.address()).unwrap();
        let head = format!(
            "POST /v1/accounts/{ACCOUNT}/shopping/draft_orders HTTP/1.1\r\nHost: x\r\n\
             Authorization: Bearer {}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
            self.token
        );
        half.write_all(head.as_bytes()).unwrap();
        half.read_exact(&mut [0; 25]).unwrap();
        half
    }

    /// How the operations in a file differ from what was answered before it came to be, and from
    /// what was sent at all. `was_answered` tells which ids had been in an answer.
    pub fn differences(
        &self,
        rows: &HashMap<String, Vec<Stored>>,
        was_answered: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let none = Vec::new();
        let mut known = 0;
        let mut off = Vec::new();
        for sent in &self.sent {
            let rows = rows.get(&sent.key).unwrap_or(&none);
            known += rows.len();
            let wrong = match &sent.outcome {
                Outcome::Done(id) if was_answered(id) || !rows.is_empty() => {
                    let amount = sent.body["items"][0]["amount"].as_i64().unwrap();
                    let kind = sent.path.rsplit('/').next().unwrap().to_owned();
                    let expected = Stored { id: id.clone(), kind, amount };
                    (*rows != [expected]).then_some("lost, changed or doubled")
                }
                Outcome::Done(_) => None,
                Outcome::Refused => (!rows.is_empty()).then_some("refused and stored"),
                Outcome::Unknown => (1 < rows.len()).then_some("doubled"),
            };
            off.extend(wrong.map(|wrong| format!("{wrong}: {sent:?}, stored {rows:?}")));
        }
        let all: usize = rows.values().map(Vec::len).sum();
        if all != known {
            off.push(format!("{} operations that nobody sent", all - known));
        }
        off
    }

    /// What was answered is in the file as it was answered, and nothing else but what got no
    /// answer.
    #[track_caller]
    pub fn expect_stored(&self, rows: &HashMap<String, Vec<Stored>>) {
        let off = self.differences(rows, |_| true);
        assert!(off.is_empty(), "{off:#?}");
    }

    /// Sends again, under its key, what got no answer; the keys of that.
    pub fn settle(&mut self, server: &Served) -> Vec<String> {
        let bearer = format!("Bearer {}", self.token);
        let before = stored(&self.db());
        let mut keys = Vec::new();
        for sent in self.sent.iter_mut().filter(|sent| sent.outcome == Outcome::Unknown) {
            let headers = [("authorization", bearer.as_str()), ("idempotency-key", &sent.key)];
            let body = sent.body.to_string();
            let reply =
                try_send(&agent(), &server.url, "POST", &sent.path, &headers, Some(&body)).unwrap();
            let was_there = before.contains_key(&sent.key);
            assert_eq!(reply.header("idempotency-replayed").is_some(), was_there, "{sent:?}");
            sent.outcome = outcome(&reply);
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
struct Worker {
    url: String,
    bearer: String,
    targets: Vec<Target>,
    dice: Dice,
    keeps_alive: bool,
}

impl Worker {
    /// Sends requests, each under a key of its own, until one gets no answer.
    fn work(&self, name: &str, tell: &Sender<Sent>) {
        let mut client = agent();
        for nth in 0_u32.. {
            if !self.keeps_alive {
                client = agent();
            }
            let sent = self.send(&client, format!("{name} {nth}"));
            let ended = sent.outcome == Outcome::Unknown;
            tell.send(sent).unwrap();
            if ended {
                return;
            }
        }
    }

    fn send(&self, client: &ureq::Agent, key: String) -> Sent {
        let mut sent = self.draw(key);
        let headers =
            [("authorization", self.bearer.as_str()), ("idempotency-key", sent.key.as_str())];
        let body = sent.body.to_string();
        let reply = try_send(client, &self.url, "POST", &sent.path, &headers, Some(&body));
        match &reply {
            Ok(reply) => sent.outcome = outcome(reply),
            Err(ureq::Error::Timeout(_)) => panic!("no answer and no end: {sent:?}"),
            Err(_) => {}
        }
        sent
    }

    fn draw(&self, key: String) -> Sent {
        let target = self.dice.pick(&self.targets);
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

fn outcome(reply: &Reply) -> Outcome {
    match reply.status {
        200 => Outcome::Done(reply.body["id"].as_str().unwrap().to_owned()),
        409 => Outcome::Refused,
        503 => {
            assert!(reply.header("retry-after").is_some(), "{reply:?}");
            let nothing = reply.text.contains("Nothing was recorded");
            if nothing { Outcome::Refused } else { Outcome::Unknown }
        }
        _ => panic!("{reply:?}"),
    }
}

/// An operation in the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    id: String,
    /// The collection's name.
    kind: String,
    amount: i64,
}

/// The operations in the file by the key that they were sent under, but for the set-up's.
pub fn stored(db: &Path) -> HashMap<String, Vec<Stored>> {
    let conn = audit::open(db);
    let sql =
        "select document, operation_id, kind, amount from events where operation_id is not null";
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
