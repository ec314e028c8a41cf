//! `options.order_time_to_live` (docs/contract.md, Decision 13).

use serde_json::{Value, json};
use tillbook::app::{ConfirmClock, ExpireDue, FollowClock};
use tillbook::domain::role::Role;
use tillbook::store::StoreError;
use tillbook::worker::sweep_expired;

use super::audit;
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{get, visitor, words};
use super::order_sessions::{page_of, start};
use super::verify::expect_verified;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// A word in everything that a client sends below, which must be nowhere after the removal.
pub const SECRET: &str = "kari.nordmann";

/// An order whose time to live is a minute, with personal data everywhere.
pub fn order_of_a_minute(app: &App, order_id: &str) -> String {
    let email = format!("{SECRET}@example.no");
    let order = json!({
        "currency": "NOK", "order_id": order_id,
        "items": [{"id": SECRET, "gross_amount": 100, "store": {"id": "torget"}}],
        "customer": {"id": "c7", "email": email},
        "shipping_address": {"first_name": SECRET},
    });
    app.order(order, json!({"split_draft": false, "order_time_to_live": 60}))
}

pub fn sweep(app: &App) {
    sweep_expired(&app.state.store);
    // An error of the sweep is only logged.
    assert!(!app.state.store.writer.write_blocking(ExpireDue).unwrap(), "more is due");
}

/// Lets time pass and gets a new token, if the old one has expired.
fn pass(app: &mut App, ms: i64) {
    app.pass(ms);
    app.token = app.token_of(&app.client);
}

pub fn authorize(app: &App, order: &str, success: bool) -> Reply {
    let body = json!({"items": [{"line_id": 1, "amount": 100}], "success": success});
    app.post(&format!("/orders/{order}/authorizations"), body)
}

pub fn ids(reply: &Reply, of: &str) -> Vec<String> {
    let listed = reply.body[of].as_array().unwrap();
    listed.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

fn total(app: &App, path: &str) -> String {
    app.get(path).expect(200).header("total-count").unwrap().to_owned()
}

#[test]
fn the_value_is_a_number_of_seconds_in_its_range() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]});
    let made = app.simple_order(&[100]);
    let draft = app.draft(order.clone(), json!({}));
    for (value, problem) in [
        (json!(0), Some("bad_value")),
        (json!(-1), Some("bad_value")),
        (json!(315_360_001), Some("bad_value")),
        (json!(99_999_999_999_999_999_999_f64), Some("wrong_type")),
        (json!(1.5), Some("wrong_type")),
        (json!("60"), Some("wrong_type")),
        (json!(true), Some("wrong_type")),
        (json!(1), None),
        (json!(60.0), None),
        (json!(315_360_000), None),
    ] {
        let options = json!({"order_time_to_live": value});
        let bodies = [
            app.post("/draft_orders", json!({"order": order, "options": options})),
            app.put(&draft, json!({"options": options})),
            app.put(&format!("/orders/{made}"), json!({"options": options})),
        ];
        for reply in bodies {
            match problem {
                Some(code) if value.is_f64() && !reply.problems().contains(code) => {
                    assert!(reply.problems().contains("order_time_to_live"), "{}", reply.text);
                }
                Some(code) => {
                    let expected = format!("/options/order_time_to_live {code}");
                    assert_eq!(reply.expect(400).problems(), expected, "{value}");
                }
                None => assert!(reply.expect(200).body["expires_at"].is_string()),
            }
        }
    }
    expect_verified(&app);
}

#[test]
fn the_moment_is_counted_from_creation_and_shown_and_can_be_moved_and_removed() {
    let mut app = App::start();
    let draft = app.draft(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]}),
        json!({"order_time_to_live": 3600}),
    );
    let shown = |path: &str| app.get(path).expect(200).body["expires_at"].clone();
    assert_eq!(shown(&draft), "2026-11-18T12:06:40.000Z");
    app.pass(1_000);
    let done = app.put(&format!("{draft}/complete"), json!({})).expect(200).body;
    let order = format!("/orders/{}", done["orders"][0]["order_id"].as_str().unwrap());
    assert_eq!(shown(&draft), Value::Null, "a completed draft ends with its orders");
    assert_eq!(shown(&order), "2026-11-18T12:06:41.000Z");
    let put = |value: Value| {
        app.pass(10_000);
        app.put(&order, json!({"options": {"order_time_to_live": value}}))
    };
    let moved = put(json!(7200)).expect(200).body;
    assert_eq!(moved["expires_at"], "2026-11-18T13:06:41.000Z");
    assert_eq!(moved["options"]["order_time_to_live"], 7200);
    // 31 seconds after the creation: in the past, so refused, at the boundary too.
    assert_eq!(put(json!(20)).expect(400).problems(), "/options/order_time_to_live bad_value");
    assert_eq!(put(json!(30)).expect(400).code(), "invalid_request");
    assert_eq!(put(json!(41)).expect(200).body["expires_at"], "2026-11-18T11:07:22.000Z");
    // Repeating the order does not change it, and null removes the option.
    let whole = json!({"options": {"order_time_to_live": 41}});
    assert_eq!(app.put(&order, whole).expect(200).body["expires_at"], "2026-11-18T11:07:22.000Z");
    let removed = app.put(&order, json!({"options": {"order_time_to_live": null}}));
    let removed = removed.expect(200).body;
    assert_eq!((&removed["expires_at"], &removed["options"]), (&Value::Null, &json!({})));
    pass(&mut app, 400 * 24 * HOUR_MS);
    sweep(&app);
    assert_eq!(app.get(&order).expect(200).body["expires_at"], Value::Null);
    expect_verified(&app);
}

#[test]
fn a_draft_can_lose_its_time_to_live_and_is_removed_at_its_own_moment() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}],
        "customer": {"email": "kari.nordmann@example.no"}});
    let keeps = app.draft(order.clone(), json!({"order_time_to_live": 60}));
    let loses = app.draft(
        order,
        json!({"order_time_to_live": 60, "generate_order_id": "ALPHANUMERIC_9_RESERVE"}),
    );
    let reserved = app.get(&loses).expect(200).body["order"]["order_id"].clone();
    let changed = app.put(&keeps, json!({"options": {"order_time_to_live": null}})).expect(200);
    assert_eq!((&changed.body["options"], &changed.body["expires_at"]), (&json!({}), &Value::Null));
    app.pass(59_999);
    assert_eq!(app.get(&loses).status, 200);
    assert_eq!(total(&app, "/draft_orders?total=true"), "2");
    app.pass(1);
    for is_swept in [false, true] {
        if is_swept {
            sweep(&app);
        }
        app.get(&loses).expect(404);
        app.put(&format!("{loses}/complete"), json!({})).expect(404);
        app.put(&loses, json!({})).expect(404);
        app.shopping("DELETE", &loses, &[], None).expect(404);
        assert_eq!(total(&app, "/draft_orders?total=true&search=nordmann"), "1", "{is_swept}");
        assert_eq!(ids(&app.get("/draft_orders").expect(200), "draft_orders").len(), 1);
    }
    let conn = audit::open(&app.db);
    let sql = "select method || ' ' || path from draft_events where created_by = 'system'";
    let told: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(told, format!("DELETE /v1/accounts/{ACCOUNT}/shopping{loses}"));
    let taken = json!({"order": {"currency": "NOK", "order_id": reserved, "items": []},
        "options": {"split_draft": false}});
    assert_eq!(app.post("/draft_orders", taken).expect(409).code(), "order_id_taken");
    app.get(&keeps).expect(200);
    expect_verified(&app);
}

#[test]
fn an_order_with_an_operation_is_closed_once_and_shown_closed_from_its_moment_on() {
    for success in [true, false] {
        let app = App::start();
        let order = order_of_a_minute(&app, "B-1");
        let other = app.simple_order(&[5]);
        authorize(&app, &order, success).expect(200);
        let path = format!("/orders/{order}");
        let count = |query: &str| total(&app, &format!("/orders?total=true&{query}"));
        let counts = || {
            (
                count("status=open"),
                count("status=closed"),
                count("search=nordmann"),
                count("search=nordmann&status=closed"),
                count("status=closed,open"),
                count("status=open&payment_status=pending"),
            )
        };
        app.pass(59_999);
        assert_eq!(app.get(&path).expect(200).body["status"], "open");
        let text = |n: [&str; 6]| {
            let [a, b, c, d, e, f] = n.map(str::to_owned);
            (a, b, c, d, e, f)
        };
        assert_eq!(counts(), text(["2", "0", "1", "0", "2", "2"]));
        app.pass(1);
        let due = app.get(&path).expect(200).body;
        assert_eq!((&due["status"], &due["closed_by"]), (&json!("closed"), &json!("system")));
        assert_eq!(due["closed_at"], "2026-11-18T11:07:40.000Z");
        assert_eq!(counts(), text(["1", "1", "1", "1", "2", "1"]));
        let owner = visitor(&app, Role::Owner, ACCOUNT);
        let page = get(&app, &owner, "/orders?status=closed").expect(200).text;
        assert!(page.contains("title=\"closed\"") && !page.contains("title=\"open\""), "{page}");
        let listed = ids(&app.get("/orders?status=closed").expect(200), "orders");
        assert_eq!(listed, [due["id"].as_str().unwrap()]);
        app.pass(5_000);
        sweep(&app);
        assert_eq!(app.get(&path).expect(200).body, due, "the sweep changed what is shown");
        assert_eq!(counts(), text(["1", "1", "1", "1", "2", "1"]));
        let events = app.get(&format!("{path}/events")).expect(200).body;
        let last = events["events"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["created_by"], &last["request"]["method"]),
            (&json!("system"), &json!("POST"))
        );
        assert!(last["request"]["path"].as_str().unwrap().ends_with("/close"), "{last}");
        // Opened again, it stays open.
        app.post(&format!("{path}/open"), json!({})).expect(200);
        app.pass(60_000);
        sweep(&app);
        assert_eq!(app.get(&path).expect(200).body["status"], "open");
        app.get(&format!("/orders/{other}")).expect(200);
        expect_verified(&app);
        audit::expect_clean(&app.db);
    }
}

#[test]
fn a_command_loses_to_an_expiry_that_no_sweep_has_carried_out() {
    let app = App::start();
    // Without an operation it is gone. With one it is closed first, and then decided about.
    let none = order_of_a_minute(&app, "N-1");
    let some = order_of_a_minute(&app, "S-1");
    let held = order_of_a_minute(&app, "H-1");
    let cancelled = order_of_a_minute(&app, "X-1");
    for order in [&some, &held, &cancelled] {
        let body = json!({"items": [{"line_id": 1, "amount": 60}]});
        app.post(&format!("/orders/{order}/authorizations"), body).expect(200);
    }
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    app.pass(60_000);
    authorize(&app, &none, true).expect(404);
    assert_eq!(authorize(&app, &some, false).expect(200).body["success"], false);
    assert_eq!(authorize(&app, &some, true).expect(409).code(), "order_not_open");
    assert_eq!(
        app.post(&format!("/orders/{some}/close"), json!({})).expect(409).code(),
        "order_not_open"
    );
    let capture = json!({"items": [{"line_id": 1, "amount": 60}]});
    app.post(&format!("/orders/{held}/captures"), capture).expect(200);
    app.post(&format!("/orders/{some}/open"), json!({})).expect(200);
    sweep(&app);
    // An order that stays as it is is not looked at again.
    let next = app.state.store.read_blocking::<_, StoreError>(|reader| reader.load_next_expiry());
    assert_eq!(next.unwrap().1, None);
    let status =
        |order: &str| app.get(&format!("/orders/{order}")).expect(200).body["status"].clone();
    assert_eq!((status(&some), status(&held)), (json!("open"), json!("closed")));
    assert_eq!(status(&cancelled), "cancelled");
    let words = |order: &str| {
        let events = app.get(&format!("/orders/{order}/events")).expect(200).body;
        let told = |event: &Value| match event["service_status"].as_str() {
            Some(word) => word.to_owned(),
            None => {
                event["request"]["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
            }
        };
        events["events"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(words(&held), ["complete", "authorization", "close", "capture"]);
    assert_eq!(words(&some), ["complete", "authorization", "close", "authorization", "open"]);
    app.get(&format!("/orders/{none}")).expect(404);
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn an_operation_at_the_last_moment_keeps_the_order() {
    let app = App::start();
    let order = order_of_a_minute(&app, "L-1");
    app.pass(59_999);
    authorize(&app, &order, true).expect(200);
    app.pass(1);
    for _ in 0..2 {
        assert_eq!(app.get(&format!("/orders/{order}")).expect(200).body["status"], "closed");
        sweep(&app);
    }
    expect_verified(&app);
}

#[test]
fn a_sweep_never_removes_an_order_with_an_operation_that_was_not_noted() {
    let app = App::start();
    let order = order_of_a_minute(&app, "L-2");
    authorize(&app, &order, false).expect(200);
    audit::tamper(&app.db, "update order_expiries set has_operations = 0").unwrap();
    app.pass(60_000);
    sweep(&app);
    assert_eq!(app.get(&format!("/orders/{order}")).expect(200).body["status"], "closed");
    expect_verified(&app);
}

#[test]
fn operations_race_with_the_sweep_and_one_of_them_wins_whole() {
    let app = App::start();
    let orders: Vec<String> =
        (0..40).map(|nth| order_of_a_minute(&app, &format!("R-{nth}"))).collect();
    app.pass(59_999);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let sweeping = scope.spawn(|| (0..40).for_each(|_| sweep(&app)));
        let moving = scope.spawn(|| app.pass(1));
        let halves = orders.chunks(20).map(|half| {
            scope.spawn(|| {
                half.iter().map(|order| authorize(&app, order, true).status).collect::<Vec<_>>()
            })
        });
        let halves: Vec<_> = halves.collect();
        let found = halves.into_iter().flat_map(|half| half.join().unwrap()).collect();
        sweeping.join().unwrap();
        moving.join().unwrap();
        found
    });
    sweep(&app);
    for (order, status) in orders.iter().zip(statuses) {
        let shown = app.get(&format!("/orders/{order}"));
        match status {
            200 => assert_eq!(shown.expect(200).body["status"], "closed"),
            404 => assert_eq!(shown.status, 404),
            other => panic!("{order}: {other}"),
        }
    }
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

#[test]
fn a_split_draft_stays_while_one_of_its_orders_does() {
    let app = App::start();
    let items = json!([{"id": "a", "gross_amount": 1, "store": {"id": "a"}},
        {"id": "b", "gross_amount": 2, "store": {"id": "b"}}]);
    let draft =
        app.draft(json!({"currency": "NOK", "items": items}), json!({"order_time_to_live": 60}));
    let done = app.put(&format!("{draft}/complete"), json!({})).expect(200).body;
    let paid = done["orders"][0]["order_id"].as_str().unwrap();
    let body = json!({"items": [{"line_id": 1, "amount": 1}]});
    app.post(&format!("/orders/{paid}/captures"), body).expect(200);
    app.pass(60_000);
    for _ in 0..2 {
        let shown = app.get(&draft).expect(200).body;
        let links = shown["_links"].as_array().unwrap();
        let orders = links.iter().filter(|link| link["rel"] == "order");
        assert_eq!(orders.count(), 1, "{shown}");
        let again = app.shopping("GET", &format!("/orders/{paid}"), &[], None).expect(200).body;
        app.follow(&again, "draft").expect(200);
        sweep(&app);
    }
    expect_verified(&app);
}

#[test]
fn twelve_hundred_at_once_are_removed_in_three_writes() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]});
    for _ in 0..1_200 {
        app.draft(order.clone(), json!({"order_time_to_live": 60}));
    }
    app.pass(60_000);
    assert_eq!(total(&app, "/draft_orders?total=true"), "0");
    let write = || app.state.store.writer.write_blocking(ExpireDue).unwrap();
    assert_eq!([write(), write(), write(), write()], [true, true, false, false]);
    assert_eq!(total(&app, "/draft_orders?total=true"), "0");
    expect_verified(&app);
}

#[test]
fn six_hundred_orders_at_once_are_removed_in_two_writes() {
    let app = App::start();
    for _ in 0..2 {
        let item = |n| json!({"id": "a", "gross_amount": 1, "store": {"id": format!("s{n}")}});
        let items: Vec<Value> = (0..300).map(item).collect();
        let order = json!({"currency": "NOK", "items": items});
        let draft = app.draft(order, json!({"order_time_to_live": 60}));
        app.put(&format!("{draft}/complete"), json!({})).expect(200);
    }
    app.pass(60_000);
    assert_eq!(total(&app, "/orders?total=true"), "0");
    let left = || {
        let conn = audit::open(&app.db);
        let sql = "select count(*) from order_documents";
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let mut counts = vec![left()];
    while app.state.store.writer.write_blocking(ExpireDue).unwrap() {
        counts.push(left());
    }
    counts.push(left());
    assert_eq!(counts, [600, 100, 0]);
    expect_verified(&app);
}

#[test]
fn nothing_expires_after_the_clock_has_jumped_until_a_person_confirms_it() {
    let mut app = App::start();
    let order = order_of_a_minute(&app, "J-1");
    let held = order_of_a_minute(&app, "J-2");
    authorize(&app, &held, true).expect(200);
    let path = format!("/orders/{order}");
    // Exactly an hour is not a jump.
    app.pass(HOUR_MS);
    app.get(&path).expect(404);
    app.pass(1);
    for is_restarted in [false, true] {
        if is_restarted {
            app.restart();
        }
        sweep(&app);
        app.get(&path).expect(200);
        assert_eq!(app.get(&format!("/orders/{held}")).expect(200).body["status"], "open");
        assert_eq!(total(&app, "/orders?total=true&status=open"), "2");
        let health = app.send("GET", "/health", &[], None).expect(200).body;
        assert_eq!(health["warnings"], json!(["expiry_waits"]));
        let owner = visitor(&app, Role::Owner, ACCOUNT);
        let page = words(&get(&app, &owner, "/orders"));
        assert!(page.contains("Expired orders are not removed"), "page: {page}");
    }
    // Writing goes on, and is no confirmation.
    app.post(&format!("{path}/comments"), json!({"comment": "x"})).expect(200);
    app.pass(120_000);
    sweep(&app);
    app.get(&path).expect(200);
    app.state.store.writer.write_blocking(FollowClock).unwrap();
    app.get(&path).expect(200);
    app.state.store.writer.write_blocking(ConfirmClock).unwrap();
    app.get(&path).expect(404);
    sweep(&app);
    app.get(&path).expect(404);
    assert_eq!(app.get(&format!("/orders/{held}")).expect(200).body["status"], "closed");
    let health = app.send("GET", "/health", &[], None).expect(200).body;
    assert_eq!(health["warnings"], Value::Null);
    expect_verified(&app);
}

#[test]
fn what_was_due_before_the_clock_jumped_expires_all_the_same() {
    let mut app = App::start();
    let early = order_of_a_minute(&app, "J-3");
    let late = app.order(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]}),
        json!({"order_time_to_live": 3600}),
    );
    app.pass(60_000);
    // The clock is looked at, and the order that is due is not removed yet.
    app.state.store.writer.write_blocking(FollowClock).unwrap();
    pass(&mut app, 3 * HOUR_MS);
    let removed = || {
        let conn = audit::open(&app.db);
        let sql = "select count(*) from order_expiries where outcome = 'removed'";
        conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    for swept in [0, 1] {
        app.get(&format!("/orders/{early}")).expect(404);
        app.get(&format!("/orders/{late}")).expect(200);
        assert_eq!(removed(), swept);
        sweep_expired(&app.state.store);
    }
    expect_verified(&app);
}

#[test]
fn the_payers_page_shows_an_order_as_closed_from_its_moment_on() {
    let app = App::start();
    let order = order_of_a_minute(&app, "P-1");
    let session = start(&app, &order);
    authorize(&app, &order, false).expect(200);
    let page = || app.send("GET", &page_of(&session), &[], None).expect(200).text;
    assert!(page().contains("Approve"), "{}", page());
    app.pass(60_000);
    let due = page();
    assert!(!due.contains("Approve"), "{due}");
    sweep(&app);
    assert_eq!(page(), due, "the sweep changed what is shown");
}

#[test]
fn hours_that_pass_in_small_steps_or_without_anything_that_expires_are_no_jump() {
    let mut app = App::start();
    pass(&mut app, 100 * HOUR_MS);
    let order = app.order(
        json!({"currency": "NOK", "items": [{"id": "a", "gross_amount": 1}]}),
        json!({"order_time_to_live": 10 * 3600}),
    );
    let path = format!("/orders/{order}");
    for _ in 0..20 {
        app.get(&path).expect(200);
        pass(&mut app, HOUR_MS / 2);
        sweep(&app);
    }
    app.get(&path).expect(404);
    assert!(app.send("GET", "/health", &[], None).expect(200).body["warnings"].is_null());
    expect_verified(&app);
}
