//! The routes of payout rules (docs/contract.md, Decision 12).

use serde_json::{Value, json};
use tillbook::domain::scope::Scope;

use super::audit::tamper;
use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::verify::expect_verified;

/// The client of these tests, which may change rules and orders.
pub struct Billing<'a> {
    pub app: &'a App,
    bearer: String,
}

impl<'a> Billing<'a> {
    pub fn of(app: &'a App) -> Billing<'a> {
        let client = app.make_client(ACCOUNT, &[Scope::AdminBilling]);
        Billing { app, bearer: format!("Bearer {}", app.token_of(&client)) }
    }

    /// A request below `/billing/payout-rules`.
    pub fn send(&self, method: &str, path: &str, key: Option<&str>, body: Option<&str>) -> Reply {
        let path = format!("/v1/accounts/{ACCOUNT}/billing/payout-rules{path}");
        let mut headers = vec![("authorization", self.bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        self.app.send(method, &path, &headers, body)
    }

    pub fn post(&self, body: &Value) -> Reply {
        self.send("POST", "", None, Some(&body.to_string()))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None, None)
    }

    fn ids(&self, query: &str) -> Vec<String> {
        let listed = self.get(query).expect(200).body;
        let rules = listed["payout_rules"].as_array().unwrap();
        rules.iter().map(|rule| rule["rule_id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A rule for a store; `shares` are destinations with their percentages.
pub fn rule(store: &str, shares: &[(&str, f64)]) -> Value {
    let mut destinations = Vec::new();
    for (name, value) in shares {
        destinations.push(json!({"type": "percentage", "value": value, "destination": name}));
    }
    json!({"rule_type": "order.items.store.id", "rule_id": store, "destinations": destinations})
}

fn id_of(rule: &Value) -> String {
    format!("/{}", rule["id"].as_str().unwrap())
}

#[test]
fn a_rule_is_made_shown_replaced_and_marked_as_deleted() {
    let app = App::start();
    let billing = Billing::of(&app);
    let sent = r#"{"rule_type":"order.items.store.id","rule_id":"torget","currency":"NOK",
        "destinations":[{"type":"percentage","value":12.5000,"destination":"market","x":1},
        {"type":"remaining_amount","destinations":[{"type":"percentage","value":1e2,
        "destination":"torget"}]}],"metadata":{"n":1.10},"fee_split":{"type":"average"},
        "id":"mine","deleted_at":"x"}"#;
    let refused = billing.send("POST", "", None, Some(sent)).expect(400);
    assert_eq!(refused.problems(), "/destinations/1/destinations/0/value bad_percentage");
    let made = billing.send("POST", "", None, Some(&sent.replace("1e2", "100.0"))).expect(200);
    assert!(made.text.contains(r#""value":12.5000,"#), "{}", made.text);
    let made = made.body;
    assert_eq!(made["created_at"], "2026-11-18T11:06:40.000Z");
    assert_eq!((&made["metadata"], &made["currency"]), (&json!({"n": 1.1}), &json!("NOK")));
    assert_eq!(made["fee_split"], json!({"type": "average"}));
    assert_ne!(made["id"], "mine");
    assert_eq!(billing.get(&id_of(&made)).expect(200).body, made);
    assert_eq!(billing.get("").expect(200).body, json!({"payout_rules": [made]}));

    app.pass(1_000);
    let other = rule("bua", &[("bua", 100.0)]).to_string();
    let changed = billing.send("PUT", &id_of(&made), None, Some(&other)).expect(200).body;
    assert_eq!((&changed["id"], &changed["rule_id"]), (&made["id"], &json!("bua")));
    assert_eq!((changed.get("currency"), changed.get("metadata")), (None, None));
    assert_eq!(changed["created_at"], made["created_at"]);
    assert_eq!(changed["updated_at"], "2026-11-18T11:06:41.000Z");

    let deleted = billing.send("DELETE", &id_of(&made), None, None).expect(200).body;
    assert_eq!(deleted["deleted_at"], "2026-11-18T11:06:41.000Z");
    assert_eq!(deleted["deleted_by"], deleted["created_by"]);
    assert_eq!(billing.get(&id_of(&made)).expect(200).body, deleted);
    assert_eq!(billing.get("").expect(200).body, json!({"payout_rules": []}));
    let all = billing.get("?include_deleted=true").expect(200).body;
    assert_eq!(all, json!({"payout_rules": [deleted]}));
    let before = app.snapshot();
    for (method, body) in [("PUT", Some(other.as_str())), ("DELETE", None)] {
        let refused = billing.send(method, &id_of(&made), None, body);
        assert_eq!((refused.status, refused.code()), (409, "payout_rule_deleted"));
        assert_eq!(billing.send(method, "/nowhere", None, body).status, 404);
    }
    assert_eq!(app.snapshot(), before);
}

#[test]
fn type_id_and_currency_are_unique_among_rules_in_use() {
    let app = App::start();
    let billing = Billing::of(&app);
    let taken = |reply: Reply| assert_eq!((reply.status, reply.code()), (409, "payout_rule_taken"));
    let for_all = rule("torget", &[("a", 100.0)]);
    let mut for_nok = for_all.clone();
    for_nok["currency"] = json!("NOK");
    let first = billing.post(&for_all).expect(200).body;
    let second = billing.post(&for_nok).expect(200).body;
    let before = app.snapshot();
    taken(billing.post(&for_all));
    taken(billing.post(&for_nok));
    taken(billing.send("PUT", &id_of(&second), None, Some(&for_all.to_string())));
    assert_eq!(app.snapshot(), before);
    billing.send("PUT", &id_of(&second), None, Some(&for_nok.to_string())).expect(200);
    billing.send("DELETE", &id_of(&first), None, None).expect(200);
    billing.post(&for_all).expect(200);
    taken(billing.post(&for_all));
    expect_verified(&app);
}

#[test]
fn an_invalid_rule_is_refused_with_every_reason() {
    let app = App::start();
    let billing = Billing::of(&app);
    let before = app.snapshot();
    let refused = |body: &str, problems: &str| {
        let refused = billing.send("POST", "", None, Some(body)).expect(400);
        assert_eq!(refused.problems(), problems, "for {body}");
    };
    refused("{}", "/rule_type required\n/rule_id required\n/destinations required");
    refused(
        r#"{"rule_type":"x","rule_id":7,"currency":"nok","destinations":[{"type":"fixed"},5]}"#,
        "/rule_type bad_value\n/rule_id wrong_type\n/currency bad_value\n\
         /destinations/0/type bad_value\n/destinations/1 wrong_type",
    );
    let with = |id: &str, destinations: &str| {
        format!(
            r#"{{"rule_type":"order.items.store.id","rule_id":"{id}","destinations":{destinations}}}"#
        )
    };
    let entry = |value: &str, destination: &str| {
        format!(r#"{{"type":"percentage","value":{value},"destination":"{destination}"}}"#)
    };
    refused(&with("", "[]"), "/rule_id bad_value\n/destinations empty");
    refused(&with(&"x".repeat(201), &format!("[{}]", entry("100", "a"))), "/rule_id bad_value");
    for value in ["100.0001", "-1", "1e2", "33.33333"] {
        let entries = format!("[{}]", entry(value, "a b"));
        let problems =
            "/destinations/0/value bad_percentage\n/destinations/0/destination bad_value";
        refused(&with("s", &entries), problems);
    }
    refused(&with("s", &format!("[{}]", entry("99.9999", "a"))), "/destinations not_100_percent");
    let many = vec![entry("5", "a"); 21].join(",");
    refused(&with("s", &format!("[{many}]")), "/destinations too_many_items");
    let rest = format!(r#"{{"type":"remaining_amount","destinations":[{}]}}"#, entry("100", "b"));
    let twice = format!("[{rest},{rest}]");
    refused(&with("s", &twice), "/destinations/0 bad_value");
    let part = vec![entry("1", "a"); 20].join(",");
    refused(&with("s", &format!("[{part},{rest}]")), "/destinations too_many_items");
    let long = with("s", &format!("[{}]", entry("100", "a")));
    let long = long.replacen('{', &format!(r#"{{"x":"{}","#, "x".repeat(16 << 10)), 1);
    assert_eq!(billing.send("POST", "", None, Some(&long)).status, 413);
    assert_eq!(app.snapshot(), before);
}

#[test]
fn the_list_is_filtered_and_paged() {
    let app = App::start();
    let billing = Billing::of(&app);
    for (store, destination, currency) in
        [("a", "x", None), ("b", "y", Some("NOK")), ("b", "x", Some("SEK")), ("c", "x", None)]
    {
        let mut rule = rule(store, &[(destination, 60.0), ("market", 40.0)]);
        if let Some(currency) = currency {
            rule["currency"] = json!(currency);
        }
        billing.post(&rule).expect(200);
    }
    assert_eq!(billing.ids(""), ["c", "b", "b", "a"]);
    assert_eq!(billing.ids("?rule_id=b&currency=NOK"), ["b"]);
    assert_eq!(billing.ids("?payout_destination_id=x"), ["c", "b", "a"]);
    assert_eq!(billing.ids("?payout_destination_id=market&limit=1000").len(), 4);
    assert_eq!(billing.ids("?payout_destination_id=percentage"), Vec::<String>::new());
    assert_eq!(billing.ids("?rule_type=order.items.store.id&limit=1"), ["c"]);
    let page = billing.get("?limit=2&total=true").expect(200);
    assert_eq!(page.header("total-count"), Some("4"));
    let token = page.body["payout_rules"][1]["paging_token"].as_str().unwrap();
    assert_eq!(billing.ids(&format!("?starting_after={token}")), ["b", "a"]);
    for (query, problem) in [
        ("limit=1001", "limit bad_value"),
        ("limit=0", "limit bad_value"),
        ("starting_after=x", "starting_after bad_value"),
        ("rule_type=x", "rule_type bad_value"),
        ("currency=nok", "currency bad_value"),
        ("include_deleted=1", "include_deleted bad_value"),
        ("destination=x", "destination unknown_filter"),
    ] {
        let path = format!("/v1/accounts/{ACCOUNT}/billing/payout-rules?{query}");
        let headers = [("authorization", billing.bearer.as_str())];
        let refused = app.send("GET", &path, &headers, None).expect(400);
        assert_eq!(refused.problems(), problem);
    }
}

#[test]
fn a_key_makes_one_rule() {
    let app = App::start();
    let billing = Billing::of(&app);
    let body = rule("torget", &[("a", 100.0)]).to_string();
    let made = billing.send("POST", "", Some("k"), Some(&body)).expect(200);
    let before = app.snapshot();
    let again = billing.send("POST", "", Some("k"), Some(&body)).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.text, app.snapshot()), (made.text.clone(), before));
    let other = rule("bua", &[("a", 100.0)]).to_string();
    assert_eq!(billing.send("POST", "", Some("k"), Some(&other)).status, 422);
    for method in ["PUT", "DELETE"] {
        let body = (method == "PUT").then_some(body.as_str());
        let first = billing.send(method, &id_of(&made.body), Some(method), body).expect(200);
        let again = billing.send(method, &id_of(&made.body), Some(method), body).expect(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{method}");
        assert_eq!(again.text, first.text);
    }
    expect_verified(&app);
}

#[test]
fn an_account_has_a_limited_number_of_rules_in_use() {
    let app = App::start();
    let billing = Billing::of(&app);
    billing.post(&rule("first", &[("a", 100.0)])).expect(200);
    tamper(
        &app.db,
        "with recursive numbers (n) as
            (select 2 union all select n + 1 from numbers where n < 10000)
         insert into payout_rules (account_seq, id, rule_type, rule_id, document, created_at_ms,
            created_by, updated_at_ms)
         select account_seq, printf('00000000-0000-4000-8000-%012d', n), rule_type, n, document,
            created_at_ms, created_by, updated_at_ms
         from payout_rules join numbers",
    )
    .unwrap();
    let refused = billing.post(&rule("last", &[("a", 100.0)]));
    assert_eq!((refused.status, refused.code()), (409, "too_many_payout_rules"));
    let newest = billing.get("?limit=1").expect(200).body["payout_rules"][0].clone();
    billing.send("DELETE", &id_of(&newest), None, None).expect(200);
    billing.post(&rule("last", &[("a", 100.0)])).expect(200);
}
