//! An order that expires without an operation is gone with everything about it
//! (docs/contract.md, Decision 13).

use serde_json::{Value, json};
use tillbook::domain::role::Role;
use tillbook::worker::erase_words;

use super::audit;
use super::expiry::{SECRET, authorize, ids, order_of_a_minute, sweep};
use super::harness::{ACCOUNT, App};
use super::hooks::make_hook;
use super::office::{get, visitor, words};
use super::order_sessions::{page_of, start};
use super::receiver::Receiver;
use super::verify::expect_verified;

/// Every request about the order, its draft and its session, with their 404.
fn expect_gone(app: &App, order: &str, draft: &str, session: &Value, comment: &str) {
    let items = json!({"items": [{"line_id": 1, "amount": 1}]}).to_string();
    let session_id = session["id"].as_str().unwrap();
    let asked = super::order_sessions::request(json!([{"line_id": 1}])).to_string();
    let event = json!({"state": "success", "service": "s", "service_status": "x"}).to_string();
    let mut requests = vec![
        ("GET", String::new(), None),
        ("PUT", String::new(), Some("{}")),
        ("POST", "/open".to_owned(), None),
        ("POST", "/close".to_owned(), None),
        ("POST", "/cancel".to_owned(), None),
        ("POST", "/comments".to_owned(), Some(r#"{"comment": "x"}"#)),
        ("DELETE", format!("/comments/{comment}"), None),
        ("GET", "/events".to_owned(), None),
        ("POST", "/events".to_owned(), Some(event.as_str())),
        ("GET", "/receipt".to_owned(), None),
        ("GET", "/sessions".to_owned(), None),
        ("POST", "/sessions".to_owned(), Some(asked.as_str())),
        ("GET", format!("/sessions/{session_id}"), None),
        ("POST", format!("/sessions/{session_id}/cancel"), None),
    ];
    for kind in ["authorizations", "captures", "refunds", "cancellations"] {
        requests.push(("GET", format!("/{kind}"), None));
        requests.push(("GET", format!("/{kind}/x"), None));
        requests.push(("POST", format!("/{kind}"), Some(items.as_str())));
    }
    for (method, path, body) in &requests {
        let path = format!("/orders/{order}{path}");
        let reply = app.shopping(method, &path, &[], *body);
        assert_eq!((reply.status, reply.code()), (404, "not_found"), "{method} {path}");
    }
    for path in [
        format!("/customers/c7/orders/{order}"),
        format!("/stores/torget/orders/{order}"),
        draft.to_owned(),
    ] {
        app.get(&path).expect(404);
    }
    app.put(&format!("{draft}/complete"), json!({})).expect(404);
    app.put(draft, json!({})).expect(404);
    let page = page_of(session);
    app.send("GET", &page, &[], None).expect(404);
    app.send("POST", &format!("{page}/outcome"), &[], Some(r#"{"outcome":"approve"}"#)).expect(404);
}

/// The routes of an order that `expect_gone` does not try must be none.
#[test]
fn every_route_of_an_order_is_tried_on_an_expired_one() {
    let tried = 14 + 12 + 2;
    let of_orders = tillbook::http::endpoints();
    let of_orders = of_orders.iter().filter(|endpoint| endpoint.path.contains("{order_id}"));
    assert_eq!(of_orders.count(), tried, "a new route gets a line in `expect_gone`");
}

/// An order with personal data in everything that can hold some.
struct Made {
    draft: String,
    id: String,
    comment: String,
    session: Value,
    /// Drafts that change the order: one was completed, one is open.
    added: String,
    waiting: String,
    /// Requests with their keys: method, path, key and body.
    sent: Vec<(&'static str, String, &'static str, String)>,
}

fn make_everything(app: &App) -> Made {
    let body = json!({"currency": "NOK", "order_id": "A-1",
        "items": [{"id": SECRET, "gross_amount": 100, "store": {"id": "torget"}}],
        "customer": {"id": "c7", "email": format!("{SECRET}@example.no")}});
    let draft = app.draft(body, json!({"split_draft": false, "order_time_to_live": 60}));
    let change = json!({"comment": SECRET}).to_string();
    let event = json!({"state": "success", "service": "s", "service_status": "x",
        "description": SECRET});
    let sent = vec![
        ("PUT", format!("{draft}/complete"), "k1", "{}".to_owned()),
        ("PUT", "/orders/A-1".to_owned(), "k2", change),
        ("POST", "/orders/A-1/events".to_owned(), "k3", event.to_string()),
    ];
    for (method, path, key, body) in &sent {
        app.shopping(method, path, &[("idempotency-key", key)], Some(body)).expect(200);
    }
    let noted = app.post("/orders/A-1/comments", json!({"comment": SECRET})).expect(200).body;
    let session = start(app, "A-1");
    // One whose end is reported, which its removal must not do.
    let url = json!({"return_url": "https://shop.example/",
        "callback_url": format!("http://127.0.0.1:1/{SECRET}?report_error=true")});
    let called = json!({"items": [{"line_id": 1}], "profile_id": "p", "url": url});
    app.post("/orders/A-1/sessions", called).expect(200);
    let item = json!({"line_id": 9, "id": SECRET, "gross_amount": 1});
    let adding = json!({"currency": "NOK", "items": [item]});
    let added = app.draft(adding.clone(), json!({"order_id": "A-1"}));
    app.put(&format!("{added}/complete"), json!({})).expect(200);
    let waiting = app.draft(adding, json!({"order_id": "A-1"}));
    Made {
        draft,
        id: noted["id"].as_str().unwrap().to_owned(),
        comment: noted["comments"][0]["id"].as_str().unwrap().to_owned(),
        session,
        added,
        waiting,
        sent,
    }
}

const LISTS: [&str; 3] = ["/orders", "/customers/c7/orders", "/stores/torget/orders"];
const QUERIES: [&str; 7] = [
    "",
    "&status=open",
    "&currency=NOK",
    "&payment_status=pending",
    "&search=nordmann",
    "&order_id=A-1",
    "&created_at.gte=2026-01-01T00:00:00Z",
];

/// In how many lists the order is.
fn lists_with(app: &App, id: &str) -> usize {
    let mut found = 0;
    for (list, query) in LISTS.iter().flat_map(|list| QUERIES.map(|query| (list, query))) {
        let reply = app.get(&format!("{list}?total=true{query}")).expect(200);
        let listed = ids(&reply, "orders");
        assert_eq!(reply.header("total-count").unwrap(), listed.len().to_string());
        found += listed.iter().filter(|one| **one == id).count();
    }
    found
}

#[test]
fn an_order_without_operations_is_gone_from_its_moment_on_with_everything_about_it() {
    let mut app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let made = make_everything(&app);
    let stays = app.simple_order(&[100]);
    app.pass(59_999);
    assert_eq!(lists_with(&app, &made.id), LISTS.len() * QUERIES.len());
    app.get("/orders/A-1").expect(200);
    assert!(words(&get(&app, &owner, "/orders/A-1")).contains("Expires 18"), "no moment is shown");
    assert!(words(&get(&app, &owner, "/orders")).contains("A-1"));
    for step in ["due", "swept", "restarted"] {
        match step {
            "due" => app.pass(1),
            "swept" => sweep(&app),
            _ => app.restart(),
        }
        expect_all_gone(&app, &owner, &made, step);
        app.get(&format!("/orders/{stays}")).expect(200);
        if step != "due" {
            assert!(!app.snapshot().contains(SECRET), "{step}: {}", app.snapshot());
        }
        expect_verified(&app);
        audit::expect_clean(&app.db);
    }
    let conn = audit::open(&app.db);
    let sql = "select group_concat(method || ' ' || path, ', ') from
        (select method, path from events join api_events using (event_seq)
         where created_by = 'system' order by event_seq)";
    let told: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(told, format!("DELETE /v1/accounts/{ACCOUNT}/shopping/orders/{}", made.id));
    let before = app.snapshot();
    sweep(&app);
    assert_eq!(app.snapshot(), before, "a second sweep changed something");
}

fn expect_all_gone(app: &App, owner: &str, made: &Made, step: &str) {
    assert_eq!(lists_with(app, &made.id), 0, "{step}");
    for name in ["A-1", &made.id] {
        expect_gone(app, name, &made.draft, &made.session, &made.comment);
        assert_eq!(get(app, owner, &format!("/orders/{name}")).status, 404, "{step}");
        // The names stay taken.
        let taken = json!({"order": {"currency": "NOK", "order_id": name, "items": []},
            "options": {"split_draft": false}});
        assert_eq!(app.post("/draft_orders", taken).expect(409).code(), "order_id_taken");
    }
    app.get(&made.added).expect(404);
    app.get(&made.waiting).expect(404);
    assert!(!words(&get(app, owner, "/orders")).contains("A-1"), "{step}");
    assert_eq!(ids(&app.get("/draft_orders").expect(200), "draft_orders").len(), 1, "{step}");
    // The same requests again say what happened, and do nothing.
    for (method, path, key, body) in &made.sent {
        let reply = app.shopping(method, path, &[("idempotency-key", key)], Some(body));
        assert!(reply.expect(404).text.contains("has expired and was removed"), "{step} {key}");
    }
}

#[test]
fn webhooks_tell_of_a_removal_only_the_ids() {
    let mut app = App::start();
    let receiver = Receiver::start();
    let all = [
        "shopping_draft_complete",
        "shopping_order_update",
        "shopping_order_event_add",
        "shopping_order_delete",
    ];
    make_hook(&app, &receiver.url, &all);
    let order = order_of_a_minute(&app, "W-1");
    let held = order_of_a_minute(&app, "W-2");
    authorize(&app, &held, true).expect(200);
    app.post(&format!("/orders/{order}/comments"), json!({"comment": SECRET})).expect(200);
    let id = app.get(&format!("/orders/{order}")).expect(200).body["id"].clone();
    app.pass(60_000);
    sweep(&app);
    // Only now, so that earlier events are told about an order that is gone, too.
    app.deliver();
    let mut told: Vec<Value> = receiver.events(7).into_iter().map(|one| one.body).collect();
    told.sort_by_key(|body| body["seq"].as_i64());
    let gone = json!({"id": id, "order_id": "W-1", "deleted_at": "2026-11-18T11:07:40.000Z"});
    let draft = &told[0]["draft_order"];
    assert_eq!(draft["deleted_at"], gone["deleted_at"], "{draft}");
    assert_eq!(draft.as_object().unwrap().len(), 2, "{draft}");
    assert_eq!(told[0]["orders"], json!([gone]));
    let of_gone: Vec<&Value> = told.iter().filter(|body| body["order"]["id"] == id).collect();
    let names: Vec<&str> = of_gone.iter().map(|body| body["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["shopping_order_update", "shopping_order_delete"]);
    assert!(of_gone.iter().all(|body| body["order"] == gone), "{of_gone:#?}");
    let closed = told.iter().filter(|body| {
        body["event"] == "shopping_order_update" && body["order"]["order_id"] == "W-2"
    });
    let closed: Vec<&Value> = closed.collect();
    assert_eq!(closed[closed.len() - 1]["order"]["closed_by"], "system");
    expect_verified(&app);
}

/// How often a text is in the book's file, after everything was moved into it.
fn count_in_file(app: &App, text: &str) -> usize {
    audit::tamper(&app.db, "pragma wal_checkpoint(truncate)").unwrap_or_default();
    let wal = app.db.with_extension("db-wal");
    assert_eq!(std::fs::metadata(wal).unwrap().len(), 0, "the log is not moved");
    let bytes = std::fs::read(&app.db).unwrap();
    String::from_utf8_lossy(&bytes).to_ascii_lowercase().matches(text).count()
}

#[test]
fn nothing_of_a_removed_order_is_left_in_the_bytes_of_the_file() {
    let app = App::start();
    // Texts of more than one page, too, in an order that has neighbours on its pages.
    let order = |n: i32, name: &str, life: Value| {
        let long = format!("{name} ").repeat(1_000);
        let body = json!({"currency": "NOK", "order_id": format!("F-{n}"), "comment": long,
            "items": [{"id": name, "gross_amount": 100, "description": name}],
            "customer": {"email": format!("{name}@example.no"), "first_name": name}});
        let options = json!({"split_draft": false, "order_time_to_live": life});
        let made = app.order(body, options);
        app.post(&format!("/orders/{made}/comments"), json!({"comment": long})).expect(200);
        let other = json!({"customer": {"first_name": format!("{name}sen")}});
        app.put(&format!("/orders/{made}"), other).expect(200);
        made
    };
    for n in 0..20 {
        order(n, "zzstayer", Value::Null);
        order(100 + n, "zzvanisher", json!(60));
    }
    let stays = count_in_file(&app, "zzstayer");
    assert_ne!(count_in_file(&app, "zzvanisher"), 0);
    app.pass(60_000);
    sweep(&app);
    erase_words(&app.state.store);
    assert_eq!(count_in_file(&app, "zzvanisher"), 0, "left in the file");
    assert!(0 < count_in_file(&app, "zzstayer") && count_in_file(&app, "zzstayer") <= stays);
    let found = |words: &str| ids(&app.get(&format!("/orders?limit=100&search={words}")), "orders");
    assert_eq!((found("zzstayersen").len(), found("zzvanisher").len()), (20, 0));
    expect_verified(&app);
    audit::expect_clean(&app.db);
}

/// What the book's own laws refuse after a removal, whoever asks.
#[test]
fn a_removal_cannot_be_taken_back_in_the_book() {
    let app = App::start();
    let order = order_of_a_minute(&app, "T-1");
    let draft =
        app.draft(json!({"currency": "NOK", "items": []}), json!({"order_time_to_live": 60}));
    app.pass(60_000);
    sweep(&app);
    for sql in [
        "update order_expiries set outcome = null, event_seq = null",
        "update order_expiries set expires_at_ms = expires_at_ms + 1",
        "delete from order_expiries",
        "update draft_expiries set removed_at_ms = null",
        "delete from draft_expiries",
    ] {
        let refused = audit::tamper(&app.db, sql).unwrap_err().to_string();
        assert!(refused.contains("stays removed"), "{sql}: {refused}");
    }
    app.get(&format!("/orders/{order}")).expect(404);
    app.get(&draft).expect(404);
}
