//! Damaged, foreign and locked files, and long reads: a server refuses a file that it cannot trust
//! and leaves it unchanged, or serves a correct book.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::load::Trial;
use super::sent::keys;
use super::{Dice, count, say, seed};
use crate::audit;
use crate::harness::ACCOUNT;
use crate::http_client::{Reply, agent, health, try_send};
use crate::process::{Served, command, make_book, path, run};

const PAGE_BYTES: usize = 4_096;

/// A book with some history and without a WAL, and its orders.
struct Book {
    dir: tempfile::TempDir,
    bytes: Vec<u8>,
    token: String,
    /// Every order as the server showed it.
    orders: Vec<Value>,
}

impl Book {
    fn make() -> Book {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("good.db");
        let client = make_book(&db);
        let served = Served::start(&db);
        let token = served.token(&client);
        for nth in 0..30 {
            make_order(&served, &token, nth);
        }
        let listed = served.shopping(&token, "GET", "/orders?limit=100", None).expect(200).body;
        let names = listed["orders"].as_array().unwrap().iter().map(order_path);
        let orders = names.map(|at| served.shopping(&token, "GET", &at, None).expect(200).body);
        let orders = orders.collect();
        served.signal("TERM");
        served.wait().expect(0);
        // Enough rows for an index of more than one level.
        let keys = "with recursive counted(n) as
                (select 1 union all select n + 1 from counted where n < 500)
            insert into idempotency_keys
                (key_hash, fingerprint, answer, created_at_ms)
            select randomblob(16), zeroblob(32), '{}', created_at_ms
                from counted, accounts";
        audit::tamper(&db, keys).unwrap();
        let bytes = std::fs::read(&db).unwrap();
        Book { dir, bytes, token, orders }
    }

    fn place(&self, name: &str) -> PathBuf {
        let dir = self.dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        dir.join("book.db")
    }
}

fn order_path(order: &Value) -> String {
    format!("/orders/{}", order["order_id"].as_str().unwrap())
}

fn make_order(served: &Served, token: &str, nth: i64) {
    // Some documents are long enough for pages of their own.
    let long = "x".repeat(usize::try_from(nth).unwrap() * 500);
    let items =
        json!([{"id": "a", "gross_amount": 10_000 + nth}, {"id": "b", "gross_amount": -70}]);
    let draft = json!({"order": {"currency": "NOK", "items": items, "comment": long}});
    let post = |path: &str, method: &str, body: &Value| {
        served.shopping(token, method, path, Some(body)).expect(200).body
    };
    let draft = post("/draft_orders", "POST", &draft);
    let complete = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let order = order_path(&post(&complete, "PUT", &json!({}))["orders"][0]);
    for (kind, amount) in [("authorizations", 9_000), ("captures", 4_000 + nth), ("refunds", 300)] {
        let body = json!({"items": [{"line_id": 1, "amount": amount}]});
        post(&format!("{order}/{kind}"), "POST", &body);
    }
}

/// The outcome of a start on a file.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The server ended with advice, and the file is unchanged.
    Refused,
    /// The server found the damage and serves without recording, or ended by itself and said why.
    Found,
    /// The server serves, and every order that it shows is right.
    Right,
}

/// Starts a server on a file and classifies its behaviour.
fn judge(book: &Book, db: &Path, at: &str) -> Outcome {
    let before = std::fs::read(db).unwrap();
    let args = ["serve", "--db", path(db), "--listen", "127.0.0.1:0", "--log", "info"];
    let mut served = match Served::try_start(command(&args, &[])) {
        Ok(served) => served,
        Err(ended) => {
            assert_eq!(ended.code, 1, "{at}: {}", ended.err);
            let told = ["backup", "--db", "newer Tillbook", "tillbook verify", "may write"];
            assert!(told.iter().any(|word| ended.err.contains(word)), "{at}: {}", ended.err);
            assert!(!ended.err.contains("a bug"), "{at}: {}", ended.err);
            assert!(
                std::fs::read(db).unwrap() == before,
                "{at}: the file was changed: {}",
                ended.err
            );
            return Outcome::Refused;
        }
    };
    let mut log = served.log();
    let mut told = String::new();
    let ends = [
        "last two days are right",
        "nothing is recorded any more",
        "could not be checked",
        "stopped",
    ];
    while !ends.iter().any(|word| told.contains(word)) {
        assert_ne!(log.read_line(&mut told).unwrap(), 0, "{at}: {told}");
    }
    let found = told.contains("nothing is recorded any more");
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    for order in &book.orders {
        let Some(reply) = ask(&served, &book.token, "GET", &order_path(order), None) else {
            return ended(served, log, told, at);
        };
        if reply.status == 200 && !found {
            assert_eq!(figures(&reply.body), figures(order), "{at}: wrong sums were served");
        }
        if found {
            let captures = format!("{}/captures", order_path(order));
            let Some(reply) = ask(&served, &book.token, "POST", &captures, Some(&body)) else {
                return ended(served, log, told, at);
            };
            assert_ne!(reply.status, 200, "{at}: recorded in a damaged book");
        }
    }
    assert_eq!(health(&served.url).status, if found { 503 } else { 200 }, "{at}: {told}");
    served.signal("KILL");
    while log.read_line(&mut told).unwrap() != 0 {}
    assert!(!told.contains("a bug"), "{at}: {told}");
    if found { Outcome::Found } else { Outcome::Right }
}

/// One request; `None` when the server ends without an answer.
fn ask(
    served: &Served,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<Reply> {
    let (bearer, body) = (format!("Bearer {token}"), body.map(Value::to_string));
    let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
    let headers = [("authorization", bearer.as_str())];
    try_send(&agent(), &served.url, method, &path, &headers, body.as_deref()).ok()
}

/// A server that finds damage while it writes may end by itself. Checks that it said why.
fn ended(served: Served, mut log: impl BufRead, mut told: String, at: &str) -> Outcome {
    log.read_to_string(&mut told).unwrap();
    assert_eq!(served.wait().code, 70, "{at}: {told}");
    assert!(told.contains("the database failed while writing"), "{at}: {told}");
    assert!(!told.contains("a bug"), "{at}: {told}");
    Outcome::Found
}

/// The sums of an order and of its items.
fn figures(order: &Value) -> Vec<Value> {
    let names = ["authorized_amount", "captured_amount", "cancelled_amount", "refunded_amount"];
    let of = |part: &Value| names.map(|name| part[name].clone()).to_vec();
    let mut figures = of(order);
    figures.push(order["payment_status"].clone());
    figures.extend(order["items"].as_array().unwrap().iter().flat_map(of));
    figures
}

/// Damages a file in one way and describes the damage.
fn mutate(bytes: &mut Vec<u8>, dice: &Dice) -> String {
    let pages = bytes.len() / PAGE_BYTES;
    let below = |bound: usize| usize::try_from(dice.below(bound.try_into().unwrap())).unwrap();
    let page = below(pages) * PAGE_BYTES;
    match dice.below(8) {
        0 => {
            bytes.truncate(below(bytes.len()));
            format!("cut to {} bytes", bytes.len())
        }
        1 => {
            bytes[page..page + PAGE_BYTES].fill(0);
            format!("page at {page} zeroed")
        }
        2 => {
            let other = below(pages) * PAGE_BYTES;
            bytes.copy_within(page..page + PAGE_BYTES, other);
            format!("page at {page} copied to {other}")
        }
        3 => {
            let at = below(100);
            bytes[at] ^= 1 << below(8);
            format!("a bit of the header at {at}")
        }
        // The head of a page has its kind and the places of its cells.
        4 | 5 => {
            let at = page + below(12);
            bytes[at] ^= 1 << below(8);
            format!("a bit of a page's head at {at}")
        }
        _ => {
            let at = below(bytes.len());
            bytes[at] ^= 1 << below(8);
            format!("a bit at {at}")
        }
    }
}

#[test]
fn a_file_broken_at_random_is_refused_untouched_or_found_or_serves_right_sums() {
    let seed = seed("broken files");
    let book = Book::make();
    let [refused, found, right] = [(); 3].map(|()| AtomicU32::new(0));
    let mutations = count("TILLBOOK_FILE_MUTATIONS", 60);
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if mutations <= nth {
                        return;
                    }
                    let mut bytes = book.bytes.clone();
                    let what = mutate(&mut bytes, &Dice::new(seed.wrapping_add(nth.into())));
                    let db = book.place(&nth.to_string());
                    std::fs::write(&db, bytes).unwrap();
                    let outcome = judge(&book, &db, &format!("{nth}: {what}"));
                    let counted = match outcome {
                        Outcome::Refused => &refused,
                        Outcome::Found => &found,
                        Outcome::Right => &right,
                    };
                    counted.fetch_add(1, Ordering::Relaxed);
                    std::fs::remove_dir_all(db.parent().unwrap()).unwrap();
                }
            });
        }
    });
    let [refused, found, right] = [refused, found, right].map(AtomicU32::into_inner);
    say(&format!("{refused} refused, {found} found by the check, {right} right in spite of it"));
    assert!(0 < refused && 0 < found && 0 < right, "one of the three outcomes never occurred");
}

#[test]
fn every_kind_of_page_damaged_in_its_head_is_refused_or_found() {
    let book = Book::make();
    let mut seen = Vec::new();
    for page in 0..book.bytes.len() / PAGE_BYTES {
        let at = if page == 0 { 100 } else { page * PAGE_BYTES };
        let kind = book.bytes[at];
        if seen.contains(&kind) {
            continue;
        }
        seen.push(kind);
        let mut bytes = book.bytes.clone();
        bytes[at..at + 8].fill(0xff);
        let db = book.place(&format!("page {page}"));
        std::fs::write(&db, bytes).unwrap();
        let outcome = judge(&book, &db, &format!("page {page}, of kind {kind}"));
        assert_ne!(outcome, Outcome::Right, "page {page}, of kind {kind}");
    }
    // Leaves and inner pages of tables and indexes, and the pages of long values.
    for kind in [2, 5, 10, 13, 0] {
        assert!(seen.contains(&kind), "the book has no page of kind {kind}");
    }
}

#[test]
fn a_schema_in_a_format_that_sqlite_does_not_know_is_reported_as_damage() {
    let book = Book::make();
    let mut bytes = book.bytes.clone();
    bytes[47] = 9;
    let db = book.place("format");
    std::fs::write(&db, bytes).unwrap();
    assert_eq!(judge(&book, &db, "schema format 9"), Outcome::Refused);
}

#[test]
fn a_book_with_another_page_in_place_of_the_keys_is_refused_with_advice() {
    let book = Book::make();
    let db = book.place("page");
    std::fs::write(&db, &book.bytes).unwrap();
    let sql = "select name, rootpage from sqlite_schema where 0 < rootpage";
    let page = |page: i64| (usize::try_from(page).unwrap() - 1) * PAGE_BYTES;
    let mut roots: BTreeMap<String, usize> = {
        let conn = audit::open(&db);
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, page(row.get(1)?)))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let keys = roots.remove("signing_keys").unwrap();
    let mut outcomes = Vec::new();
    for (name, root) in roots {
        let mut bytes = book.bytes.clone();
        bytes.copy_within(root..root + PAGE_BYTES, keys);
        let db = book.place(&name);
        std::fs::write(&db, bytes).unwrap();
        outcomes.push(judge(&book, &db, &format!("{name} for the keys")));
    }
    // An empty table is accepted, because a new book has no key yet.
    let refused = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused).count();
    assert!(outcomes.len() < 2 * refused, "{outcomes:?}");
}

#[test]
fn a_book_cut_by_less_than_a_page_is_found_at_the_start() {
    let book = Book::make();
    let db = book.place("cut");
    let mut outcomes = Vec::new();
    for cut in [1, 700, PAGE_BYTES - 1] {
        std::fs::write(&db, &book.bytes[..book.bytes.len() - cut]).unwrap();
        outcomes.push(judge(&book, &db, &format!("cut by {cut}")));
    }
    assert!(!outcomes.contains(&Outcome::Right), "{outcomes:?}");
}

#[test]
fn sums_changed_in_the_file_are_found_at_the_start_and_nothing_more_is_recorded() {
    let book = Book::make();
    let db = book.place("changed");
    for change in [
        "update ledgers set lines = replace(lines, ',9000,4001,', ',9000,4002,')",
        "drop trigger events_are_not_changed; update events set amount = amount + 1
            where amount = 4001",
        "pragma foreign_keys = off; delete from accounts",
    ] {
        std::fs::write(&db, &book.bytes).unwrap();
        audit::tamper(&db, change).unwrap();
        assert_eq!(judge(&book, &db, change), Outcome::Found, "{change}");
    }
}

#[test]
fn a_foreign_wal_beside_a_book_is_refused_and_the_book_left_unchanged() {
    let book = Book::make();
    let db = book.place("stranger");
    let stranger = book.dir.path().join("stranger.db");
    #[expect(clippy::disallowed_methods, reason = "the WAL is that of another program")]
    let conn = Connection::open(&stranger).unwrap();
    conn.pragma_update(None, "journal_mode", "wal").unwrap();
    conn.execute_batch("create table t (x); insert into t values (zeroblob(100000))").unwrap();
    std::fs::write(&db, &book.bytes).unwrap();
    std::fs::copy(stranger.with_extension("db-wal"), db.with_extension("db-wal")).unwrap();
    assert_eq!(judge(&book, &db, "another program's WAL"), Outcome::Refused);
    let ended = run(&["account", "list", "--db", path(&db)]).expect(1);
    assert!(ended.err.contains("is not a Tillbook file"), "{}", ended.err);
    assert!(std::fs::read(&db).unwrap() == book.bytes, "the book was changed");
    // Without the foreign WAL, it is the same book as before.
    std::fs::remove_file(db.with_extension("db-wal")).unwrap();
    drop(std::fs::remove_file(db.with_extension("db-shm")));
    assert_eq!(judge(&book, &db, "without it"), Outcome::Right);
}

#[test]
fn an_empty_file_becomes_a_book() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    std::fs::write(&db, []).unwrap();
    let client = make_book(&db);
    Served::start(&db).token(&client);
}

#[test]
fn writes_get_a_503_while_another_process_holds_the_lock() {
    let mut trial = Trial::new();
    let served = trial.start();
    #[expect(clippy::disallowed_methods, reason = "it is the other process")]
    let other = Connection::open(trial.db()).unwrap();
    other.execute_batch("begin exclusive").unwrap();
    let sent = keys("locked", 3);
    let answers = trial.capture(&served, &sent);
    let statuses: Vec<u16> = answers.iter().map(|(_, reply)| reply.status).collect();
    assert_eq!(statuses, [503; 3]);
    assert!(answers.iter().all(|(_, reply)| reply.header("retry-after") == Some("1")));
    served.shopping(&trial.token, "GET", &trial.order(), None).expect(200);
    health(&served.url).expect(200);
    other.execute_batch("rollback").unwrap();
    let answers = trial.capture(&served, &sent);
    assert!(answers.iter().all(|(_, reply)| reply.status == 200), "{answers:?}");
    trial.expect_settled();
}

#[test]
fn a_long_read_lets_the_wal_grow_and_makes_nothing_fail() {
    const SMALL_AGAIN: u64 = 64 << 20;
    let mut trial = Trial::new();
    let served = trial.start();
    let reader = audit::open(&trial.db());
    reader.execute_batch("begin; select count(*) from orders").unwrap();
    let wal_bytes = || std::fs::metadata(trial.db().with_extension("db-wal")).unwrap().len();
    let text = "x".repeat(900 << 10);
    let items = json!([{"id": "p", "line_id": 1, "gross_amount": 1}]);
    let large = json!({"order": {"currency": "NOK", "items": items, "comment": text}});
    let mut drafts = 0;
    let wanted = u64::from(count("TILLBOOK_WAL_MB", 80)) << 20;
    while wal_bytes() < wanted {
        served.shopping(&trial.token, "POST", "/draft_orders", Some(&large)).expect(200);
        drafts += 1;
    }
    let grown = wal_bytes();
    assert!(grown < wanted * 2, "{grown} bytes for {drafts} drafts");
    reader.execute_batch("rollback").unwrap();
    // A commit while no checkpoint is running writes the whole WAL back, and the next commit
    // restarts it.
    const COMMITS_MAX: usize = 50;
    let mut commits = 0;
    while SMALL_AGAIN < wal_bytes() && commits < COMMITS_MAX {
        served.shopping(&trial.token, "POST", "/draft_orders", Some(&large)).expect(200);
        commits += 1;
    }
    let wal = wal_bytes();
    say(&format!("{drafts} drafts: the WAL grew to {grown} bytes, and is {wal} now"));
    assert!(wal <= SMALL_AGAIN, "{wal} bytes");
    trial.capture(&served, &keys("after", 10));
    assert_eq!(trial.done(), 10);
    trial.expect_settled();
}
