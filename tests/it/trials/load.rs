//! A book under load: clients that send operations, each under its own key, and a record of every
//! request and its outcome. The trials that end or disturb a server use it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use tempfile::TempDir;

use super::Dice;
use super::sent::{Outcome, Sent, Target, outcome};
use super::stored::{Stored, differences, stored};
use crate::audit;
use crate::harness::ACCOUNT;
use crate::http_client::{Client, Reply, agent, try_send};
use crate::process::{Ended, Served, make_book, serve_command};

const CLIENTS: usize = 8;

/// The public URL of every server of a trial, so that one token is good for all of them.
pub const PUBLIC_URL: &str = "http://trial.example";

/// The load before a server is ended.
pub struct Load {
    /// The number of the trial's run, which is part of every key.
    pub cycle: u32,
    pub seed: u64,
    /// The server is ended after this many answers.
    pub answers: u64,
}

/// A book, and every request that was sent to its servers.
pub struct Trial {
    folder: PathBuf,
    /// Deleted with this.
    _dir: Option<TempDir>,
    pub client: Client,
    pub token: String,
    pub targets: Vec<Target>,
    /// By key, each with its last known outcome.
    pub sent: BTreeMap<String, Sent>,
}

impl Trial {
    pub fn new() -> Trial {
        let dir = tempfile::tempdir().unwrap();
        let mut trial = Trial::new_in(dir.path());
        trial._dir = Some(dir);
        trial
    }

    /// Makes the book in this folder, which is not deleted.
    pub fn new_in(folder: &Path) -> Trial {
        let client = make_book(&folder.join("book.db"));
        let (token, targets, sent) = (String::new(), Vec::new(), BTreeMap::new());
        let mut trial =
            Trial { folder: folder.to_owned(), _dir: None, client, token, targets, sent };
        let server = trial.start();
        trial.token = server.token(&trial.client);
        trial.targets = [false, false, true]
            .map(|multiple| Target::make(&server, &trial.token, multiple))
            .to_vec();
        server.signal("TERM");
        server.wait().expect(0);
        trial
    }

    /// A copy of the book in a folder of its own.
    pub fn copy(&self) -> Trial {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        Trial {
            folder: dir.path().to_owned(),
            _dir: Some(dir),
            client: self.client.clone(),
            token: self.token.clone(),
            targets: self.targets.clone(),
            sent: self.sent.clone(),
        }
    }

    /// A copy of the book with so long a WAL that a server under load soon does a checkpoint.
    pub fn with_long_wal(&self) -> Trial {
        const COMMITS: u32 = 950;
        #[expect(clippy::disallowed_methods, reason = "the WAL is deleted when this is closed")]
        let conn = rusqlite::Connection::open(self.db()).unwrap();
        for _ in 0..COMMITS {
            conn.execute_batch("update book set access_version = access_version + 1").unwrap();
        }
        self.copy()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn db(&self) -> PathBuf {
        self.folder.join("book.db")
    }

    /// The path of the first order below `/shopping`.
    pub fn order(&self) -> String {
        format!("/orders/{}", self.targets[0].order_id)
    }

    /// Serves the book on a free port.
    pub fn command(&self) -> Command {
        let mut command = serve_command(&self.db());
        command.env("TILLBOOK_PUBLIC_URL", PUBLIC_URL);
        command
    }

    pub fn start(&self) -> Served {
        self.try_start(&[]).unwrap_or_else(|ended| panic!("it did not start: {}", ended.err))
    }

    /// Starts the server with more variables in its environment; its result if it ended instead.
    pub fn try_start(&self, environment: &[(&str, &str)]) -> Result<Served, Ended> {
        let mut command = self.command();
        command.envs(environment.iter().copied());
        Served::try_start(command)
    }

    /// Lets all clients work until enough requests are answered, and then calls `end` to end the
    /// server. Every client goes on until one of its requests gets no answer.
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
                let worker = Worker {
                    connection: self.connection(&url),
                    targets: self.targets.clone(),
                    dice: Dice::new(seed),
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
                self.remember(sent);
            }
            let server = end(server);
            told.into_iter().for_each(|sent| self.remember(sent));
            server
        })
    }

    /// Sends one capture for each key, several at once, and returns every answer that came.
    pub fn capture(&mut self, server: &Served, keys: &[String]) -> Vec<(String, Reply)> {
        let (waiting, target) = (Mutex::new(keys.iter()), &self.targets[0]);
        let connections = [(); CLIENTS].map(|()| self.connection(&server.url));
        let work = |connection: Connection| {
            let next = || waiting.lock().unwrap().next().cloned();
            let send = |key| connection.send(Sent::capture(target, key));
            std::iter::from_fn(|| next().map(send)).collect::<Vec<_>>()
        };
        let work = &work;
        let tried: Vec<(Sent, Option<Reply>)> = std::thread::scope(|scope| {
            let working = connections.map(|connection| scope.spawn(move || work(connection)));
            working.into_iter().flat_map(|working| working.join().unwrap()).collect()
        });
        let mut answers = Vec::new();
        for (sent, reply) in tried {
            answers.extend(reply.map(|reply| (sent.key.clone(), reply)));
            self.remember(sent);
        }
        answers
    }

    /// Sends so many requests, one after the other, and ignores their outcome.
    pub fn send_some(&mut self, server: &Served, seed: u64, requests: u32) {
        let (connection, dice) = (self.connection(&server.url), Dice::new(seed));
        for nth in 0..requests {
            let sent = Sent::draw(&self.targets, &dice, format!("{nth}"));
            self.remember(connection.send(sent).0);
        }
    }

    fn connection(&self, url: &str) -> Connection {
        Connection { url: url.to_owned(), bearer: format!("Bearer {}", self.token), agent: agent() }
    }

    /// Remembers the outcome of a request. Panics if a recorded operation gets another answer
    /// later.
    fn remember(&mut self, sent: Sent) {
        let before = self.sent.get(&sent.key).map(|before| before.outcome.clone());
        if let Some(before @ Outcome::Done(_)) = before {
            let is_same = sent.outcome == before || sent.outcome == Outcome::Unknown;
            assert!(is_same, "{before:?}, then {sent:?}");
            return;
        }
        self.sent.insert(sent.key.clone(), sent);
    }

    /// Sends half a request. A server that stops waits for the other half, until the deadline or
    /// until this connection is closed.
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

    /// How many requests got a 200.
    pub fn done(&self) -> usize {
        self.sent.values().filter(|sent| matches!(sent.outcome, Outcome::Done(_))).count()
    }

    /// Panics unless every operation that got a 200 is in the file unchanged, and every other
    /// operation in the file is of a request without an answer.
    #[track_caller]
    pub fn expect_stored(&self, rows: &HashMap<String, Vec<Stored>>) {
        let off = differences(&self.sent, rows, |_| true);
        assert!(off.is_empty(), "{off:#?}");
    }

    /// Panics unless every outcome is known, the file has exactly the operations that got a 200,
    /// and its sums are right.
    #[track_caller]
    pub fn expect_settled(&self) {
        let unknown = self.sent.values().find(|sent| sent.outcome == Outcome::Unknown);
        assert!(unknown.is_none(), "the outcome is unknown: {unknown:?}");
        self.expect_stored(&stored(&self.db()));
        audit::expect_clean(&self.db());
    }

    /// Sends every request without an answer again under its key, and returns these keys.
    pub fn settle(&mut self, server: &Served) -> Vec<String> {
        let connection = self.connection(&server.url);
        let before = stored(&self.db());
        let unknown = |sent: &&Sent| sent.outcome == Outcome::Unknown;
        let unsettled: Vec<Sent> = self.sent.values().filter(unknown).cloned().collect();
        let mut keys = Vec::new();
        for sent in unsettled {
            let (sent, reply) = connection.send(sent);
            let was_there = before.contains_key(&sent.key);
            let is_replayed = reply.unwrap().header("idempotency-replayed").is_some();
            assert_eq!(is_replayed, was_there, "{sent:?}");
            keys.push(sent.key.clone());
            self.remember(sent);
        }
        self.expect_stored(&stored(&self.db()));
        keys
    }
}

/// Connections of one client to one server.
struct Connection {
    url: String,
    bearer: String,
    agent: ureq::Agent,
}

impl Connection {
    /// Sends a request; returns it with its outcome, and the answer if one came.
    fn send(&self, mut sent: Sent) -> (Sent, Option<Reply>) {
        let headers =
            [("authorization", self.bearer.as_str()), ("idempotency-key", sent.key.as_str())];
        let body = sent.body.to_string();
        let reply = try_send(&self.agent, &self.url, "POST", &sent.path, &headers, Some(&body));
        if let Err(ureq::Error::Timeout(_)) = reply {
            panic!("no answer, and the connection did not end: {sent:?}");
        }
        let reply = reply.ok();
        sent.outcome = reply.as_ref().map_or(Outcome::Unknown, outcome);
        (sent, reply)
    }
}

/// A client that sends random operations.
struct Worker {
    connection: Connection,
    targets: Vec<Target>,
    dice: Dice,
    keeps_alive: bool,
}

impl Worker {
    /// Sends operations until one gets no answer.
    fn work(mut self, name: &str, tell: &Sender<Sent>) {
        for nth in 0_u32.. {
            if !self.keeps_alive {
                self.connection.agent = agent();
            }
            let sent = Sent::draw(&self.targets, &self.dice, format!("{name} {nth}"));
            let (sent, _) = self.connection.send(sent);
            let is_last = sent.outcome == Outcome::Unknown;
            tell.send(sent).unwrap();
            if is_last {
                return;
            }
        }
    }
}
