//! Payouts of orders: the choice of a line's rule, and the splits of its operations
//! (docs/contract.md, Decision 12).

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{get, visitor, words};
use super::payout_rules::{Billing, rule};
use super::verify::expect_verified;

/// A rule of three destinations, which no amount below 3 can be shared between.
const THIRDS: [(&str, f64); 3] = [("a", 33.3333), ("b", 33.3333), ("c", 33.3334)];

fn item(line: i64, gross: i64, store: Option<&str>) -> Value {
    let mut item = json!({"id": "p", "line_id": line, "gross_amount": gross});
    if let Some(store) = store {
        item["store"] = json!({"id": store});
    }
    item
}

fn order_of(items: &[Value]) -> Value {
    json!({"currency": "NOK", "items": items})
}

/// An order of one store with payouts.
fn order(app: &App, items: &[Value], mut options: Value) -> String {
    options["split_draft"] = json!(false);
    if options.get("payout").is_none() {
        options["payout"] = json!(true);
    }
    app.order(order_of(items), options)
}

fn record(app: &App, order: &str, kind: &str, items: &[(i64, i64)], more: Value) -> Reply {
    let item = |(line, amount): &(i64, i64)| json!({"line_id": line, "amount": amount});
    let items: Vec<Value> = items.iter().map(item).collect();
    let mut body = json!({"items": items});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post(&format!("/orders/{order}/{kind}"), body)
}

/// The payout of each item: its rule and the amounts of its destinations.
fn told(operation: &Value) -> String {
    let items = operation["items"].as_array().unwrap().iter();
    let items = items.map(|item| {
        let payout = &item["payout"];
        let Some(shares) = payout["destinations"].as_array() else { return "none".to_owned() };
        let shares = shares
            .iter()
            .map(|it| format!("{} {}", it["destination"].as_str().unwrap(), it["amount"]));
        let shares: Vec<String> = shares.collect();
        format!("{}: {}", payout["rule_id"].as_str().unwrap(), shares.join(", "))
    });
    items.collect::<Vec<_>>().join("; ")
}

/// The payouts of an authorization of 100 on each of the first lines.
fn authorized(app: &App, order: &str, lines: i64) -> String {
    let items: Vec<(i64, i64)> = (1..=lines).map(|line| (line, 100)).collect();
    told(&record(app, order, "authorizations", &items, json!({})).expect(200).body)
}

#[test]
fn parts_of_a_line_add_up_to_the_whole_for_every_destination() {
    let app = App::start();
    Billing::of(&app).post(&rule("s", &THIRDS)).expect(200);
    let order = order(&app, &[item(1, 100, Some("s")), item(2, -50, Some("s"))], json!({}));
    let tell = |kind: &str, items: &[(i64, i64)]| {
        let reply = record(&app, &order, kind, items, json!({})).expect(200);
        told(&reply.body)
    };
    assert_eq!(
        tell("authorizations", &[(1, 100), (2, -50)]),
        "s: a 34, b 33, c 33; s: a -16, b -17, c -17"
    );
    assert_eq!(tell("captures", &[(1, 50)]), "s: a 16, b 17, c 17");
    assert_eq!(tell("captures", &[(1, 0), (2, -1)]), "s: a 0, b 0, c 0; s: a -1, b 0, c 0");
    assert_eq!(tell("captures", &[(1, 30)]), "s: a 10, b 10, c 10");
    assert_eq!(tell("captures", &[(1, 20)]), "s: a 8, b 6, c 6");
    assert_eq!(tell("refunds", &[(1, 1)]), "s: a 1, b 0, c 0");
    assert_eq!(tell("refunds", &[(1, 99)]), "s: a 33, b 33, c 33");
    assert_eq!(tell("cancellations", &[(2, -49)]), "s: a -15, b -17, c -17");
    assert_eq!(tell("authorizations", &[(2, -49)]), "s: a -17, b -16, c -16");
    expect_verified(&app);
}

#[test]
fn every_answer_repeats_what_was_computed_when_the_operation_was_recorded() {
    let app = App::start();
    let billing = Billing::of(&app);
    let made = billing.post(&rule("s", &[("a", 75.0), ("b", 25.0)])).expect(200).body;
    let order = order(&app, &[item(1, 101, Some("s"))], json!({}));
    let body = json!({"items": [{"line_id": 1, "amount": 10, "note": "n",
        "payout": {"rule_id": "mine", "destinations": []}}]});
    let path = format!("/orders/{order}/captures");
    let capture = app.post_once("k", &path, body.clone()).expect(200);
    assert_eq!(told(&capture.body), "s: a 7, b 3");
    let payout = &capture.body["items"][0]["payout"];
    assert_eq!(payout["rule_type"], "order.items.store.id");
    assert_eq!(capture.body["items"][0]["note"], "n");
    // The order keeps the rule that its line was completed with.
    let other = rule("s", &[("c", 100.0)]).to_string();
    let at = format!("/{}", made["id"].as_str().unwrap());
    billing.send("PUT", &at, None, Some(&other)).expect(200);
    billing.send("DELETE", &at, None, None).expect(200);
    assert_eq!(app.post_once("k", &path, body).expect(200).text, capture.text);
    assert_eq!(app.follow(&capture.body, "self").expect(200).text, capture.text);
    assert_eq!(app.get(&path).expect(200).body["captures"], json!([capture.body]));
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    assert_eq!(shown["captures"], json!([capture.body]));
    assert_eq!(app.get("/orders").expect(200).body["orders"][0]["captures"], shown["captures"]);
    let rest = record(&app, &order, "captures", &[(1, 91)], json!({})).expect(200);
    assert_eq!(told(&rest.body), "s: a 68, b 23");
    // The stored rule can be sent back to the order and changes nothing.
    let same = app.put(&format!("/orders/{order}"), shown).expect(200).body;
    assert_eq!(same["captures"][0], capture.body);
    expect_verified(&app);
}

#[test]
fn a_failed_operation_shows_a_payout_and_moves_none() {
    let app = App::start();
    Billing::of(&app).post(&rule("s", &[("a", 50.0), ("b", 50.0)])).expect(200);
    let order = order(&app, &[item(1, 100, Some("s"))], json!({}));
    let failed = |kind: &str, amount: i64| {
        let more = json!({"success": false});
        told(&record(&app, &order, kind, &[(1, amount)], more).expect(200).body)
    };
    assert_eq!(failed("authorizations", 101), "s: a 50, b 51");
    assert_eq!(failed("refunds", 7), "s: a 3, b 4");
    assert_eq!(authorized(&app, &order, 1), "s: a 50, b 50");
    assert_eq!(failed("captures", 1), "s: a 0, b 1");
    for kind in ["captures", "refunds"] {
        let done = record(&app, &order, kind, &[(1, 100)], json!({})).expect(200);
        assert_eq!(told(&done.body), "s: a 50, b 50");
    }
    expect_verified(&app);
}

#[test]
fn each_authorization_has_its_own_split() {
    let app = App::start();
    Billing::of(&app).post(&rule("s", &THIRDS)).expect(200);
    let items = [item(1, 100, Some("s"))];
    let order = order(&app, &items, json!({"multiple_authorizations": true}));
    let authorize = |amount: i64, expected: &str| {
        let made = record(&app, &order, "authorizations", &[(1, amount)], json!({})).expect(200);
        assert_eq!(told(&made.body), expected);
        made.body["id"].clone()
    };
    let (one, two) = (authorize(1, "s: a 1, b 0, c 0"), authorize(2, "s: a 0, b 1, c 1"));
    let record = |kind: &str, amount: i64, under: &Value| {
        let more = json!({"authorization_id": under});
        told(&record(&app, &order, kind, &[(1, amount)], more).expect(200).body)
    };
    assert_eq!(record("captures", 1, &two), "s: a 0, b 0, c 1");
    assert_eq!(record("captures", 1, &one), "s: a 1, b 0, c 0");
    assert_eq!(record("cancellations", 1, &two), "s: a 0, b 1, c 0");
    assert_eq!(record("refunds", 1, &two), "s: a 0, b 0, c 1");
    expect_verified(&app);
}

#[test]
fn a_line_s_rule_is_chosen_when_the_draft_is_completed() {
    let app = App::start();
    let billing = Billing::of(&app);
    let mut in_nok = rule("s", &[("nok", 100.0)]);
    in_nok["currency"] = json!("NOK");
    for rule in [rule("s", &[("all", 100.0)]), in_nok, rule("hand", &[("hand", 100.0)])] {
        billing.post(&rule).expect(200);
    }
    let mut by_hand = item(3, 100, Some("s"));
    by_hand["manual_payout"] = json!({"rule_type": "order.items.store.id", "rule_id": "hand"});
    let items = [item(1, 100, Some("s")), item(2, 100, Some("unknown")), by_hand];
    let made = |payout: Value| {
        let options = json!({"payout": payout});
        authorized(&app, &order(&app, &items, options), 3)
    };
    let by_the_account = "s: nok 100; none; hand: hand 100";
    assert_eq!(made(json!(true)), by_the_account);
    assert_eq!(made(json!({})), by_the_account);
    assert_eq!(made(json!([])), by_the_account);
    assert_eq!(made(json!({"rules": null, "x": 1})), by_the_account);
    assert_eq!(made(json!(null)), "none; none; none");
    assert_eq!(made(json!(false)), "none; none; none");
    let of_draft = [rule("s", &[("draft", 100.0)]), rule("unknown", &[("new", 100.0)])];
    assert_eq!(made(json!({"rules": of_draft})), "s: draft 100; unknown: new 100; hand: hand 100");
    let mut sek = rule("s", &[("sek", 100.0)]);
    sek["currency"] = json!("SEK");
    assert_eq!(made(json!({"rules": [sek]})), by_the_account);
    let in_sek = json!({"currency": "SEK", "items": [item(1, 100, Some("s"))]});
    let of_sek = app.order(in_sek, json!({"payout": true}));
    assert_eq!(authorized(&app, &of_sek, 1), "s: all 100");
    expect_verified(&app);
}

#[test]
fn an_item_without_a_store_has_that_of_its_order() {
    let app = App::start();
    let billing = Billing::of(&app);
    billing.post(&rule("torget", &[("t", 100.0)])).expect(200);
    billing.post(&rule("bua", &[("b", 100.0)])).expect(200);
    let mut sent = order_of(&[item(1, 100, None), item(2, 100, Some("bua"))]);
    sent["store"] = json!({"id": "torget"});
    let one = app.order(sent.clone(), json!({"payout": true, "split_draft": false}));
    assert_eq!(authorized(&app, &one, 2), "torget: t 100; bua: b 100");
    // A draft's store is used as the order's; a split draft makes an order per store.
    sent.as_object_mut().unwrap().remove("store");
    let body = json!({"order": sent, "store": {"id": "torget"}, "options": {"payout": true}});
    let draft = app.post("/draft_orders", body).expect(200).body;
    let path = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let orders = app.put(&path, json!({})).expect(200).body["orders"].clone();
    let pay = |order: &Value, line: i64| {
        let id = order["order_id"].as_str().unwrap();
        told(&record(&app, id, "captures", &[(line, 100)], json!({})).expect(200).body)
    };
    assert_eq!(pay(&orders[0], 1), "torget: t 100");
    assert_eq!(pay(&orders[1], 2), "bua: b 100");
    expect_verified(&app);
}

#[test]
fn a_draft_that_changes_an_order_brings_its_payouts() {
    let app = App::start();
    Billing::of(&app).post(&rule("s", &THIRDS)).expect(200);
    let mut first = order_of(&[item(1, 100, None)]);
    first["store"] = json!({"id": "s"});
    let order = app.order(first, json!({"payout": true}));
    assert_eq!(authorized(&app, &order, 1), "s: a 34, b 33, c 33");
    let add = |line: i64, options: Value| {
        let draft = app.draft(order_of(&[item(line, 100, None)]), options);
        app.put(&format!("{draft}/complete"), json!({})).expect(200);
        let reply = record(&app, &order, "authorizations", &[(line, 100)], json!({}));
        told(&reply.expect(200).body)
    };
    assert_eq!(add(2, json!({"order_id": order, "payout": true})), "s: a 34, b 33, c 33");
    assert_eq!(add(3, json!({"order_id": order})), "none");
    let capture = record(&app, &order, "captures", &[(1, 100), (2, 1), (3, 1)], json!({}));
    assert_eq!(told(&capture.expect(200).body), "s: a 34, b 33, c 33; s: a 1, b 0, c 0; none");
    let fresh = app.order(order_of(&[item(1, 100, Some("s"))]), json!({"payout": true}));
    for (payout, expected) in [(true, "s: a 34, b 33, c 33"), (false, "none")] {
        let options = json!({"order_id": fresh, "replace": "order", "payout": payout});
        let draft = app.draft(order_of(&[item(7, 100, Some("s"))]), options);
        app.put(&format!("{draft}/complete"), json!({})).expect(200);
        if !payout {
            let reply = record(&app, &fresh, "captures", &[(7, 100)], json!({})).expect(200);
            assert_eq!(told(&reply.body), expected);
        }
        expect_verified(&app);
    }
}

#[test]
fn a_rule_that_is_not_there_stops_the_draft() {
    let app = App::start();
    let manual = json!({"rule_type": "order.items.store.id", "rule_id": "nowhere"});
    let mut by_hand = item(2, 100, Some("s"));
    by_hand["manual_payout"] = manual.clone();
    let items = [item(1, 100, Some("s")), by_hand.clone()];
    let draft = app.draft(order_of(&items), json!({"payout": true}));
    let existing = app.simple_order(&[100]);
    let adding = json!({"order_id": existing, "payout": true});
    let adding = app.draft(order_of(&[item(7, 5, None), by_hand.clone()]), adding);
    let before = app.snapshot();
    for draft in [&draft, &adding] {
        let refused = app.put(&format!("{draft}/complete"), json!({})).expect(400);
        assert_eq!(refused.problems(), "/order/items/1/manual_payout unknown_payout_rule");
    }
    assert_eq!(app.snapshot(), before);
    Billing::of(&app).post(&rule("nowhere", &[("a", 100.0)])).expect(200);
    app.put(&format!("{draft}/complete"), json!({})).expect(200);
    // Without payouts nothing looks for the rule.
    let order = app.order(order_of(&[by_hand]), json!({}));
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    assert_eq!(shown["items"][0]["manual_payout"], manual);
    let refused = |manual: Value, problems: &str| {
        let mut item = item(1, 100, None);
        item["manual_payout"] = manual;
        let body = json!({"order": order_of(&[item])});
        assert_eq!(app.post("/draft_orders", body).expect(400).problems(), problems);
    };
    let at = "/order/items/0/manual_payout";
    refused(json!("x"), &format!("{at} wrong_type"));
    refused(json!({"rule_type": "x"}), &format!("{at}/rule_type bad_value\n{at}/rule_id required"));
}

#[test]
fn an_invalid_payout_option_is_refused() {
    let app = App::start();
    let draft = app.draft(order_of(&[item(1, 100, None)]), json!({}));
    let before = app.snapshot();
    let good = rule("s", &[("a", 100.0)]);
    let mut bad = good.clone();
    bad["destinations"][0]["value"] = json!(99);
    let many = vec![good.clone(); 101];
    for (payout, problem) in [
        (json!(1), "/options/payout wrong_type"),
        (json!("on"), "/options/payout wrong_type"),
        (json!([1]), "/options/payout wrong_type"),
        (json!({"rules": {}}), "/options/payout/rules wrong_type"),
        (json!({"rules": [5]}), "/options/payout/rules/0 wrong_type"),
        (json!({"rules": [good, bad]}), "/options/payout/rules/1/destinations not_100_percent"),
        (json!({"rules": [good, good]}), "/options/payout/rules/1 duplicate_rule"),
        (json!({"rules": many}), "/options/payout/rules too_many_items"),
    ] {
        let options = json!({"payout": payout});
        let body = json!({"order": order_of(&[]), "options": options});
        assert_eq!(app.post("/draft_orders", body).expect(400).problems(), problem);
        let refused = app.put(&draft, json!({"options": options})).expect(400);
        assert_eq!(refused.problems(), problem);
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn an_order_without_payouts_has_the_ledger_that_it_always_had() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    record(&app, &order, "authorizations", &[(1, 60)], json!({})).expect(200);
    record(&app, &order, "captures", &[(1, 50)], json!({})).expect(200);
    let ledgers = app.snapshot();
    let (before, after) = (" | [[1,100,60,50,0,0,0,", ",[]]] | ");
    let (_, rest) = ledgers.split_once(before).expect(&ledgers);
    let (moved_by, _) = rest.split_once(after).expect(&ledgers);
    assert!(moved_by.parse::<i64>().is_ok(), "{ledgers}");
}

#[test]
fn the_page_of_an_order_shows_the_payouts_of_its_lines_and_operations() {
    let app = App::start();
    Billing::of(&app).post(&rule("s", &THIRDS)).expect(200);
    let items = [item(1, 10_000, Some("s")), item(2, 500, None), item(3, -600, Some("s"))];
    let order = order(&app, &items, json!({}));
    let all = [(1, 10_000), (2, 500), (3, -600)];
    record(&app, &order, "authorizations", &all, json!({})).expect(200);
    record(&app, &order, "captures", &[(1, 5_000), (3, -600)], json!({})).expect(200);
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let page = words(&get(&app, &cookie, &format!("/orders/{order}")).expect(200));
    for shown in [
        "Payout to a: 16.66, 16.68 still reserved",
        "Payout to b: 16.67, 16.66 still reserved",
        "Payout to c: 16.67, 16.66 still reserved",
        "Payout to a: give back 2.00",
        // The capture, over both lines.
        "a: 14.66 b: 14.67 c: 14.67",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
}
