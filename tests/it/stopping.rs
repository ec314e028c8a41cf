//! Stopping: while another process holds the book's lock, the server stops soon and answers every
//! request first; and a server that has stopped leaves one file.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use super::harness::snapshot;
use super::http_client::health;
use super::process::{Served, make_book};
use super::trials::load::Trial;
use super::trials::say;
use super::trials::sent::{self, keys};
use super::trials::stored::stored;

/// How long stopping may take. It takes less than a second on an idle machine; a single wait for
/// the lock used to take five.
const STOPPED_S: u64 = 8;

/// Captures that wait when the server is told to stop: more than one batch.
const WAITING: u32 = 9;

/// Requests that the server answers while the captures wait. Once it has, it has also read the
/// captures.
const BEHIND: usize = 60;

/// Another process's lock on a book.
struct Lock(Connection);

impl Lock {
    fn take(trial: &Trial) -> Lock {
        #[expect(clippy::disallowed_methods, reason = "it is the other process")]
        let other = Connection::open(trial.db()).unwrap();
        other.execute_batch("begin immediate").unwrap();
        Lock(other)
    }

    fn let_go(self) {
        self.0.execute_batch("rollback").unwrap();
    }
}

/// Captures that were sent and whose answers are not read yet.
struct Sent(Vec<(String, TcpStream)>);

impl Sent {
    /// Sends the captures, and waits until the server has read them all.
    fn to(served: &Served, trial: &Trial, keys: &[String]) -> Sent {
        let send = |key: &String| {
            let sent::Sent { path, body, .. } = sent::Sent::capture(&trial.targets[0], key.clone());
            let (body, token) = (body.to_string(), &trial.token);
            let mut stream = TcpStream::connect(served.address()).unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
                 Idempotency-Key: {key}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            (key.clone(), stream)
        };
        let sent = Sent(keys.iter().map(send).collect());
        for _ in 0..BEHIND {
            served.shopping(&trial.token, "GET", &trial.order(), None).expect(200);
        }
        sent
    }

    /// Every answer: the key and the status.
    fn answers(self) -> Vec<(String, u16)> {
        let read = |(key, mut stream): (String, TcpStream)| {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let status = answer.split(' ').nth(1).map(|status| status.parse().unwrap());
            (key, status.unwrap_or_else(|| panic!("no answer came")))
        };
        self.0.into_iter().map(read).collect()
    }
}

#[test]
fn a_lock_of_another_process_keeps_no_server_from_stopping() {
    let mut trial = Trial::new();
    let served = trial.start();
    let before = snapshot(&trial.db());
    let lock = Lock::take(&trial);
    let keys = keys("stopped", WAITING);
    let sent = Sent::to(&served, &trial, &keys);
    served.signal("TERM");
    let told = Instant::now();
    let answers = sent.answers();
    served.wait().expect(0);
    let took = told.elapsed();
    say(&format!("stopped after {} ms", took.as_millis()));
    assert!(answers.iter().all(|(_, status)| *status == 503), "{answers:?}");
    assert_eq!(snapshot(&trial.db()), before);
    assert!(took < Duration::from_secs(STOPPED_S), "it took {took:?}");
    lock.let_go();
    let served = trial.start();
    assert!(trial.capture(&served, &keys).iter().all(|(_, reply)| reply.status == 200));
    trial.expect_settled();
}

#[test]
fn only_requests_recorded_while_stopping_are_answered_200() {
    let mut trial = Trial::new();
    let mut recorded = 0;
    for round in 0..4 {
        let served = trial.start();
        let lock = Lock::take(&trial);
        let keys = keys(&format!("round {round}"), WAITING);
        let sent = Sent::to(&served, &trial, &keys);
        served.signal("TERM");
        lock.let_go();
        let answers = sent.answers();
        served.wait().expect(0);
        let good = u32::try_from(answers.iter().filter(|(_, status)| *status == 200).count());
        let good = good.unwrap();
        assert!(answers.iter().all(|(_, status)| [200, 503].contains(status)), "{answers:?}");
        recorded += good;
        assert_eq!(captures(&trial), recorded, "{answers:?}");
        let served = trial.start();
        trial.capture(&served, &keys);
        recorded += WAITING - good;
        assert_eq!(captures(&trial), recorded);
    }
    trial.expect_settled();
}

/// The number of captures in the book, without those of the set-up.
fn captures(trial: &Trial) -> u32 {
    u32::try_from(stored(&trial.db()).values().map(Vec::len).sum::<usize>()).unwrap()
}

#[test]
fn a_server_that_has_stopped_leaves_only_the_book_and_its_lock() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    for signal in ["TERM", "INT"] {
        let served = Served::start(&db);
        let token = served.token(&client);
        // Each of these uses connections of the pool of readers.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| served.shopping(&token, "GET", "/orders", None).expect(200));
            }
        });
        let draft = json!({"order": {"currency": "NOK"}});
        served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
        assert_eq!(health(&served.url).status, 200);
        served.signal(signal);
        served.wait().expect(0);
        let files = std::fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["book.db", "book.db.lock"], "after {signal}");
    }
    // The one file has everything.
    let copy = dir.path().join("copy.db");
    std::fs::copy(&db, &copy).unwrap();
    assert_eq!(snapshot(&copy), snapshot(&db));
    let count: i64 = super::audit::open(&copy)
        .query_row("select count(*) from drafts", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 2);
}
