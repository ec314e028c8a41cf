//! Files that a server must not touch, and rows that must never change.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::audit::{self, tamper};
use super::cli::as_nobody;
use super::harness::App;
use super::process::{Served, make_book, path, run, run_shell};

#[test]
fn a_second_server_of_a_file_says_what_to_do_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let client = make_book(&db);
    let first = Served::start(&db);
    let second = run(&["serve", "--db", path(&db), "--listen", "127.0.0.1:0"]).expect(1);
    assert!(second.err.contains("another Tillbook serves"), "{}", second.err);
    assert!(second.err.contains("stop it, or name another file with --db"), "{}", second.err);
    assert!(second.out.is_empty());
    first.token(&client);
    // A server that was killed leaves no lock behind.
    first.kill();
    Served::start(&db).token(&client);
}

#[test]
fn only_the_owner_can_read_a_book_with_any_umask() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let made = Command::new("sh")
        .args(["-c", "umask 000 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_tillbook")])
        .args(["account", "create", "T00000001", "--name", "x", "--db", path(&db)])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let _served = Served::start(&db);
    let mut files: Vec<(String, u32)> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap()))
        .map(|(name, about)| (name, about.permissions().mode() & 0o777))
        .collect();
    files.sort();
    let private = ["book.db", "book.db-shm", "book.db-wal", "book.db.lock"];
    assert_eq!(files, private.map(|name| (name.to_owned(), 0o600)));
}

/// A foreign or incomplete file, and the error for it.
struct Wrong {
    file: &'static str,
    make: fn(&Path, &Path),
    told: &'static str,
}

/// Marks a file as one of the builds before the first release, whose last schema was 6.
pub const UNRELEASED: &str = "pragma application_id = 1414089804; pragma user_version = 6";

const WRONG: &[Wrong] = &[
    Wrong {
        file: "newer.db",
        make: |db, good| {
            std::fs::copy(good, db).unwrap();
            tamper(db, "pragma user_version = 99").unwrap();
        },
        told: "newer Tillbook",
    },
    Wrong {
        file: "newer, with a rollback journal.db",
        make: |db, good| {
            std::fs::copy(good, db).unwrap();
            tamper(db, "pragma user_version = 99; pragma journal_mode = delete").unwrap();
        },
        told: "newer Tillbook",
    },
    Wrong {
        file: "unreleased.db",
        make: |db, good| {
            std::fs::copy(good, db).unwrap();
            tamper(db, UNRELEASED).unwrap();
        },
        told: "was made by an unreleased build of Tillbook",
    },
    Wrong {
        file: "unreleased, with a rollback journal.db",
        make: |db, good| {
            std::fs::copy(good, db).unwrap();
            tamper(db, &format!("{UNRELEASED}; pragma journal_mode = delete")).unwrap();
        },
        told: "open it with the build that made it, or start a new book",
    },
    Wrong {
        file: "foreign.db",
        make: |db, _| tamper(db, "create table t (x); insert into t values (1)").unwrap(),
        told: "is not a Tillbook file",
    },
    Wrong {
        file: "foreign and empty.db",
        make: |db, _| tamper(db, "pragma application_id = 7; vacuum").unwrap(),
        told: "is not a Tillbook file",
    },
    Wrong {
        file: "letter.txt",
        make: |db, _| std::fs::write(db, "Dear Sir or Madam,\n".repeat(500)).unwrap(),
        told: "--db",
    },
    Wrong {
        file: "note.txt",
        make: |db, _| std::fs::write(db, "milk, eggs").unwrap(),
        told: "--db",
    },
    Wrong { file: "half.db", make: |db, good| cut(db, good, |len| len / 2), told: "last backup" },
    Wrong {
        file: "one page less.db",
        make: |db, good| cut(db, good, |len| len - 4_096),
        told: "last backup",
    },
    Wrong {
        file: "less than a page less.db",
        make: |db, good| cut(db, good, |len| len - 9),
        told: "last backup",
    },
    Wrong { file: "first page.db", make: |db, good| cut(db, good, |_| 4_096), told: "last backup" },
    Wrong { file: "half a header.db", make: |db, good| cut(db, good, |_| 50), told: "last backup" },
];

fn cut(db: &Path, good: &Path, to: fn(usize) -> usize) {
    let whole = std::fs::read(good).unwrap();
    std::fs::write(db, &whole[..to(whole.len())]).unwrap();
}

/// The names of a folder's files, without those that SQLite makes for readers of a WAL.
fn names_in(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

#[test]
fn a_folder_is_refused_and_the_refusal_asks_for_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("books");
    std::fs::create_dir(&folder).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    for db in [path(&folder), &format!("{}/", path(&folder)), path(&link)] {
        let commands: [&[&str]; 7] = [
            &["serve", "--listen", "127.0.0.1:0"],
            &["demo", "--listen", "127.0.0.1:0"],
            &["account", "create", "T00000002", "--name", "x"],
            &["account", "list"],
            &["verify"],
            &["user", "list"],
            &["hooks", "list"],
        ];
        for command in commands {
            let ended = run(&[command, &["--db", db]].concat());
            let at = format!("{db} with {command:?}: {}", ended.err);
            assert_eq!(ended.code, 1, "{at}");
            let file = Path::new(db).join("tillbook.db");
            let told = format!("{db} is a folder, and a book is a file. Name a file in it: --db ");
            assert!(ended.err.contains(&(told + path(&file))), "{at}");
        }
        assert_eq!(names_in(dir.path()), ["books", "link"]);
        assert_eq!(names_in(&folder), [""; 0]);
    }
}

#[test]
fn a_file_that_is_not_a_book_is_refused_and_left_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.db");
    make_book(&good);
    for wrong in WRONG {
        let db: PathBuf = dir.path().join(wrong.file);
        (wrong.make)(&db, &good);
        let before = std::fs::read(&db).unwrap();
        let beside = names_in(dir.path());
        let commands: [&[&str]; 10] = [
            &["serve", "--listen", "127.0.0.1:0"],
            &["account", "create", "T00000002", "--name", "x"],
            &["account", "list"],
            &["client", "list"],
            &["client", "disable", "x"],
            &["demo", "--listen", "127.0.0.1:0"],
            &["verify"],
            &["user", "passwd", "kari@example.no"],
            &["hooks", "list"],
            &["hooks", "ping", "x"],
        ];
        for command in commands {
            let at = format!("{} with {command:?}", wrong.file);
            let ended = run(&[command, &["--db", path(&db)]].concat());
            assert_eq!(ended.code, 1, "{at}: {}{}", ended.out, ended.err);
            let is_demo = command[0] == "demo" && ended.err.contains("was not changed");
            assert!(is_demo || ended.err.contains(wrong.told), "{at}: {}", ended.err);
            assert!(!ended.err.contains("panicked"), "{at}: {}", ended.err);
            let is_unreleased = wrong.file.starts_with("unreleased");
            assert!(!(is_unreleased && ended.err.contains("damaged")), "{at}: {}", ended.err);
            assert!(std::fs::read(&db).unwrap() == before, "{at}: the file was changed");
            assert_eq!(names_in(dir.path()), beside, "{at}: a file was left beside it");
        }
    }
}

#[test]
fn a_book_in_a_folder_that_is_missing_or_cannot_be_written_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("tillbook");
    std::fs::copy(env!("CARGO_BIN_EXE_tillbook"), &program).unwrap();
    let missing = dir.path().join("missing");
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    for command in [
        "serve --listen 127.0.0.1:0",
        "demo --listen 127.0.0.1:0",
        "account create T00000002 --name x",
    ] {
        for (folder, told) in [(&missing, "no folder"), (&locked, "this user may write")] {
            let words = format!("{} {command} --db {}/book.db", path(&program), path(folder));
            let line = format!("chmod -R a+rX,a-w {} && {}", path(dir.path()), as_nobody(&words));
            let ended = run_shell(&line).expect(1);
            assert!(ended.err.contains(told), "{command}, {told}: {}", ended.err);
            assert!(!missing.exists() && names_in(&locked).is_empty(), "{command}");
        }
    }
    run_shell(&format!("chmod -R u+w {}", path(dir.path())));
}

#[test]
fn history_cannot_be_changed_in_the_file_either() {
    let app = App::start();
    let order = app.simple_order(&[100, 50]);
    let body = json!({"items": [{"line_id": 1, "amount": 40}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);
    let before = app.snapshot();
    let tables = [
        ("events", "event_seq", "events"),
        ("orders", "order_seq", "orders"),
        ("api_events", "event_seq", "api events"),
    ];
    for (table, key, told) in tables {
        let changes = [
            format!("update {table} set {key} = {key}"),
            format!("update or replace {table} set {key} = {key} + 1000"),
            format!("delete from {table}"),
            format!("insert or replace into {table} select * from {table}"),
            format!("replace into {table} select * from {table} limit 1"),
        ];
        for change in changes {
            // With foreign keys off, only the triggers refuse the change.
            let error = tamper(&app.db, &format!("pragma foreign_keys = off; {change}"));
            let error = error.expect_err(&change).to_string();
            assert!(error.contains(&format!("{told} are not ")), "{change}: {error}");
        }
    }
    assert_eq!(app.snapshot(), before);
    audit::expect_clean(&app.db);
}
