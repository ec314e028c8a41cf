//! The program itself: `tillbook` as a process, its files, its exit codes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::harness::{ACCOUNT, Client, Reply, basic, send};

/// How long a process may take to end before the test fails; far more than it needs.
const END_S: u64 = 60;

/// What a command that ended left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The same, if it ended so.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    /// The output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}", self.out))
    }
}

/// The program with nothing in its environment but these.
pub fn command(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillbook"));
    command.args(args).env_clear().envs(environment.iter().copied());
    if let Ok(fault) = std::env::var("TILLBOOK_FAULT") {
        command.env("TILLBOOK_FAULT", fault);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Ended {
    run_with(args, &[])
}

/// The same with an environment.
pub fn run_with(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let child = command(args, environment).spawn().unwrap();
    let id = child.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(output) = told.recv_timeout(Duration::from_secs(END_S)) else {
        signal(id, "KILL");
        panic!("tillbook {args:?} did not end");
    };
    let output = output.unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The book's path as an argument.
pub fn path(db: &Path) -> &str {
    db.to_str().unwrap()
}

/// A book with the usual account and a client of it that may do everything, made by the commands.
pub fn make_book(db: &Path) -> Client {
    run(&["account", "create", ACCOUNT, "--name", "Butikken", "--db", path(db)]).expect(0);
    make_client(db, "admin:shopping")
}

/// A client of the usual account, made by the command.
pub fn make_client(db: &Path, grant: &str) -> Client {
    let args = ["client", "create", "--account", ACCOUNT, "--name", "test", "--grant", grant];
    let made = run(&[&args[..], &["--db", path(db), "--json"]].concat()).expect(0).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    Client { client_id: text("client_id"), secret: text("client_secret") }
}

/// A running `tillbook serve`. Killed when dropped.
pub struct Served {
    child: Option<Child>,
    pub url: String,
    /// Held so that nothing the server prints meets a closed pipe.
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Serves a book on a free port, and waits until it says so.
    pub fn start(db: &Path) -> Served {
        Served::start_with(db, &[])
    }

    /// The same for callers who know it by that URL.
    pub fn start_as(db: &Path, public_url: &str) -> Served {
        Served::start_with(db, &[("TILLBOOK_PUBLIC_URL", public_url)])
    }

    fn start_with(db: &Path, environment: &[(&str, &str)]) -> Served {
        let args = ["serve", "--db", path(db), "--listen", "127.0.0.1:0", "--log", "warn"];
        let mut child = command(&args, environment).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some((_, url)) = line.trim_end().rsplit_once(' ') else {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("the server did not start: {why}");
        };
        Served { url: url.to_owned(), child: Some(child), _out: out }
    }

    /// What the token endpoint says to a client.
    pub fn ask_token(&self, client: &Client) -> Reply {
        let path = format!("/v1/accounts/{ACCOUNT}/auth/token");
        send(&self.url, "POST", &path, &[("authorization", &basic(client))], None)
    }

    /// A token of a client.
    pub fn token(&self, client: &Client) -> String {
        let reply = self.ask_token(client).expect(200);
        reply.body["access_token"].as_str().unwrap().to_owned()
    }

    /// One request below `/shopping`.
    pub fn shopping(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let bearer = format!("Bearer {token}");
        let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
        let body = body.map(Value::to_string);
        send(&self.url, method, &path, &[("authorization", &bearer)], body.as_deref())
    }

    /// Bytes of memory that it occupies.
    pub fn resident_bytes(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.as_ref().unwrap().id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Ends it as a power cut would, as far as a process can.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends it a signal, without waiting.
    pub fn signal(&self, name: &str) {
        signal(self.child.as_ref().unwrap().id(), name);
    }

    /// Waits for its end; the exit code and what it logged.
    pub fn wait(mut self) -> Ended {
        let child = self.child.take().unwrap();
        let id = child.id();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait_with_output()));
        let Ok(output) = told.recv_timeout(Duration::from_secs(END_S)) else {
            signal(id, "KILL");
            panic!("the server did not stop");
        };
        let output = output.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        Ended { code: output.status.code().unwrap(), out: String::new(), err }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already, and then there is nothing to end.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn signal(id: u32, name: &str) {
    Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap();
}
