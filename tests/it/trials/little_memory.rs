//! A server with the memory of a small container survives what strangers and clients can do to it,
//! one thing after the other.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::load::Trial;
use super::sent::keys;
use super::{count, say};
use crate::bounds::{pipeline_unread, send_odd_requests};
use crate::half_sent::{halves, send_halves};
use crate::harness::ACCOUNT;
use crate::http_client::{agent, health, try_send};
use crate::process::{Served, after};

/// The memory of a small container.
const CONTAINER_BYTES: u64 = 256 << 20;

/// Most bytes that the log of all of it may have.
const LOG_BYTES_MAX: usize = 1 << 20;

/// Sign-ins at the same time.
const SIGN_INS: usize = 300;

/// Rounds of malformed requests of 1.3 MB each.
const ODD_ROUNDS: u32 = 15;

/// Makes a group of processes with that much memory; `None` where the system does not allow it.
fn container() -> Option<PathBuf> {
    let name = format!("tillbook-{}", std::process::id());
    let kinds =
        [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")];
    kinds.into_iter().find_map(|(root, limit)| {
        let folder = Path::new(root).join(&name);
        std::fs::create_dir(&folder).ok()?;
        std::fs::write(folder.join(limit), CONTAINER_BYTES.to_string()).ok()?;
        Some(folder)
    })
}

/// A server under attack, and the honest client that goes on beside it.
struct Attacked {
    trial: Trial,
    served: Served,
    done: usize,
}

impl Attacked {
    /// Records some captures after something was done to the server, which must not have ended.
    fn survived(&mut self, what: &str, most: u64) {
        let most = most.max(self.served.resident_bytes());
        say(&format!("{what}: {} MiB at most", most >> 20));
        let anonymous = self.served.anonymous_bytes();
        assert!(anonymous < CONTAINER_BYTES, "{what}: {} MiB", anonymous >> 20);
        self.trial.capture(&self.served, &keys(what, 20));
        self.done += 20;
        assert_eq!(self.trial.done(), self.done, "{what}");
    }

    /// Many requests on many connections of which no answer is read.
    fn pipelines(&mut self) {
        let wanted = usize::try_from(count("TILLBOOK_PIPELINES", 1_000)).unwrap();
        let token = format!("Authorization: Bearer {}\r\n", self.trial.token);
        let orders = format!("/v1/accounts/{ACCOUNT}/shopping/orders?limit=100");
        for (path, headers) in
            [("/health", ""), ("/openapi.json", ""), ("/admin/sign-in", ""), (&orders, &token)]
        {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
            let most = pipeline_unread(&self.served, wanted, &request, &mut Vec::new());
            self.survived(path, most);
        }
    }

    /// Large answers that are not read.
    fn large_answers(&mut self) {
        let order = self.large_order();
        let request = format!(
            "GET /v1/accounts/{ACCOUNT}/shopping{order}?include_events=true HTTP/1.1\r\n\
             Host: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            self.trial.token
        );
        let mut open = Vec::new();
        let mut most = 0;
        for _ in 0..100 {
            let mut stream = TcpStream::connect(self.served.address()).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            open.push(stream);
            most = most.max(self.served.resident_bytes());
        }
        // All of them are answered or refused, as far as the server sends it.
        for stream in &mut open {
            stream.read_exact(&mut [0]).unwrap();
            most = most.max(self.served.resident_bytes());
        }
        self.survived("answers of 6 MB", most);
    }

    /// The path of an order of 6 MB below `/shopping`.
    fn large_order(&self) -> String {
        let order = self.trial.order();
        let document = json!({"metadata": {"x": "x".repeat((1 << 20) - 200)}});
        for _ in 0..6 {
            self.served.shopping(&self.trial.token, "PUT", &order, Some(&document)).expect(200);
        }
        order
    }

    /// Requests of which all but the last byte arrives.
    fn half_sent(&mut self) {
        let wanted = usize::try_from(count("TILLBOOK_HALVES", 220)).unwrap();
        for half in halves(&self.trial.token) {
            let most = send_halves(&self.served, wanted, &half, &mut Vec::new());
            self.survived(half.what, most);
        }
    }

    /// People who sign in at the same time.
    fn sign_ins(&mut self) {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = &self.served.url;
        let sign_in = |nth: usize| {
            let body = format!("email=a{nth}%40example.no&password=wrong-{nth}");
            let reply =
                try_send(&agent(), url, "POST", "/admin/sign-in", &headers, Some(&body)).unwrap();
            reply.status
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..SIGN_INS).map(|nth| scope.spawn(move || sign_in(nth))).collect();
            for one in all {
                assert_ne!(one.join().unwrap(), 303);
            }
        });
        self.survived("sign-ins", 0);
    }

    /// Malformed requests with long headers.
    fn odd_requests(&mut self) {
        for _ in 0..ODD_ROUNDS {
            send_odd_requests(&self.served);
        }
        self.survived("odd headers", 0);
    }
}

/// Starts a server in a container, if the system allows one.
fn serve(trial: &Trial, folder: Option<&Path>) -> Served {
    let Some(folder) = folder else { return trial.start() };
    let enter = format!("echo $$ > {}/cgroup.procs", folder.display());
    Served::try_start(after(&enter, &trial.command())).unwrap()
}

#[test]
fn a_server_in_a_small_container_survives_everything() {
    let trial = Trial::new();
    let folder = container();
    say(&format!("limited by the system: {}", folder.is_some()));
    let mut served = serve(&trial, folder.as_deref());
    let mut log = served.log();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let mut attacked = Attacked { trial, served, done: 0 };
    attacked.pipelines();
    attacked.large_answers();
    attacked.half_sent();
    attacked.sign_ins();
    attacked.odd_requests();
    health(&attacked.served.url).expect(200);
    attacked.served.signal("TERM");
    assert_eq!(attacked.served.wait_unread(), 0);
    let log = reader.join().unwrap();
    say(&format!("{} bytes of log", log.len()));
    assert!(log.len() < LOG_BYTES_MAX, "{} bytes of log", log.len());
    if let Some(folder) = folder {
        std::fs::remove_dir(folder).unwrap();
    }
    attacked.trial.expect_settled();
}
