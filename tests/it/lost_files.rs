//! A book whose file is not the one that the server opened: linked, mounted, moved, replaced,
//! deleted or written over. A start refuses what cannot be safe. While it serves, the server stops
//! recording, says why, and saves everything that it answered.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::audit;
use super::http_client::{Client, health};
use super::process::{Ended, Served, command, make_book, path, run, until};
use super::trials::say;

/// A served book with one order of one line.
struct Book {
    dir: tempfile::TempDir,
    db: PathBuf,
    token: String,
    order: String,
    served: Served,
}

impl Book {
    fn serve() -> Book {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("books");
        std::fs::create_dir(&folder).unwrap();
        let db = folder.join("book.db");
        let client = make_book(&db);
        Book::of(dir, db, &client)
    }

    fn of(dir: tempfile::TempDir, db: PathBuf, client: &Client) -> Book {
        let args = ["serve", "--db", path(&db), "--listen", "127.0.0.1:0", "--log", "warn"];
        let served = Served::try_start(command(&args, &[])).unwrap();
        let token = served.token(client);
        let items = json!([{"id": "p", "line_id": 1, "gross_amount": 10_000}]);
        let draft = json!({"order": {"currency": "NOK", "items": items}});
        let draft = served.shopping(&token, "POST", "/draft_orders", Some(&draft)).expect(200);
        let complete = format!("/draft_orders/{}/complete", draft.body["id"].as_str().unwrap());
        let done = served.shopping(&token, "PUT", &complete, Some(&json!({}))).expect(200);
        let order = format!("/orders/{}", done.body["orders"][0]["order_id"].as_str().unwrap());
        Book { dir, db, token, order, served }
    }

    /// The status and text of the answer to a capture.
    fn capture(&self) -> (u16, String) {
        let body = json!({"items": [{"line_id": 1, "amount": 1}]});
        let path = format!("{}/captures", self.order);
        let reply = self.served.shopping(&self.token, "POST", &path, Some(&body));
        (reply.status, reply.text)
    }

    /// Captures until the server refuses; how many were answered, and how it refused.
    fn capture_until_refused(&self) -> (usize, String) {
        let mut answered = 0;
        let mut refusal = String::new();
        let began = std::time::Instant::now();
        loop {
            match self.capture() {
                (200, _) => answered += 1,
                (status, text) => {
                    assert_eq!(status, 503, "{text}");
                    refusal = text;
                }
            }
            let is_late = 20 < began.elapsed().as_secs();
            if !refusal.is_empty() || is_late {
                assert!(!is_late, "it goes on recording, after {answered} answers");
                return (answered, refusal);
            }
        }
    }

    /// True if the WAL has nothing that the file lacks.
    fn is_all_in_the_file(&self) -> bool {
        let frames = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let conn = audit::open(&self.db);
        let (written, moved) = conn.query_row("pragma wal_checkpoint(noop)", [], frames).unwrap();
        written == moved
    }

    fn rescued(&self, ending: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.db.parent().unwrap()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        paths.filter(|at| path(at).contains(".rescued-") && path(at).ends_with(ending)).collect()
    }
}

fn captures_in(db: &Path) -> usize {
    let conn = audit::open(db);
    let sql = "select count(*) from events where kind = 'capture'";
    let count: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// Reads the log until it says this, or fails at its end.
pub fn read_until(log: &mut impl BufRead, what: &str) -> String {
    let mut text = String::new();
    while !text.contains(what) {
        assert_ne!(log.read_line(&mut text).unwrap(), 0, "the log ends without {what:?}: {text}");
    }
    text
}

fn refused_start(db: &Path) -> String {
    let args = ["serve", "--db", path(db), "--listen", "127.0.0.1:0"];
    let Err(ended) = Served::try_start(command(&args, &[])) else {
        return "it served".to_owned();
    };
    ended.expect(1).err
}

/// A way to take the file away from a running server, and the message that the server logs.
struct Loss {
    name: &'static str,
    cause: fn(&Book),
    told: &'static str,
}

fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

fn beside(db: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path(db)))
}

/// Another book, made elsewhere.
fn other_book(book: &Book) -> PathBuf {
    let other = book.dir.path().join("other.db");
    make_book(&other);
    other
}

const LOSSES: &[Loss] = &[
    Loss {
        name: "moved",
        cause: |book| rename(&book.db, &book.db.with_extension("old")),
        told: "was moved",
    },
    Loss {
        name: "folder moved",
        cause: |book| {
            let folder = book.db.parent().unwrap();
            rename(folder, &book.dir.path().join("moved"));
            std::fs::create_dir(folder).unwrap();
        },
        told: "was moved",
    },
    Loss {
        name: "replaced",
        cause: |book| rename(&other_book(book), &book.db),
        told: "was replaced",
    },
    Loss {
        name: "replaced by a link",
        cause: |book| {
            let other = other_book(book);
            std::fs::remove_file(&book.db).unwrap();
            std::os::unix::fs::symlink(other, &book.db).unwrap();
        },
        told: "was replaced",
    },
    Loss {
        name: "deleted",
        cause: |book| std::fs::remove_file(&book.db).unwrap(),
        told: "was deleted",
    },
    Loss {
        name: "WAL deleted",
        cause: |book| std::fs::remove_file(beside(&book.db, "-wal")).unwrap(),
        told: "-wal",
    },
    Loss {
        name: "WAL index deleted",
        cause: |book| std::fs::remove_file(beside(&book.db, "-shm")).unwrap(),
        told: "-shm",
    },
    Loss {
        name: "lock deleted",
        cause: |book| std::fs::remove_file(beside(&book.db, ".lock")).unwrap(),
        told: ".lock",
    },
];

#[test]
fn a_file_taken_from_under_the_server_stops_it_and_every_answer_is_saved() {
    for loss in LOSSES {
        let mut book = Book::serve();
        let mut log = book.served.log();
        let (status, text) = book.capture();
        assert_eq!(status, 200, "{text}");
        (loss.cause)(&book);
        let (later, refusal) = book.capture_until_refused();
        let name = loss.name;
        assert!(refusal.contains(loss.told), "{name}: {refusal}");
        let told = health(&book.served.url).expect(503);
        assert!(told.text.contains(loss.told), "{name}: {}", told.text);
        book.served.shopping(&book.token, "GET", &book.order, None).expect(200);
        let logged = read_until(&mut log, "was saved to");
        assert!(logged.contains(loss.told), "{name}: {logged}");
        assert_eq!(logged.contains("moved_to"), name.contains("moved"), "{name}: {logged}");
        let rescued = book.rescued("Z");
        assert_eq!(rescued.len(), 1, "{name}: {logged}");
        assert_eq!(captures_in(&rescued[0]), 1 + later, "{name}");
        audit::expect_clean(&rescued[0]);
        say(&format!("{name}: {later} captures were answered before it was noticed"));
        // The copy is a book like any other, and the file now at its path is unharmed.
        book.served.signal("TERM");
        let mut end = String::new();
        log.read_to_string(&mut end).unwrap();
        assert!(!end.contains("panicked"), "{name}: {end}");
        run(&["verify", "--db", path(&rescued[0])]).expect(0);
        if name.starts_with("replaced") {
            let there = std::fs::canonicalize(&book.db).unwrap();
            run(&["verify", "--db", path(&there)]).expect(0);
        }
    }
}

#[test]
fn a_server_told_to_stop_at_the_same_moment_saves_its_answers_too() {
    let mut book = Book::serve();
    let mut log = book.served.log();
    assert_eq!(book.capture().0, 200);
    std::fs::remove_file(&book.db).unwrap();
    book.served.signal("TERM");
    let mut told = String::new();
    log.read_to_string(&mut told).unwrap();
    let rescued = book.rescued("Z");
    assert_eq!(rescued.len(), 1, "{told}");
    assert_eq!(captures_in(&rescued[0]), 1);
    assert!(told.contains("was saved to"), "{told}");
}

/// Copies bytes over the file, as `cp` does: the file stays the same one.
fn copy_over(from: &Path, to: &Path) {
    let ended = Command::new("cp").args([from, to]).status().unwrap();
    assert!(ended.success());
}

#[test]
fn a_file_copied_over_the_book_is_noticed_and_the_newest_operations_are_listed() {
    type Make = fn(&Book) -> PathBuf;
    let sources: [(&str, Make); 3] = [
        ("an older copy of the same book", |book| {
            let at = book.dir.path().join("copy.db");
            let into = format!("vacuum into '{}'", path(&at));
            audit::open(&book.db).execute_batch(&into).unwrap();
            at
        }),
        ("another book", other_book),
        ("a letter", |book| {
            let at = book.dir.path().join("letter");
            std::fs::write(&at, "Dear Sir or Madam,\n".repeat(20_000)).unwrap();
            at
        }),
    ];
    for (name, make) in sources {
        let mut book = Book::serve();
        let mut log = book.served.log();
        let source = make(&book);
        for _ in 0..20 {
            assert_eq!(book.capture().0, 200, "{name}");
        }
        until("the WAL is in the file", || book.is_all_in_the_file());
        copy_over(&source, &book.db);
        // Quiet from here on: the server has nothing that it could stumble over by chance.
        until(&format!("it noticed {name}"), || health(&book.served.url).status == 503);
        let (status, refusal) = book.capture();
        assert_eq!(status, 503, "{name}: {refusal}");
        assert!(refusal.contains("written over"), "{name}: {refusal}");
        let logged = read_until(&mut log, "was saved to");
        let lists = book.rescued("Z.jsonl");
        assert_eq!(lists.len(), 1, "{name}: {logged}");
        let list = std::fs::read_to_string(&lists[0]).unwrap();
        let rows = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let captures = rows.filter(|row| row["kind"] == "capture").count();
        assert_eq!(captures, 20, "{name}: {list}");
        book.served.signal("TERM");
        let mut end = String::new();
        log.read_to_string(&mut end).unwrap();
        // The old WAL must not be applied to the file that was copied there.
        assert!(!beside(&book.db, "-wal").exists(), "{name}: the old WAL is still there");
    }
}

#[test]
fn a_copy_that_lacks_only_the_change_of_a_draft_is_noticed() {
    for method in ["PUT", "DELETE"] {
        let book = Book::serve();
        let send = |method: &str, path: &str, comment: &str| {
            let body = json!({"order": {"currency": "NOK", "comment": comment}});
            let body = (method != "DELETE").then_some(&body);
            book.served.shopping(&book.token, method, path, body).expect(200).body
        };
        let draft = send("POST", "/draft_orders", "Ring once");
        until("the WAL is in the file", || book.is_all_in_the_file());
        let copy = book.dir.path().join("copy.db");
        copy_over(&book.db, &copy);
        let path = format!("/draft_orders/{}", draft["id"].as_str().unwrap());
        send(method, &path, "Ring twice");
        until("the WAL is in the file", || book.is_all_in_the_file());
        let bytes = |at: &Path| std::fs::metadata(at).unwrap().len();
        assert_eq!(bytes(&copy), bytes(&book.db), "a longer file would tell by itself");
        copy_over(&copy, &book.db);
        until("it noticed", || health(&book.served.url).status == 503);
        assert!(book.capture().1.contains("written over"), "{method}");
    }
}

#[test]
fn a_hard_linked_book_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (db, other) = (dir.path().join("book.db"), dir.path().join("other.db"));
    make_book(&db);
    std::fs::hard_link(&db, &other).unwrap();
    for name in [&db, &other] {
        let told = refused_start(name);
        assert!(told.contains("hard link") && told.contains("-wal"), "{told}");
        for args in [
            &["account", "list"][..],
            &["verify"],
            &["account", "create", "T00000002", "--name", "x"],
        ] {
            let Ended { code, err, .. } = run(&[args, &["--db", path(name)]].concat());
            assert!(code == 1 && err.contains("hard link"), "{args:?}: {err}");
        }
    }
    std::fs::remove_file(&other).unwrap();
    run(&["verify", "--db", path(&db)]).expect(0);
}

#[test]
fn a_book_that_is_a_link_is_told_as_one_and_a_link_in_its_folder_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let client = make_book(&link.join("book.db"));
    Served::start(&link.join("book.db")).token(&client);
    assert!(real.join("book.db").is_file());
    run(&["verify", "--db", path(&link.join("book.db"))]).expect(0);
    let alias = dir.path().join("alias.db");
    std::os::unix::fs::symlink(real.join("book.db"), &alias).unwrap();
    for told in [refused_start(&alias), run(&["verify", "--db", path(&alias)]).expect(1).err] {
        assert!(told.contains("symbolic link"), "{told}");
        assert!(told.contains(path(&real.join("book.db"))), "{told}");
    }
    let nowhere = dir.path().join("nowhere.db");
    std::os::unix::fs::symlink(dir.path().join("missing.db"), &nowhere).unwrap();
    assert!(refused_start(&nowhere).contains("symbolic link"));
}

/// A file mounted over another; ends with this.
struct Mounted(PathBuf);

impl Mounted {
    fn over(source: &Path, at: &Path) -> Option<Mounted> {
        let mut command = Command::new("mount");
        command.args(["--bind", path(source), path(at)]).stderr(Stdio::null());
        let is_mounted = command.status().is_ok_and(|ended| ended.success());
        if !is_mounted {
            say("not tried: nothing may be mounted here; run it as root");
        }
        is_mounted.then(|| Mounted(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").args(["-l", path(&self.0)]).stderr(Stdio::null()).status());
    }
}

#[test]
fn a_book_mounted_as_a_single_file_is_refused_and_its_folder_mounted_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let (host, inside) = (dir.path().join("host"), dir.path().join("in side"));
    std::fs::create_dir(&host).unwrap();
    std::fs::create_dir(&inside).unwrap();
    let client = make_book(&host.join("book.db"));
    let at = inside.join("book.db");
    std::fs::write(&at, []).unwrap();
    let Some(mounted) = Mounted::over(&host.join("book.db"), &at) else { return };
    let told = refused_start(&at);
    assert!(told.contains("mounted as a single file"), "{told}");
    assert!(told.contains("mount its folder"), "{told}");
    drop(mounted);
    let _folder = Mounted::over(&host, &inside).unwrap();
    Served::start(&at).token(&client);
}

#[test]
fn a_file_mounted_over_a_served_book_is_noticed() {
    let book = Book::serve();
    let other = other_book(&book);
    let Some(_mounted) = Mounted::over(&other, &book.db) else { return };
    assert!(book.capture_until_refused().1.contains("was replaced"));
}
