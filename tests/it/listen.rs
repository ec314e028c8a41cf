//! `tillbook listen` and `tillbook trigger`, beside a running server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver as Channel};
use std::time::Duration;

use serde_json::{Value, json};
use tillbook::store::verify::verify;

use super::audit::tamper;
use super::http_client::send;
use super::process::{Served, command, make_book, path, run, run_with, serve_command, until};
use super::receiver::Receiver;

/// How long a line may take to come: much longer than it needs.
const COMES_S: u64 = 60;

/// A running listener. Killed when dropped.
struct Listener {
    child: Child,
    lines: Channel<String>,
}

impl Listener {
    /// Starts one and waits until the server has pinged it; the lines until then.
    fn start(mut command: Command) -> (Listener, Vec<String>) {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                // The test may have ended.
                tell.send(line.unwrap()).unwrap_or_default();
            }
        });
        let listener = Listener { child, lines };
        let mut began = Vec::new();
        while !began.iter().any(|line: &String| line.contains("secret of its webhook")) {
            began.push(listener.next());
        }
        (listener, began)
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(COMES_S)).expect("a line comes")
    }

    /// Ends it as Ctrl-C does; its exit code.
    fn interrupt(mut self) -> Option<i32> {
        let told = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(told.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // This fails if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listen(db: &Path, args: &[&str]) -> Command {
    command(&[&["listen", "--db", path(db)], args].concat(), &[])
}

fn serve(db: &Path) -> Served {
    let mut command = serve_command(db);
    command.env("TILLBOOK_WEBHOOK_ALLOW", "127.0.0.1");
    Served::try_start(command).unwrap()
}

fn hooks(db: &Path) -> Vec<Value> {
    let listed = run(&["hooks", "list", "--json", "--db", path(db)]).expect(0).json();
    listed["hooks"].as_array().unwrap().clone()
}

fn trigger(db: &Path, event: &str) -> String {
    run(&["trigger", event, "--db", path(db)]).expect(0).out
}

#[test]
fn a_listener_shows_every_event_and_leaves_no_webhook() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let served = serve(&db);
    let (listener, began) = Listener::start(listen(&db, &[]));
    assert!(began[0].starts_with("ping ") && began[0].ends_with("signature ok"), "{began:?}");
    assert_eq!(hooks(&db).len(), 1);

    // Recorded by the server.
    let token = served.token(&client);
    let post = |at: &str, body: Value| served.shopping(&token, "POST", at, Some(&body)).expect(200);
    let draft = json!({"options": {"generate_order_id": "ALPHANUMERIC_9"}, "order": {
        "currency": "NOK", "items": [{"id": "a", "gross_amount": 39_800}]}});
    let draft = post("/draft_orders", draft).body["id"].as_str().unwrap().to_owned();
    // A body has the draft as it is when the delivery is made, so the line is awaited.
    let mut lines = vec![listener.next()];
    let done = format!("/draft_orders/{draft}/complete");
    let done = served.shopping(&token, "PUT", &done, Some(&json!({}))).expect(200).body;
    let order = done["orders"][0]["order_id"].as_str().unwrap().to_owned();
    let capture = json!({"items": [{"line_id": 1, "amount": 39_800}]});
    post(&format!("/orders/{order}/captures"), capture);
    lines.extend((0..3).map(|_| listener.next()));
    lines.sort();
    let expected = [
        format!("shopping_draft_add        draft {draft}  open  seq 1  signature ok"),
        format!(
            "shopping_draft_complete   draft {draft}  completed  order {order}  seq 3  signature ok"
        ),
        format!(
            "shopping_order_event_add  order {order}  capture success 39800 NOK  seq 4  \
             signature ok"
        ),
        format!("shopping_order_update     order {order}  open paid  seq 4  signature ok"),
    ];
    assert_eq!(lines, expected);

    // Recorded by the other command. The last event waits for the order's end, see below.
    let mut seen = Vec::new();
    for event in [
        "shopping_draft_add",
        "shopping_draft_update",
        "shopping_draft_complete",
        "shopping_order_update",
        "shopping_order_event_add",
    ] {
        trigger(&db, event);
        while !seen.last().is_some_and(|line: &String| line.starts_with(event)) {
            let line = listener.next();
            assert!(line.ends_with("signature ok"), "{line}");
            seen.push(line);
        }
    }
    assert!(trigger(&db, "shopping_order_delete").contains("lives for a second"));
    assert_eq!(listener.interrupt(), Some(0));
    assert_eq!(hooks(&db), Vec::<Value>::new());
    assert_eq!(verify(&db, |_, _| {}).unwrap().findings, Vec::<String>::new());
}

#[test]
fn an_order_ends_while_it_is_served_unless_the_clock_is_doubted() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let served = serve(&db);
    let (listener, _) = Listener::start(listen(&db, &[]));
    let made = trigger(&db, "shopping_order_delete");
    let order = made.trim_start_matches("Made order ").split(',').next().unwrap();
    let path = format!("/orders/{order}");
    let status = |served: &Served, token: &str| served.shopping(token, "GET", &path, None).status;
    let token = served.token(&client);
    until("the order is gone", || status(&served, &token) == 404);
    served.kill();

    // The book has not looked at the clock for long.
    tamper(&db, "update expiry_clock set trusted_at_ms = 0").unwrap();
    let served = serve(&db);
    let warnings = |served: &Served| {
        send(&served.url, "GET", "/health", &[], None).expect(200).body["warnings"].clone()
    };
    until("the clock is doubted", || warnings(&served) == json!(["expiry_waits"]));
    // The port is another one, and so is the server's name in its tokens.
    let token = served.token(&client);
    assert_eq!(status(&served, &token), 200);
    let noted = run(&["confirm-clock", "--db", db.to_str().unwrap()]).expect(0).out;
    assert!(noted.starts_with("Confirmed that it is 20"), "{noted}");
    // Readers and the writer of the running server follow at once.
    assert_eq!(status(&served, &token), 404);
    let capture = json!({"items": [{"line_id": 1, "amount": 100}]});
    let refused = served.shopping(&token, "POST", &format!("{path}/captures"), Some(&capture));
    assert_eq!(refused.expect(404).code(), "not_found");
    served.kill();

    // A server removes it as soon as it starts.
    let served = serve(&db);
    let told = |line: &String| line.starts_with("shopping_order_delete") && line.contains(order);
    let line = loop {
        let line = listener.next();
        if told(&line) {
            break line;
        }
    };
    assert!(line.ends_with("signature ok"), "{line}");
    until("no clock is doubted", || warnings(&served).is_null());
    assert_eq!(listener.interrupt(), Some(0));
    assert_eq!(verify(&db, |_, _| {}).unwrap().findings, Vec::<String>::new());
}

#[test]
fn requests_are_sent_on_as_they_came() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let _served = serve(&db);
    let target = Receiver::answering(|_| super::receiver::Answer::Status(418, ""));
    let (listener, began) = Listener::start(listen(&db, &["--forward", &target.url]));
    assert!(began[0].ends_with("signature ok  forwarded: 418"), "{began:?}");
    let secret = began.last().unwrap().rsplit_once(' ').unwrap().1.to_owned();
    assert_eq!(target.next().header("event"), "ping");
    trigger(&db, "shopping_draft_add");
    let sent = target.next();
    super::hooks::check_signed(&sent, &[&secret]);
    assert!(sent.header("user-agent").starts_with("Tillbook-Hook/"), "{sent:?}");
    let mut names: Vec<&str> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "content-length",
            "content-type",
            "event",
            "event-delivery",
            "event-signature",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
    assert!(listener.next().ends_with("signature ok  forwarded: 418"));
    drop(target);
    drop(listener);

    // The killed listener's webhook is removed by the next one, that of a running one is not.
    assert_eq!(hooks(&db).len(), 1);
    let left = hooks(&db)[0]["id"].clone();
    // Nothing listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let (_first, began) = Listener::start(listen(&db, &["--forward", &url]));
    assert!(began[0].contains("forwarded: failed: "), "{began:?}");
    let (_second, _) = Listener::start(listen(&db, &[]));
    let now = hooks(&db);
    assert_eq!(now.len(), 2);
    assert!(now.iter().all(|hook| hook["id"] != left));
}

#[test]
fn a_listener_that_cannot_hear_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let refused = |args: &[&str]| run(&[&["listen", "--db", path(&db)], args].concat()).expect(1);
    assert!(refused(&[]).err.contains("`tillbook demo`"));
    make_book(&db);
    let told = refused(&[]).err;
    assert!(told.contains("--webhook-allow 127.0.0.1`"), "{told}");
    let served = Served::start(&db);
    let told = refused(&[]).err;
    assert!(told.contains("sends nothing to this machine"), "{told}");
    assert!(told.contains("--webhook-allow 127.0.0.1`"), "{told}");
    assert_eq!(hooks(&db), Vec::<Value>::new());
    run(&["account", "create", "P00000002", "--name", "b", "--db", path(&db)]).expect(0);
    assert!(refused(&[]).err.contains("it has P00000002, T12345678"));
    assert!(refused(&["--account", "T99999999"]).err.contains("has no account T99999999"));
    let in_use = served.address().rsplit_once(':').unwrap().1;
    let told = refused(&["--account", "P00000002", "--port", in_use]).err;
    assert!(told.contains("choose another with --port"), "{told}");
    let args = ["trigger", "shopping_draft_add", "--db", path(&db), "--account", "P00000002"];
    assert!(run(&args).expect(1).err.contains("not a test account"));
    assert!(run(&["trigger", "payment"]).expect(2).err.contains("expected one of shopping_draft"));
}

#[test]
fn the_served_one_of_the_usual_books_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let here = |args: &[&str]| {
        let mut command = command(args, &[]);
        command.current_dir(dir.path());
        command
    };
    let served = |db: &str| {
        let db = dir.path().join(db);
        make_book(&db);
        serve(&db)
    };
    // The folder has both books, and the demo's is served.
    run_with(
        &["account", "create", "T00000009", "--name", "a"],
        &[("TILLBOOK_DB", path(&dir.path().join("tillbook.db")))],
    )
    .expect(0);
    let demo = served("tillbook-demo.db");
    let (listener, _) = Listener::start(here(&["listen"]));
    let told = here(&["trigger", "shopping_draft_add"]).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    assert!(listener.next().starts_with("shopping_draft_add"));
    let listed = here(&["hooks", "list"]).output().unwrap();
    assert!(String::from_utf8(listed.stdout).unwrap().contains("http://127.0.0.1"));
    assert_eq!(listener.interrupt(), Some(0));
    let other = Served::start(&dir.path().join("tillbook.db"));
    let told = here(&["listen"]).output().unwrap();
    assert!(String::from_utf8(told.stderr).unwrap().contains("choose one with --db"));
    drop((demo, other));
}
