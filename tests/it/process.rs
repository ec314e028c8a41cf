//! Runs `tillbook` as a process: its commands, its server, its output and exit codes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::harness::ACCOUNT;
use super::http_client::{Client, Reply, basic, send};
use super::trials::say;

/// How long a process may take to end before the test fails: much longer than it needs.
const END_S: u64 = 60;

/// The result of a command.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Panics unless the command ended with this code.
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

/// The program with only these variables in its environment.
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

/// Runs the program to its end with an environment.
pub fn run_with(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    wait(command(args, environment).spawn().unwrap())
}

/// Runs a line of the shell to its end.
pub fn run_shell(line: &str) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    wait(shell.spawn().unwrap())
}

/// Waits for a process to end, and reads its output meanwhile.
fn wait(child: Child) -> Ended {
    let id = child.id();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(output) = told.recv_timeout(Duration::from_secs(END_S)) else {
        signal(id, "KILL");
        panic!("the program did not end");
    };
    let output = output.unwrap();
    Ended {
        code: exit_code(output.status),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The exit code as shells count it: 128 plus the signal, for a process that a signal ended.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

/// The command that serves a book on a free port.
pub fn serve_command(db: &Path) -> Command {
    command(&["serve", "--db", path(db), "--listen", "127.0.0.1:0", "--log", "warn"], &[])
}

/// The same command, run by a shell after it has run `first`.
pub fn after(first: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// The book's path as an argument.
pub fn path(db: &Path) -> &str {
    db.to_str().unwrap()
}

/// Makes a book with the usual account and a client of it with every scope, by the commands.
pub fn make_book(db: &Path) -> Client {
    run(&["account", "create", ACCOUNT, "--name", "Butikken", "--db", path(db)]).expect(0);
    make_client(db, "admin:shopping,admin:hooks,admin:billing")
}

/// Makes a client of the usual account by the command.
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
    /// Kept open, so that the server can go on printing.
    _out: BufReader<ChildStdout>,
}

impl Served {
    /// Serves a book on a free port, and waits until it has started.
    pub fn start(db: &Path) -> Served {
        let started = Served::try_start(serve_command(db));
        started.unwrap_or_else(|ended| panic!("the server did not start: {}", ended.err))
    }

    /// Serves a book with this public URL.
    pub fn start_as(db: &Path, public_url: &str) -> Served {
        let mut command = serve_command(db);
        command.env("TILLBOOK_PUBLIC_URL", public_url);
        let started = Served::try_start(command);
        started.unwrap_or_else(|ended| panic!("the server did not start: {}", ended.err))
    }

    /// Runs a command that serves, and waits until it has started; its result if it ends instead.
    pub fn try_start(mut command: Command) -> Result<Served, Ended> {
        let mut child = command.spawn().unwrap();
        let id = child.id();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            tell.send((line, out))
        });
        let Ok((line, out)) = told.recv_timeout(Duration::from_secs(END_S)) else {
            signal(id, "KILL");
            panic!("the server neither started nor ended");
        };
        match line.trim_end().rsplit_once(' ') {
            Some((_, url)) => Ok(Served { url: url.to_owned(), child: Some(child), _out: out }),
            None => Err(wait(child)),
        }
    }

    /// Its log from now on.
    pub fn log(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.child.as_mut().unwrap().stderr.take().unwrap())
    }

    /// The token endpoint's answer to a client.
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

    /// Its resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.memory_bytes("VmRSS:")
    }

    /// Its memory in bytes without pages of files, which the system takes back when it needs room.
    pub fn anonymous_bytes(&self) -> u64 {
        self.memory_bytes("RssAnon:")
    }

    /// The most resident memory that it ever had, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.memory_bytes("VmHWM:")
    }

    fn memory_bytes(&self, field: &str) -> u64 {
        let status = format!("/proc/{}/status", self.child.as_ref().unwrap().id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Ends the server with `kill -9`.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends the server a signal, without waiting.
    pub fn signal(&self, name: &str) {
        signal(self.child.as_ref().unwrap().id(), name);
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Waits until the server accepts no more connections, because it is stopping.
    pub fn wait_until_connections_are_refused(&self) {
        while TcpStream::connect(self.address()).is_ok() {}
    }

    /// Waits for the server's end; its exit code and its log.
    pub fn wait(mut self) -> Ended {
        wait(self.child.take().unwrap())
    }

    /// Waits for the server's end without reading its log before; the exit code.
    pub fn wait_unread(mut self) -> i32 {
        let mut child = self.child.take().unwrap();
        let (id, pipe) = (child.id(), child.stderr.take());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait()));
        let Ok(status) = told.recv_timeout(Duration::from_secs(END_S)) else {
            signal(id, "KILL");
            panic!("the server waits until its log is read");
        };
        drop(pipe);
        exit_code(status.unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // This fails if the server has ended already.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// How long a running server may take to follow a command of another process. One second is
/// promised; thirty allow for a busy machine.
const FOLLOWED_S: u64 = 30;

/// Calls `is_so` until it is true. Each call sends a request, so no pause is needed between them.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(FOLLOWED_S), "not in time: {what}");
    }
    say(&format!("after {} ms {what}", began.elapsed().as_millis()));
}

fn signal(id: u32, name: &str) {
    Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().unwrap();
}
