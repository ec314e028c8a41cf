//! A clock that was wrong for an hour spoils the times of that hour and no others
//! (docs/contract.md, Decision 15).

use serde_json::json;
use tillbook::clock::Clock;
use tillbook::domain::Timestamp;
use tillbook::domain::role::Role;
use tillbook::store::verify::verify;

use super::audit;
use super::harness::{ACCOUNT, App, START};
use super::http_client::health;
use super::lost_files::read_until;
use super::office::{get, visitor, words};
use super::process::{Served, path as db_path, run};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;

/// Sets the clock to so long after the start, and gets a token of that time.
fn set_clock(app: &mut App, after_ms: i64) {
    app.clock.set(Timestamp(START.0 + after_ms));
    app.token = app.token_of(&app.client);
}

fn time(after_ms: i64) -> String {
    tillbook::clock::rfc3339(Timestamp(START.0 + after_ms))
}

/// The time that the next capture gets.
fn capture(app: &App, order: &str) -> String {
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    app.post(&format!("/orders/{order}/captures"), body).expect(200);
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let made = shown["captures"].as_array().unwrap().last().unwrap();
    made["created_at"].as_str().unwrap().to_owned()
}

#[track_caller]
fn expect_right(app: &App) {
    assert_eq!(verify(&app.db, |_, _| {}).unwrap().findings, Vec::<String>::new());
    audit::expect_clean(&app.db);
}

#[test]
fn a_wrong_hour_does_not_freeze_the_years_after_it() {
    let mut app = App::start();
    let order = app.simple_order(&[10_000]);
    assert_eq!(capture(&app, &order), time(0));
    // A correction is waited for.
    for (clock, recorded) in [(-MINUTE_MS, 0), (-5 * MINUTE_MS, 0), (1, 1)] {
        set_clock(&mut app, clock);
        assert_eq!(capture(&app, &order), time(recorded), "{clock}");
    }
    assert!(app.send("GET", "/health", &[], None).expect(200).body.get("warnings").is_none());
    set_clock(&mut app, 2 * YEAR_MS);
    assert_eq!(capture(&app, &order), time(2 * YEAR_MS));
    for later in [HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS] {
        set_clock(&mut app, later);
        assert_eq!(capture(&app, &order), time(later));
    }
    expect_right(&app);
    let (from, to) = (time(2 * YEAR_MS), time(HOUR_MS));
    for is_restarted in [false, true] {
        let health = app.send("GET", "/health", &[], None).expect(200).body;
        assert_eq!(health["warnings"], json!(["clock_jumped"]), "{is_restarted}");
        assert_eq!(health["clock_jump"], json!({"from": from, "to": to}));
        let cookie = visitor(&app, Role::Viewer, ACCOUNT);
        let page = words(&get(&app, &cookie, "/orders").expect(200));
        assert!(page.contains(&from) && page.contains(&to), "{page}");
        app.restart();
    }
    set_clock(&mut app, 3 * HOUR_MS);
    assert_eq!(capture(&app, &order), time(3 * HOUR_MS), "after a restart");
    set_clock(&mut app, 8 * 24 * HOUR_MS);
    let health = app.send("GET", "/health", &[], None).expect(200).body;
    assert!(health.get("clock_jump").is_none(), "{health}");
    expect_right(&app);
}

#[test]
fn every_row_follows_the_clock_and_lists_have_the_rows_of_their_times() {
    let mut app = App::start();
    let mut named = |after_ms: i64| {
        set_clock(&mut app, after_ms);
        let order = app.simple_order(&[100]);
        app.get(&format!("/orders/{order}")).expect(200).body["order_id"].clone()
    };
    let before = named(0);
    let wrong = [2 * YEAR_MS, 2 * YEAR_MS + MINUTE_MS].map(&mut named);
    let after = [HOUR_MS, HOUR_MS + MINUTE_MS].map(&mut named);
    let far_back = named(-YEAR_MS);
    let last = named(3 * HOUR_MS);
    for (range, expected) in [
        (format!("created_at.gte={}", time(YEAR_MS)), vec![&wrong[1], &wrong[0]]),
        (format!("created_at.gte={}", time(HOUR_MS)), {
            vec![&last, &after[1], &after[0], &wrong[1], &wrong[0]]
        }),
        (format!("created_at.lte={}", time(-1)), vec![&far_back]),
        (format!("created_at.lte={}", time(HOUR_MS)), vec![&far_back, &after[0], &before]),
        (
            format!("created_at.gte={}&created_at.lte={}", time(0), time(YEAR_MS)),
            vec![&last, &after[1], &after[0], &before],
        ),
    ] {
        for filter in ["", "&status=open", "&currency=NOK"] {
            let query = format!("/orders?total=true&{range}{filter}");
            let list = app.get(&query).expect(200);
            let orders = list.body["orders"].as_array().unwrap();
            let found: Vec<_> = orders.iter().map(|order| &order["order_id"]).collect();
            assert_eq!(found, expected, "{query}");
            let count = expected.len().to_string();
            assert_eq!(list.header("total-count"), Some(count.as_str()), "{query}");
        }
        let drafts = app.get(&format!("/draft_orders?{range}")).expect(200).body;
        assert_eq!(drafts["draft_orders"].as_array().unwrap().len(), expected.len(), "{range}");
    }
    expect_right(&app);
}

#[test]
fn a_server_logs_the_jump_with_both_times_and_verify_accepts_it() {
    let mut app = App::start();
    let client = app.client.clone();
    let order = app.simple_order(&[10_000]);
    // The server below follows the clock of the machine, which is two years behind.
    set_clock(&mut app, Clock::System.now().0 - START.0 + 2 * YEAR_MS);
    let from = capture(&app, &order);
    app.stop();
    let mut served = Served::start(&app.db);
    let mut log = served.log();
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    let path = format!("/orders/{order}/captures");
    let token = served.token(&client);
    let made = served.shopping(&token, "POST", &path, Some(&body)).expect(200).body;
    let logged = read_until(&mut log, "the clock was wrong and went back.");
    let line = logged.lines().last().unwrap();
    // The token was recorded before the capture, or the capture itself made the jump.
    let to = health(&served.url).expect(200).body["clock_jump"]["to"].clone();
    let (to, made_at) = (to.as_str().unwrap(), made["created_at"].as_str().unwrap());
    assert!(to <= made_at && made_at < from.as_str(), "{to} {made_at} {from}");
    assert_eq!(
        line.split_once(' ').unwrap().1,
        format!(
            " WARN the clock was wrong and went back. Earlier records have wrong times, and new \
             ones follow the clock; check that the machine sets its clock by itself \
             from=\"{from}\" to=\"{to}\""
        )
    );
    let verify = || run(&["verify", "--db", db_path(&app.db)]);
    verify().expect(0);
    drop(served);
    let forget = "drop trigger clock_jumps_are_not_deleted; delete from clock_jumps";
    audit::tamper(&app.db, forget).unwrap();
    let told = "ERROR  events have an earlier time than the one before, and no jump of the clock \
                is recorded: 1 found\n";
    assert!(verify().expect(1).out.contains(told));
}

#[test]
fn verify_finds_a_fall_that_no_jump_explains() {
    for table in ["events", "orders", "drafts"] {
        let app = App::start();
        app.simple_order(&[100]);
        app.clock.set(Timestamp(START.0 + MINUTE_MS));
        app.simple_order(&[100]);
        expect_right(&app);
        let key = format!("{}_seq", table.trim_end_matches('s'));
        audit::tamper(
            &app.db,
            &format!(
                "drop trigger if exists {table}_are_not_changed;
                 update {table} set created_at_ms = created_at_ms - 120000
                 where {key} = (select max({key}) from {table})"
            ),
        )
        .unwrap();
        let findings = verify(&app.db, |_, _| {}).unwrap().findings;
        let told = format!(
            "{table} have an earlier time than the one before, and no jump of the clock is \
             recorded: 1 found"
        );
        assert!(findings.contains(&told), "{table}: {findings:?}");
    }
}
