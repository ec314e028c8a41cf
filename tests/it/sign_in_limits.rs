//! What strangers can cost the server at the pages that need no session: memory, hashing, writes
//! and rows of the book.

use std::path::Path;

use tillbook::auth::attempts::NAMES_MAX;
use tillbook::auth::session::Ticket;
use tillbook::randomness::Randomness;

use super::harness::{App, START};
use super::http_client::{Reply, send};
use super::process::{Served, make_book, path, run, serve_command};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const EMAIL: &str = "kari@example.no";

/// Sign-ins of the memory test, first at once and then one after the other.
const SIGN_INS: usize = 300;

/// The most memory that a server may ever have had after those.
const PEAK_BYTES_MAX: u64 = 90 << 20;

/// Memory that pages may take that hash nothing; one hash takes 19 MiB.
const WITHOUT_HASHING_BYTES_MAX: u64 = 12 << 20;

/// A book with one owner, and the owner's password.
fn make_book_with_owner(db: &Path) -> String {
    make_book(db);
    let account = super::harness::ACCOUNT;
    let args = ["user", "create", "--email", EMAIL, "--role", "owner", "--account", account];
    let made = run(&[&args[..], &["--db", path(db), "--json"]].concat()).expect(0).json();
    made["password"].as_str().unwrap().to_owned()
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The body of a set-up form that is right except for its ticket.
fn set_up(ticket: &str) -> String {
    let password = "lang nok er det";
    form(&[("ticket", ticket), ("shop", "x"), ("account", "P00000001"), ("email", EMAIL)])
        + "&"
        + &form(&[("password", password)])
}

/// Serves a book behind a proxy on this machine that forwards its callers' addresses.
fn serve_behind_proxy(db: &Path) -> Served {
    let mut command = serve_command(db);
    command.env("TILLBOOK_TRUSTED_PROXY", "127.0.0.1");
    Served::try_start(command).unwrap_or_else(|ended| panic!("{}", ended.err))
}

fn post_from(served: &Served, address: &str, path: &str, body: &str) -> Reply {
    let headers = [FORM, ("x-forwarded-for", address)];
    send(&served.url, "POST", path, &headers, Some(body))
}

#[test]
fn three_hundred_sign_ins_at_once_and_in_a_row_take_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    let password = make_book_with_owner(&db);
    let served = Served::start(&db);
    let body = form(&[("email", EMAIL), ("password", &password)]);
    let sign_in = || send(&served.url, "POST", "/admin/sign-in", &[FORM], Some(&body));
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..SIGN_INS).map(|_| scope.spawn(sign_in)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (done, refused): (Vec<_>, Vec<_>) =
        replies.into_iter().partition(|reply| reply.status == 303);
    assert!(!done.is_empty());
    for reply in refused {
        let reply = reply.expect(429);
        assert!(reply.header("retry-after").is_some_and(|seconds| seconds != "0"));
        assert!(reply.text.contains("signing in at this moment"), "{}", reply.text);
    }
    for _ in 0..SIGN_INS {
        sign_in().expect(303);
    }
    let peak = served.peak_bytes();
    assert!(peak <= PEAK_BYTES_MAX, "{} MiB", peak >> 20);
}

#[test]
fn a_link_that_is_wrong_costs_neither_a_hash_nor_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let served = serve_behind_proxy(&db);
    // Not the set-up page: a hash of its password would stay in the memory that is compared with.
    post_from(&served, "203.0.113.1", "/admin/link", &set_up("wrong")).expect(400);
    let before = served.peak_bytes();
    std::thread::scope(|scope| {
        for nth in 0..20 {
            let served = &served;
            scope.spawn(move || {
                for path in ["/admin/setup", "/admin/link"] {
                    let address = format!("203.0.113.{}", 2 + nth);
                    post_from(served, &address, path, &set_up("wrong")).expect(400);
                }
            });
        }
    });
    let grown = served.peak_bytes().saturating_sub(before);
    assert!(grown < WITHOUT_HASHING_BYTES_MAX, "{} MiB", grown >> 20);

    let mut app = App::start();
    let rows = app.snapshot();
    app.stop_writing();
    let ticket = Ticket::draw(&Randomness::System);
    for ticket in ["", "wrong", ticket.reveal()] {
        for path in ["/admin/setup", "/admin/link"] {
            let refused = app.send("POST", path, &[FORM], Some(&set_up(ticket))).expect(400);
            assert!(refused.text.contains("The link did not work"), "{}", refused.text);
        }
    }
    assert_eq!(app.snapshot(), rows);
}

#[test]
fn five_wrong_links_make_their_address_wait_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("book.db");
    make_book(&db);
    let served = serve_behind_proxy(&db);
    let (own, other) = ("203.0.113.7", "203.0.113.8");
    for path in ["/admin/setup", "/admin/link", "/admin/setup", "/admin/link", "/admin/setup"] {
        post_from(&served, own, path, &set_up("wrong")).expect(400);
    }
    // A full second passes only if the machine is busy; then the sixth is compared, and the next
    // waits longer.
    let waits = (0..10).map(|_| post_from(&served, own, "/admin/link", "ticket=wrong"));
    let waits = waits.into_iter().find(|reply| reply.status == 429).unwrap();
    assert!(waits.header("retry-after").is_some_and(|seconds| seconds != "0"));
    post_from(&served, other, "/admin/link", "ticket=wrong").expect(400);
}

/// The rows of `sign_in_attempts`.
fn count_attempts(app: &App) -> usize {
    #[expect(clippy::disallowed_methods, reason = "the test looks into the file from outside")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let count: i64 =
        conn.query_row("select count(*) from sign_in_attempts", [], |row| row.get(0)).unwrap();
    count.try_into().unwrap()
}

#[test]
fn the_book_keeps_no_more_failed_sign_ins_than_memory_does() {
    let mut app = App::start();
    #[expect(clippy::disallowed_methods, reason = "the test fills the file from outside")]
    let conn = rusqlite::Connection::open(&app.db).unwrap();
    let sql = "with recursive n(n) as (select 1 union all select n + 1 from n where n < :rows)
        insert into sign_in_attempts select randomblob(32), 1, :at from n";
    let fill = |rows: i64, at: i64| {
        conn.execute(sql, rusqlite::named_params! {":rows": rows, ":at": at}).unwrap();
    };
    fill(3_000, START.0 - 25 * 60 * 60 * 1_000);
    app.restart();
    assert_eq!(count_attempts(&app), 0, "those of the day before yesterday do not count");
    fill(9_000, START.0 - 2);
    fill(9_000, START.0 - 1);
    app.restart();
    assert_eq!(count_attempts(&app), NAMES_MAX);
    for nth in 0..3 {
        // Sign-ins on the server's own machine are not written.
        let headers = [FORM, ("x-forwarded-for", "203.0.113.7")];
        let body = form(&[("email", &format!("{nth}@example.no")), ("password", "wrong")]);
        app.send("POST", "/admin/sign-in", &headers, Some(&body)).expect(200);
        assert_eq!(count_attempts(&app), NAMES_MAX, "new names replace old ones");
    }
}
