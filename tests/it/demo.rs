//! The demo shop: made by the real commands, the same for the same seed, and never written over an
//! existing book.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tillbook::clock::{Clock, day_start, local_date};
use tillbook::demo::{ACCOUNT, make_shop};
use tillbook::domain::ids::AccountId;
use tillbook::domain::operation::OperationKind;
use tillbook::randomness::Randomness;
use tillbook::store::verify::verify;
use tillbook::store::{EventBody, OrderQuery, OrderRecord, Store, read_once};

use super::audit::tamper;
use super::harness::{START, snapshot};
use super::http_client::send;

fn tillbook(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tillbook"));
    command.current_dir(dir).args(args).stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    tillbook(dir, args).output().unwrap()
}

/// Starts a demo; the process and the lines that it printed.
fn start(dir: &Path, args: &[&str]) -> (Child, Vec<String>) {
    let all = [&["demo", "--listen", "127.0.0.1:0"], args].concat();
    let mut child = tillbook(dir, &all).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().starts_with("Stop it") {
            break;
        }
    }
    (child, lines)
}

/// Ends the demo with SIGTERM and returns its exit code.
fn stop(mut child: Child) -> Option<i32> {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    child.wait().unwrap().code()
}

fn all_orders(db: &Path) -> Vec<OrderRecord> {
    let account = AccountId::parse(ACCOUNT).unwrap();
    let query = OrderQuery { limit: 1_000, ..OrderQuery::default() };
    read_once(db, |reader| reader.list_orders(&account, &query)).unwrap().orders
}

#[test]
fn the_shop_has_every_story_and_its_sums_are_right() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("demo.db");
    make_shop(&db, 1, START, |_, _| {}).unwrap();
    assert_eq!(verify(&db, |_, _| {}).unwrap().findings, Vec::<String>::new());
    let orders = all_orders(&db);
    assert_eq!(orders.len(), 120);
    let set = |text: fn(&OrderRecord) -> String| -> BTreeSet<String> {
        orders.iter().map(text).collect()
    };
    assert_eq!(set(|o| o.payment_status.as_str().into()).len(), 5);
    assert_eq!(set(|o| o.ledger.status.as_str().into()).len(), 3);
    let currencies: Vec<String> = set(|o| o.currency.code().into()).into_iter().collect();
    assert_eq!(currencies, ["EUR", "ISK", "NOK", "SEK"]);
    let any = |holds: fn(&OrderRecord) -> bool| orders.iter().any(holds);
    assert!(any(|o| o.ledger.authorizations.len() == 2), "two authorizations");
    assert!(any(|o| o.ledger.lines.iter().any(|l| l.payable().minor_units() < 0)), "a reversal");
    let operations = |o: &OrderRecord| o.events.iter().filter_map(|e| e.operation()).count();
    assert!(orders.iter().any(|o| operations(o) == 4), "three parts of one authorization");
    assert!(any(|o| o.events.iter().filter_map(|e| e.operation()).any(|op| !op.success)));
    assert!(any(|o| o.document.0.contains("ø")), "names with Norwegian letters");
    let ends_tonight = |op: &tillbook::domain::operation::Operation| {
        op.document.0.contains("\"hold_ends_at\":\"2026-11-18T22:59:00.000Z\"")
    };
    let mut operations = orders.iter().flat_map(|o| o.events.iter().filter_map(|e| e.operation()));
    assert!(operations.any(ends_tonight));
    assert!(orders.iter().all(|order| order.updated_at < START), "nothing is in the future");
}

#[test]
fn the_shop_s_history_is_one_that_the_api_could_have_made() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("demo.db");
    make_shop(&db, 1, START, |_, _| {}).unwrap();
    let orders = all_orders(&db);
    for order in &orders {
        let name = order.order_id.as_str();
        for event in &order.events {
            let EventBody::Api(api) = &event.body else { continue };
            let called = api.path.rsplit('/').next().unwrap();
            assert!(["complete", "close", "cancel"].contains(&called), "{name}: {}", api.path);
            let reason = order.cancelled.as_ref().and_then(|cancelled| cancelled.reason);
            if let Some(reason) = reason.filter(|_| called == "cancel") {
                let body = format!("{{\"cancelled_reason\":\"{}\"}}", reason.as_str());
                assert_eq!(api.body.as_ref().unwrap().0, body, "{name}");
            }
        }
        let captures = order.events.iter().filter_map(|event| event.operation());
        let captures = captures.filter(|op| op.kind == OperationKind::Capture).count();
        if captures == 3 {
            assert_eq!(order.payment_status.as_str(), "paid", "{name} in three parts");
        }
    }
    let countries = ["NO", "SE", "DK", "FI", "IS"].map(|code| format!("\"country\":\"{code}\""));
    for country in countries {
        assert!(orders.iter().any(|order| order.document.0.contains(&country)), "{country}");
    }
}

#[test]
fn everything_before_today_happened_in_opening_hours() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("demo.db");
    make_shop(&db, 1, START, |_, _| {}).unwrap();
    let today = local_date(START, "Europe/Oslo");
    for event in all_orders(&db).iter().flat_map(|order| &order.events) {
        let date = local_date(event.created_at, "Europe/Oslo");
        let midnight = day_start(&date, 0, "Europe/Oslo").unwrap();
        let hour = (event.created_at.0 - midnight.0) / 3_600_000;
        assert!(date == today || (8..21).contains(&hour), "{date}, hour {hour}");
    }
}

#[test]
fn the_same_seed_makes_the_same_shop() {
    let dir = tempfile::tempdir().unwrap();
    let shop = |name: &str, seed| {
        let db = dir.path().join(name);
        make_shop(&db, seed, START, |_, _| {}).unwrap();
        // Secrets are never made from a seed.
        let text = snapshot(&db);
        text.lines().filter(|line| !line.contains("Nettbutikken")).collect::<Vec<_>>().join("\n")
    };
    let seven = shop("a.db", 7);
    assert!(seven == shop("b.db", 7), "two shops with one seed differ");
    assert!(seven != shop("c.db", 8), "two shops with different seeds are the same");
}

#[test]
fn the_printed_command_records_a_capture_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (child, lines) = start(dir.path(), &[]);
    let curl = lines.iter().find(|line| line.starts_with("curl ")).expect("at a line's start");
    let paste = || {
        let out = Command::new("bash").args(["-c", &format!("{curl} -sS")]).output().unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap()
    };
    let capture = paste();
    assert_eq!(capture["success"], true, "{capture}");
    let again = paste();
    assert_eq!(again["error"]["code"], "amount_exceeds_remaining");
    assert_eq!(again["error"]["errors"][0]["last_operation"]["id"], capture["id"]);
    let url = lines[0].rsplit(' ').next().unwrap();
    let routes = lines.iter().find(|line| line.starts_with("Every route:")).unwrap();
    for page in ["docs", "openapi.yaml"] {
        assert!(routes.contains(&format!("{url}/{page}")), "{routes}");
        assert_eq!(send(url, "GET", &format!("/{page}"), &[], None).status, 200);
    }
    assert_eq!(send(url, "GET", "/health", &[], None).status, 200);
    assert_eq!(stop(child), Some(0));
    let before = all_orders(&dir.path().join("tillbook-demo.db")).len();
    let (child, _) = start(dir.path(), &[]);
    let served = run(dir.path(), &["demo", "--listen", "127.0.0.1:0", "--reset"]);
    let text = String::from_utf8(served.stderr).unwrap();
    assert_eq!(served.status.code(), Some(1), "{text}");
    assert!(text.contains("another Tillbook serves"), "{text}");
    assert_eq!(stop(child), Some(0));
    assert_eq!(all_orders(&dir.path().join("tillbook-demo.db")).len(), before);
}

#[test]
fn the_printed_link_pays_an_order_and_the_next_start_prints_another() {
    let dir = tempfile::tempdir().unwrap();
    let db = dir.path().join("tillbook-demo.db");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let mut paid = Vec::new();
    // The shop has two unpaid orders; then one is made.
    for _ in 0..4 {
        let (child, lines) = start(dir.path(), &[]);
        let at = lines.iter().position(|line| line.starts_with("Pay order ")).unwrap();
        let order = lines[at].split(' ').nth(2).unwrap().to_owned();
        let (url, token) = lines[at + 1].split_once("/pay/").unwrap();
        let path = format!("/pay/{token}");
        assert!(lines[0].ends_with(url), "{}", lines[0]);
        let page = send(url, "GET", &path, &[], None).expect(200).text;
        assert!(page.contains(&format!("order {order}")), "{page}");
        let answered = send(url, "POST", &path, &form, Some("outcome=approve")).expect(303);
        let back = answered.header("location").unwrap();
        let (_, query) = back.split_once("/demo/return?").unwrap();
        let shop = send(url, "GET", &format!("/demo/return?{query}"), &[], None).expect(200).text;
        assert!(query.contains("transaction_id="), "{query}");
        assert!(shop.contains("merchant_reference") && shop.contains(&order), "{shop}");
        assert_eq!(stop(child), Some(0));
        let reserved = all_orders(&db).into_iter().find(|one| one.order_id.as_str() == order);
        assert!(reserved.unwrap().ledger.holds(), "{order} is reserved");
        assert!(!paid.contains(&order), "{order} was printed twice");
        paid.push(order);
    }
    assert_eq!(verify(&db, |_, _| {}).unwrap().findings, Vec::<String>::new());
    // An open session is printed again.
    let printed = |listen: &str| {
        let (child, lines) = start(dir.path(), &["--public-url", listen]);
        assert_eq!(stop(child), Some(0));
        lines.into_iter().find(|line| line.contains("/pay/")).unwrap()
    };
    let first = printed("http://127.0.0.1:8080");
    assert_eq!(printed("http://127.0.0.1:8080"), first);
    assert_ne!(printed("http://127.0.0.1:8081"), first, "it leads back to another address");
}

#[test]
fn reset_touches_no_file_that_demo_did_not_make() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real.db");
    let opened = Store::open(&real, Clock::System, Randomness::System).unwrap();
    drop(opened.store);
    opened.writer_thread.stop();
    let foreign = dir.path().join("foreign.db");
    std::fs::write(&foreign, "no database at all, but somebody's").unwrap();
    let unreleased = dir.path().join("unreleased.db");
    std::fs::copy(&real, &unreleased).unwrap();
    tamper(&unreleased, super::files::UNRELEASED).unwrap();
    let files = [
        (&real, "was not changed"),
        (&foreign, "was not changed"),
        (&unreleased, "unreleased build"),
    ];
    for (file, told) in files {
        let before = std::fs::read(file).unwrap();
        for args in [&["demo", "--reset"][..], &["demo"][..]] {
            let args =
                [args, &["--listen", "127.0.0.1:0", "--db", file.to_str().unwrap()]].concat();
            let out = run(dir.path(), &args);
            let text = String::from_utf8(out.stderr).unwrap();
            assert_eq!(out.status.code(), Some(1), "{text}");
            assert!(text.contains(told) && text.contains("--db"), "{text}");
        }
        assert!(std::fs::read(file).unwrap() == before, "{} was changed", file.display());
    }
}

#[test]
fn a_busy_port_is_reported_with_advice_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let out = run(dir.path(), &["demo", "--listen", &address]);
    let text = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{text}");
    assert!(text.contains("is in use") && text.contains("--listen"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
