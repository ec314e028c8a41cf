//! The back office's pages of payout rules, and the sums of payouts.

use serde_json::{Value, json};
use tillbook::domain::Timestamp;
use tillbook::domain::role::Role;

use super::audit::tamper;
use super::forge::OTHER_ACCOUNT;
use super::harness::{ACCOUNT, App, START};
use super::http_client::Reply;
use super::office::{FORM_TOKEN, get, send_form, visitor, words};
use super::payout_rules::{Billing, rule};

const KEY: (&str, &str) = ("key", "11111111-2222-4333-8444-555555555555");

fn send(app: &App, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let all = [&[("form_token", FORM_TOKEN)], fields].concat();
    send_form(app, cookie, path, &all)
}

fn rules(app: &App) -> Vec<Value> {
    let listed = Billing::of(app).get("").expect(200).body;
    listed["payout_rules"].as_array().unwrap().clone()
}

/// An order of the store `torget`, whose lines have payouts.
fn order(app: &App, currency: &str, amounts: &[i64]) -> String {
    let item = |(at, amount): (usize, &i64)| {
        let store = json!({"id": "torget"});
        json!({"id": at.to_string(), "gross_amount": amount, "store": store})
    };
    let items: Vec<Value> = amounts.iter().enumerate().map(item).collect();
    let options = json!({"payout": true, "split_draft": false});
    app.order(json!({"currency": currency, "items": items}), options)
}

fn record(app: &App, order: &str, kind: &str, amount: i64, success: bool) {
    let items = json!([{"line_id": 1, "amount": amount}]);
    let body = json!({"items": items, "success": success});
    app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
}

/// A capture with a payout in another account.
fn capture_elsewhere(app: &App) {
    let other = app.other_account(OTHER_ACCOUNT);
    let send = |method: &str, path: &str, body: Value| {
        other.shopping(method, path, &[], Some(&body.to_string())).expect(200).body
    };
    let payout = json!({"rules": [rule("torget", &[("seller", 100.0)])]});
    let item = json!({"id": "a", "gross_amount": 700, "store": {"id": "torget"}});
    let order = json!({"currency": "NOK", "items": [item]});
    let body = json!({"order": order, "options": {"payout": payout, "split_draft": false}});
    let draft = send("POST", "/draft_orders", body);
    let path = format!("/draft_orders/{}/complete", draft["id"].as_str().unwrap());
    let done = send("PUT", &path, json!({}));
    let path = format!("/orders/{}/captures", done["orders"][0]["id"].as_str().unwrap());
    let made = send("POST", &path, json!({"items": [{"line_id": 1, "amount": 700}]}));
    assert_eq!(made["items"][0]["payout"]["destinations"][0]["amount"], 700);
}

/// The text of the page of sums from its tables on.
#[track_caller]
fn sums(app: &App, cookie: &str, query: &str) -> String {
    let page = words(&get(app, cookie, &format!("/payouts{query}")).expect(200));
    page.split_once("move no money. ").unwrap().1.to_owned()
}

const HEAD: &str = "Destination Reserved Released Captured Refunded Moved";

#[test]
fn a_rule_is_made_found_changed_and_deleted() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    assert!(words(&get(&app, &cookie, "/payout-rules")).contains("This shop has no payout rules."));
    get(&app, &cookie, "/payout-rules/new").expect(200);
    let fields = [
        KEY,
        ("store", " torget "),
        ("currency", "nok"),
        ("destinations", "fee 2,5%\r\n\r\n seller: 80 "),
        ("remaining", "a 33.3333\r\nb\t66.6667 "),
    ];
    for _ in 0..2 {
        send(&app, &cookie, "/payout-rules", &fields).expect(303);
    }
    let made = rules(&app);
    assert_eq!(made.len(), 1, "sent again, the form made another rule");
    let share =
        |name: &str, value: f64| json!({"type": "percentage", "value": value, "destination": name});
    assert_eq!(made[0]["destinations"][0], share("fee", 2.5));
    assert_eq!(made[0]["destinations"][2]["destinations"][1], share("b", 66.6667));
    assert_eq!((&made[0]["rule_id"], &made[0]["currency"]), (&json!("torget"), &json!("NOK")));
    let list = words(&get(&app, &cookie, "/payout-rules?store=torget").expect(200));
    let row = "torget NOK fee 2.5%, seller 80% of the rest: a 33.3333%, b 66.6667%";
    assert!(list.contains(row), "{list}");
    let none = words(&get(&app, &cookie, "/payout-rules?store=tor"));
    assert!(none.contains("No rule for this store."), "{none}");
    let taken = send(&app, &cookie, "/payout-rules", &fields[1..]).expect(409);
    assert!(words(&taken).contains("Another rule is for this store and currency."));

    let path = format!("/payout-rules/{}", made[0]["id"].as_str().unwrap());
    let billing = Billing::of(&app);
    let with_metadata = json!({"rule_type": "order.items.store.id", "rule_id": "torget",
        "destinations": [share("x", 100.0)], "metadata": {"<b>": "</code><script>"}});
    let at = format!("/{}", made[0]["id"].as_str().unwrap());
    billing.send("PUT", &at, None, Some(&with_metadata.to_string())).expect(200);
    let page = get(&app, &cookie, &path).expect(200);
    assert!(words(&page).contains("{\"<b>\":\"</code><script>\"}"), "{}", words(&page));
    assert_eq!(page.text.matches("<script").count(), 1);
    assert!(page.text.contains(">x 100.0%</textarea>"), "{}", page.text);
    send(&app, &cookie, &path, &[("store", "bua"), ("destinations", "y 100")]).expect(303);
    let changed = &rules(&app)[0];
    assert_eq!((&changed["rule_id"], changed.get("currency")), (&json!("bua"), None));
    assert_eq!(changed["metadata"], with_metadata["metadata"], "the metadata stay");
    send(&app, &cookie, &format!("{path}/delete"), &[]).expect(303);
    assert_eq!(rules(&app).len(), 0);
    let deleted = get(&app, &cookie, &path).expect(200);
    assert!(words(&deleted).contains("Payout rule, deleted") && !deleted.text.contains(">Save<"));
    let late = send(&app, &cookie, &path, &[("store", "bua"), ("destinations", "y 100")]);
    assert!(words(&late.expect(409)).contains("The payout rule was deleted"));
}

#[test]
fn a_rule_with_mistakes_says_which_line_is_wrong_and_keeps_what_was_typed() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    for (store, currency, destinations, remaining, problem) in [
        ("", "", "a 100", "", "Expected 1 to 200 characters."),
        ("s", "XXZ", "a 100", "", "currency"),
        ("s", "", "", "", "Send at least one destination."),
        ("s", "", "a 50", "", "The percentages must add up to 100"),
        ("s", "", "a 50\nb 60", "", "The percentages must add up to 100"),
        ("s", "", "a 50\nå 50", "", "Line 2: Expected 1 to 40 of A-Z"),
        ("s", "", "a 50.00001\nb 50", "", "Line 1: Expected a number from 0 to 100"),
        ("s", "", "a 007\nb 93", "", "Line 1: "),
        ("s", "", "a\nb 100", "", "Line 1: Write a name and a percentage"),
        ("s", "", "a 1e2", "", "Line 1: Expected a number from 0 to 100"),
        ("s", "", "a 10", "b 50", "The percentages of the remaining amount must add up to 100."),
        ("s", "", "a 10", "b 50\nc d e", "Line 2: "),
        ("s", "", "\"><script>x</script> 100", "</textarea><script>x", "Line 1: "),
    ] {
        let fields = [
            ("store", store),
            ("currency", currency),
            ("destinations", destinations),
            ("remaining", remaining),
        ];
        let page = send(&app, &cookie, "/payout-rules", &fields).expect(400);
        let told = words(&page);
        assert!(told.contains(problem), "{fields:?}: {told}");
        assert_eq!(page.text.matches("<script").count(), 1, "{fields:?}");
        let escaped = destinations.replace('"', "&#34;").replace('<', "&#60;");
        let escaped = escaped.replace('>', "&#62;");
        assert!(page.text.contains(&format!(">{escaped}</textarea>")), "{}", page.text);
    }
    assert_eq!(rules(&app).len(), 0);
}

#[test]
fn a_long_list_of_rules_has_pages() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    for n in 0..110 {
        let store = format!("store-{n:03}");
        let fields = [("store", store.as_str()), ("destinations", "a 100")];
        send(&app, &cookie, "/payout-rules", &fields).expect(303);
    }
    let mut seen = Vec::new();
    let mut next = Some("/payout-rules".to_owned());
    while let Some(at) = next {
        let page = get(&app, &cookie, &at).expect(200);
        seen.extend(page.text.split(">store-").skip(1).map(|rest| rest[..3].to_owned()));
        let link = page
            .text
            .split("<a class=\"button\" href=\"")
            .find(|rest| rest.split('>').next().is_some_and(|tag| tag.contains("rel=\"next\"")));
        next = link.map(|rest| {
            let href = rest.split('"').next().unwrap().replace("&#38;", "&");
            href.split_once(ACCOUNT).unwrap().1.to_owned()
        });
    }
    assert_eq!(seen.len(), 110);
    assert_eq!((seen[0].as_str(), seen[109].as_str()), ("109", "000"));
    get(&app, &cookie, "/payout-rules?after=x").expect(404);
}

#[test]
fn payouts_are_summed_by_destination_currency_and_period() {
    let mut app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let none = "No payouts in this period.";
    assert!(sums(&app, &cookie, "").starts_with(none));
    let fields = [("store", "torget"), ("destinations", "seller 90\nfee 10")];
    send(&app, &cookie, "/payout-rules", &fields).expect(303);
    let nok = order(&app, "NOK", &[100_000, -10_000]);
    record(&app, &nok, "authorizations", 80_000, true);
    record(&app, &nok, "authorizations", 20_000, false);
    record(&app, &nok, "captures", 50_000, true);
    record(&app, &nok, "cancellations", 30_000, true);
    record(&app, &nok, "refunds", 20_000, true);
    let eur = order(&app, "EUR", &[1_000]);
    record(&app, &eur, "captures", 1_000, true);
    // An order without payouts, and one of another account, count nowhere.
    let plain = app.simple_order(&[500]);
    record(&app, &plain, "captures", 500, true);
    capture_elsewhere(&app);
    let expected = format!(
        "EUR {HEAD} fee 0.00 0.00 1.00 0.00 1.00 seller 0.00 0.00 9.00 0.00 9.00 \
         All destinations 0.00 0.00 10.00 0.00 10.00 NOK {HEAD} \
         fee 80.00 −30.00 50.00 −20.00 30.00 seller 720.00 −270.00 450.00 −180.00 270.00 \
         All destinations 800.00 −300.00 500.00 −200.00 300.00"
    );
    assert_eq!(sums(&app, &cookie, ""), expected);
    assert_eq!(sums(&app, &cookie, "?from=2026-11-18&to=2026-11-18"), expected);
    for query in ["?from=2026-11-19&to=2026-11-30", "?from=2026-11-01&to=2026-11-17"] {
        assert!(sums(&app, &cookie, query).starts_with(none), "{query}");
    }
    // The next day in the shop's time zone begins at 23:00 UTC.
    let midnight = 11 * 3_600_000 + 53 * 60_000 + 20_000;
    app.pass(midnight - 1);
    app.token = app.token_of(&app.client);
    record(&app, &eur, "refunds", 100, true);
    app.pass(1);
    record(&app, &eur, "refunds", 200, true);
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let of = |day: &str| sums(&app, &cookie, &format!("?from={day}&to={day}"));
    assert!(of("2026-11-18").contains("All destinations 0.00 0.00 10.00 −1.00 9.00"));
    let next = format!(
        "EUR {HEAD} fee 0.00 0.00 0.00 −0.20 −0.20 seller 0.00 0.00 0.00 −1.80 −1.80 \
         All destinations 0.00 0.00 0.00 −2.00 −2.00"
    );
    assert_eq!(of("2026-11-19"), next);
    for (query, problem) in [
        ("?from=x", "Not a valid date."),
        ("?to=2026-02-30", "Not a valid date."),
        ("?from=2026-11-20&to=2026-11-19", "The last day is before the first."),
        ("?from=%22%3E%3Cscript%3E", "Not a valid date."),
    ] {
        let page = get(&app, &cookie, &format!("/payouts{query}")).expect(200);
        assert!(words(&page).contains(problem), "{query}: {}", words(&page));
        assert_eq!(page.text.matches("<script").count(), 1, "{query}");
    }
}

#[test]
fn periods_are_right_after_the_clock_was_put_back() {
    let mut app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let fields = [("store", "torget"), ("destinations", "a 100")];
    send(&app, &cookie, "/payout-rules", &fields).expect(303);
    let order = order(&app, "NOK", &[10_000]);
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    // One capture a day; then the clock goes back by two days, and again one a day.
    for amount in [1, 10, 100] {
        app.token = app.token_of(&app.client);
        record(&app, &order, "captures", amount, true);
        app.pass(DAY_MS);
    }
    app.clock.set(Timestamp(START.0 + DAY_MS));
    for amount in [1_000, 2_000] {
        app.token = app.token_of(&app.client);
        record(&app, &order, "captures", amount, true);
        app.pass(DAY_MS);
    }
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let of = |day: &str| {
        let told = sums(&app, &cookie, &format!("?from={day}&to={day}"));
        told.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(of("2026-11-18"), "0.01");
    assert_eq!(of("2026-11-19"), "10.10");
    assert_eq!(of("2026-11-20"), "21.00");
}

#[test]
fn too_long_a_period_is_refused_and_large_sums_are_exact() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let fields = [("store", "torget"), ("destinations", "a 100")];
    send(&app, &cookie, "/payout-rules", &fields).expect(303);
    let most = 9_007_199_254_740_991;
    let order = order(&app, "NOK", &[most]);
    record(&app, &order, "captures", most, true);
    let event = |from: &str, count: i64, apart: i64| {
        format!(
            "insert into events with recursive n(i) as
                (select 1 union all select i + 1 from n where i < {count})
             select (select max(event_seq) from events) + {apart} * i, order_seq, null, 1000 + i,
                id, kind, created_at_ms, created_by, operation_id, success, amount,
                authorization_id, document
             from n, (select * from events where kind = '{from}' limit 1)"
        )
    };
    // The sum of 2,000 of the largest amounts is beyond 64 bits.
    tamper(&app.db, &event("capture", 1_999, 1)).unwrap();
    let whole = sums(&app, &cookie, "");
    assert!(whole.replace(' ', "").ends_with("180143985094819820.00"), "{whole}");
    tamper(&app.db, &event("api", 1, 400_000)).unwrap();
    let refused = get(&app, &cookie, "/payouts").expect(200);
    assert!(words(&refused).contains("Too much happened in this period"), "{}", words(&refused));
}
