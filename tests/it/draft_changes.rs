//! Drafts that are changed, deleted, split by store, or completed for an existing order.

use serde_json::{Value, json};

use super::audit;
use super::harness::App;
use super::http_client::Reply;

fn item(line: i64, gross: i64) -> Value {
    json!({"id": format!("p{line}"), "line_id": line, "gross_amount": gross})
}

fn make(app: &App, order: Value, options: Value) -> Value {
    app.post("/draft_orders", json!({"order": order, "options": options})).expect(200).body
}

fn at(draft: &Value) -> String {
    format!("/draft_orders/{}", draft["id"].as_str().unwrap())
}

fn two_lines(app: &App) -> Value {
    make(app, json!({"currency": "NOK", "items": [item(1, 100), item(4, 50)]}), json!({}))
}

fn complete(app: &App, draft: &Value) -> Reply {
    app.put(&format!("{}/complete", at(draft)), json!({}))
}

/// Line ids with gross amounts and versions.
fn lines(of: &Value) -> Vec<(i64, i64, i64)> {
    let items = of["items"].as_array().unwrap().iter();
    let number = |item: &Value, key: &str| item[key].as_i64().unwrap();
    items.map(|i| (number(i, "line_id"), number(i, "gross_amount"), number(i, "version"))).collect()
}

/// Runs a request that must change nothing.
fn unchanged(app: &App, run: impl FnOnce() -> Reply) -> Reply {
    let before = app.snapshot();
    let reply = run();
    assert_eq!(app.snapshot(), before, "{}", reply.text);
    reply
}

#[test]
fn items_are_added_replaced_and_removed_each_with_the_version_of_its_change() {
    let app = App::start();
    let draft = two_lines(&app);
    assert_eq!(lines(&draft["order"]), [(1, 100, 1), (4, 50, 1)]);
    let items = format!("{}/items", at(&draft));
    let added = app.post(&items, json!({"id": "x", "gross_amount": 7})).expect(200).body;
    assert_eq!(lines(&added["order"]), [(1, 100, 1), (4, 50, 1), (5, 7, 2)]);
    assert_eq!(added["order"]["gross_amount"], 157);
    let replaced = json!({"id": "y", "gross_amount": -20});
    let replaced = app.put(&format!("{items}/4"), replaced).expect(200).body;
    assert_eq!(lines(&replaced["order"]), [(1, 100, 1), (4, -20, 3), (5, 7, 2)]);
    let removed = app.shopping("DELETE", &format!("{items}/1"), &[], None).expect(200).body;
    assert_eq!(lines(&removed["order"]), [(4, -20, 3), (5, 7, 2)]);
    let methods: Vec<&str> = removed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["request"]["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["POST", "POST", "PUT", "DELETE"]);
    assert_eq!(app.get(&at(&draft)).expect(200).body, removed);
    let order = complete(&app, &draft).expect(200).body["orders"][0].clone();
    assert_eq!(lines(&order), [(4, -20, 3), (5, 7, 2)]);
    audit::expect_clean(&app.db);
}

#[test]
fn an_impossible_change_of_items_changes_nothing() {
    let app = App::start();
    let draft = two_lines(&app);
    let items = format!("{}/items", at(&draft));
    let post = |body: Value| unchanged(&app, || app.post(&items, body.clone()));
    assert_eq!(post(item(4, 1)).expect(409).code(), "line_in_use");
    assert_eq!(post(json!({})).expect(400).problems(), "/id required\n/gross_amount required");
    let most = json!({"id": "a", "gross_amount": 9_007_199_254_740_991_i64});
    assert_eq!(post(most).expect(400).problems(), "/gross_amount amount_out_of_range");
    let last = json!({"id": "a", "gross_amount": 1, "line_id": 9_007_199_254_740_991_i64});
    app.post(&items, last).expect(200);
    let post = |body: Value| unchanged(&app, || app.post(&items, body.clone()));
    let above = post(json!({"id": "a", "gross_amount": 1})).expect(400);
    assert_eq!(above.problems(), "/line_id bad_value");
    let other = unchanged(&app, || app.put(&format!("{items}/4"), item(1, 1))).expect(400);
    assert_eq!(other.problems(), "/line_id bad_value");
    for line in ["9", "-1", "x"] {
        let path = format!("{items}/{line}");
        let body = json!({"id": "a", "gross_amount": 1});
        unchanged(&app, || app.put(&path, body)).expect(404);
        unchanged(&app, || app.shopping("DELETE", &path, &[], None)).expect(404);
    }
    let discounts = format!("{items}?apply_discounts=true");
    let refused = unchanged(&app, || app.post(&discounts, item(9, 1))).expect(400);
    assert_eq!(refused.problems(), "apply_discounts not_supported");
    let refused = app.post(&format!("{discounts}&apply_discounts=false"), item(9, 1)).expect(400);
    assert_eq!(refused.problems(), "apply_discounts not_supported");
    app.post(&format!("{items}?apply_discounts=false"), item(9, 1)).expect(200);
}

#[test]
fn an_update_replaces_the_order_and_merges_the_options() {
    let app = App::start();
    let order = json!({"currency": "NOK", "comment": "old", "items": [item(1, 100), item(4, 50)]});
    let draft = make(&app, order, json!({"payout": {"a": 1}, "order_time_to_live": 60}));
    let order = json!({"currency": "SEK", "items": [item(4, 50), item(1, 99)]});
    let body = json!({"order": order, "options": {"order_time_to_live": 90},
        "store": {"id": "torget"}});
    let changed = app.put(&at(&draft), body.clone()).expect(200).body;
    assert_eq!(changed["order"]["currency"], "SEK");
    assert_eq!(changed["order"]["comment"], Value::Null);
    assert_eq!(lines(&changed["order"]), [(4, 50, 1), (1, 99, 2)]);
    assert_eq!(changed["options"], json!({"payout": {"a": 1}, "order_time_to_live": 90}));
    assert_eq!(changed["store"], json!({"id": "torget"}));
    let only_options = app.put(&at(&draft), json!({"options": {"payout": true}})).expect(200).body;
    assert_eq!(only_options["order"], changed["order"]);
    assert_eq!(only_options["options"]["payout"], true);
    let listed = |query: &str| app.get(&format!("/draft_orders?{query}")).expect(200).body;
    assert_eq!(listed("store_id=torget&currency=SEK")["draft_orders"], json!([only_options]));
    assert_eq!(listed("currency=NOK")["draft_orders"], json!([]));
    let order = complete(&app, &draft).expect(200).body["orders"][0].clone();
    assert_eq!((&order["currency"], &order["store"]["id"]), (&json!("SEK"), &json!("torget")));
}

#[test]
fn an_update_without_a_body_leaves_the_draft_as_it_is() {
    let app = App::start();
    let draft = two_lines(&app);
    let kept = app.shopping("PUT", &at(&draft), &[], None).expect(200).body;
    assert_eq!((&kept["order"], &kept["status"]), (&draft["order"], &json!("open")));
}

#[test]
fn a_change_is_made_once_for_each_key() {
    let app = App::start();
    let draft = two_lines(&app);
    let items = format!("{}/items", at(&draft));
    let first = app.post_once("k", &items, item(9, 1)).expect(200);
    let again = unchanged(&app, || app.post_once("k", &items, item(9, 1))).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
}

#[test]
fn a_closed_draft_stays_as_it_is() {
    let app = App::start();
    let (done, gone) = (two_lines(&app), two_lines(&app));
    complete(&app, &done).expect(200);
    let deleted = app.shopping("DELETE", &at(&gone), &[], None).expect(200).body;
    assert_eq!(deleted["status"], "deleted");
    for (draft, code) in [(done, "draft_completed"), (gone, "draft_deleted")] {
        let path = at(&draft);
        let item_path = format!("{path}/items/1");
        let bare = json!({"id": "a", "gross_amount": 1});
        for reply in [
            unchanged(&app, || app.put(&path, json!({}))),
            unchanged(&app, || app.shopping("DELETE", &path, &[], None)),
            unchanged(&app, || app.post(&format!("{path}/items"), bare.clone())),
            unchanged(&app, || app.put(&item_path, bare.clone())),
            unchanged(&app, || app.shopping("DELETE", &item_path, &[], None)),
            unchanged(&app, || complete(&app, &draft)),
        ] {
            assert_eq!(reply.expect(409).code(), code);
        }
    }
}

#[test]
fn a_reserved_order_id_stays_until_another_takes_its_place() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [item(1, 1)]});
    let reserve = json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"});
    let draft = make(&app, order.clone(), reserve);
    let reserved = draft["order"]["order_id"].clone();
    let kept = app.put(&at(&draft), json!({"order": order})).expect(200).body;
    assert_eq!(kept["order"]["order_id"], reserved);
    let custom = json!({"currency": "NOK", "order_id": "MINE", "items": [item(1, 1)]});
    let split = unchanged(&app, || app.put(&at(&draft), json!({"order": custom}))).expect(400);
    assert_eq!(split.problems(), "/order/order_id bad_value");
    let options = json!({"split_draft": false});
    let own = app.put(&at(&draft), json!({"order": custom, "options": options})).expect(200).body;
    assert_eq!(own["order"]["order_id"], "MINE");
    let mut freed = custom.clone();
    freed["order_id"] = reserved;
    make(&app, freed, json!({"split_draft": false}));
    assert_eq!(complete(&app, &draft).expect(200).body["orders"][0]["order_id"], "MINE");
    let taken = app.post("/draft_orders", json!({"order": custom, "options": options}));
    assert_eq!(taken.expect(409).code(), "order_id_taken");
}

#[test]
fn a_deleted_draft_releases_its_reserved_order_id() {
    let app = App::start();
    let order = json!({"currency": "NOK", "items": [item(1, 1)]});
    let draft = make(&app, order, json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"}));
    let own = json!({"currency": "NOK", "order_id": draft["order"]["order_id"],
        "items": [item(1, 1)]});
    let body = json!({"order": own, "options": {"split_draft": false}});
    let taken = unchanged(&app, || app.post("/draft_orders", body.clone())).expect(409);
    assert_eq!(taken.code(), "order_id_taken");
    app.shopping("DELETE", &at(&draft), &[], None).expect(200);
    let free = app.post("/draft_orders", body).expect(200).body;
    let order = complete(&app, &free).expect(200).body["orders"][0].clone();
    assert_eq!(order["order_id"], draft["order"]["order_id"]);
    audit::expect_clean(&app.db);
}

#[test]
fn each_store_gets_an_order_and_the_first_the_reserved_id() {
    let app = App::start();
    let of = |line: i64, store: Value| {
        let mut item = item(line, line * 10);
        item["store"] = store;
        item
    };
    let (torget, havna) = (json!({"id": "torget"}), json!({"id": "havna", "name": "Havna"}));
    let items =
        json!([of(1, havna.clone()), of(2, torget.clone()), of(3, havna), of(4, json!(null))]);
    let order = json!({"currency": "NOK", "items": items, "store": {"id": "lager"},
        "customer": {"email": "kari@example.no"}});
    let draft = make(&app, order, json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"}));
    let done = complete(&app, &draft).expect(200).body;
    let orders = done["orders"].as_array().unwrap();
    let told: Vec<(&str, Vec<i64>, i64)> = orders
        .iter()
        .map(|order| {
            let numbers = lines(order).iter().map(|line| line.0).collect();
            let store = order["store"]["id"].as_str().unwrap();
            (store, numbers, order["gross_amount"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(told, [("havna", vec![1, 3], 40), ("torget", vec![2], 20), ("lager", vec![4], 40)]);
    assert_eq!(orders[0]["order_id"], draft["order"]["order_id"]);
    assert!(orders.iter().all(|order| order["order_id"].as_str().unwrap().len() == 9));
    for order in orders {
        let store = order["store"]["id"].as_str().unwrap();
        let listed = app.get(&format!("/stores/{store}/orders?search=kari")).expect(200).body;
        assert_eq!(listed["orders"], json!([order]));
        assert_eq!(app.get(&format!("/orders/{}", order["id"].as_str().unwrap())).body, *order);
    }
    let links = app.get(&at(&draft)).body["_links"].as_array().unwrap().clone();
    assert_eq!(links.iter().filter(|link| link["rel"] == "order").count(), 3);
    audit::expect_clean(&app.db);
}

#[test]
fn a_draft_adds_its_items_to_the_order_that_it_names() {
    let app = App::start();
    let order = app.simple_order(&[100, 200]);
    let path = format!("/orders/{order}");
    let pay = json!({"items": [{"line_id": 1, "amount": 100}, {"line_id": 2, "amount": 200}]});
    app.post(&format!("{path}/captures"), pay).expect(200);
    let more = json!([{"id": "a", "gross_amount": 7, "store": {"id": "torget"}}, item(9, -30)]);
    let draft = make(&app, json!({"currency": "NOK", "items": more}), json!({"order_id": order}));
    let version = draft["order"]["items"][0]["version"].clone();
    assert_eq!(lines(&draft["order"]), [(10, 7, 1), (9, -30, 1)], "numbered after all lines");
    let done = complete(&app, &draft).expect(200).body["orders"][0].clone();
    assert_eq!(lines(&done).iter().map(|line| line.0).collect::<Vec<_>>(), [1, 2, 10, 9]);
    assert_eq!(done["items"][2]["version"], version);
    assert_eq!((&done["order_id"], &done["gross_amount"]), (&json!(order), &json!(277)));
    assert_eq!((&done["payment_status"], &done["remaining_amount"]), (&json!("paid"), &json!(-23)));
    let events = app.get(&format!("{path}/events")).expect(200).body["events"].clone();
    assert_eq!(events[2]["draft_id"], draft["id"]);
    let listed = app.get("/stores/torget/orders").expect(200).body["orders"].clone();
    assert_eq!(listed, json!([done]));
    let rest = json!({"items": [{"line_id": 10, "amount": 7}, {"line_id": 9, "amount": -30}]});
    app.post(&format!("{path}/captures"), rest).expect(200);
    audit::expect_clean(&app.db);
}

#[test]
fn an_order_that_can_have_no_more_lines_is_left_unchanged() {
    let app = App::start();
    let draft = |order: &str, currency: &str, line: i64, options: Value| {
        let mut options = options;
        options["order_id"] = json!(order);
        make(&app, json!({"currency": currency, "items": [item(line, 5)]}), options)
    };
    let refused = |draft: Value| unchanged(&app, || complete(&app, &draft)).expect(409);
    let order = app.simple_order(&[100]);
    assert_eq!(refused(draft(&order, "NOK", 1, json!({}))).code(), "line_in_use");
    assert_eq!(refused(draft(&order, "SEK", 2, json!({}))).code(), "currency_mismatch");
    let most = json!({"currency": "NOK", "items": [item(2, 9_007_199_254_740_990)]});
    let most = make(&app, most, json!({"order_id": order}));
    let refused_most = unchanged(&app, || complete(&app, &most)).expect(400);
    assert_eq!(refused_most.problems(), "/order/items amount_out_of_range");
    let many: Vec<Value> = (2..=1_001).map(|line| item(line, 0)).collect();
    let many = json!({"currency": "NOK", "items": many});
    let many = make(&app, many, json!({"order_id": order}));
    let refused_many = unchanged(&app, || complete(&app, &many)).expect(400);
    assert_eq!(refused_many.problems(), "/order/items too_many_items");
    let failed = json!({"items": [{"line_id": 1, "amount": 1}], "success": false});
    app.post(&format!("/orders/{order}/captures"), failed).expect(200);
    let replacing = json!({"replace": "order"});
    let code = refused(draft(&order, "NOK", 1, replacing.clone())).code().to_owned();
    assert_eq!(code, "has_payment_operations");
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);
    assert_eq!(refused(draft(&order, "NOK", 2, json!({}))).code(), "order_not_open");
    app.post(&format!("/orders/{order}/cancel"), json!({})).expect(200);
    assert_eq!(refused(draft(&order, "SEK", 2, replacing)).code(), "order_cancelled");
}

#[test]
fn a_draft_takes_the_place_of_an_order_for_which_nothing_was_recorded() {
    let app = App::start();
    let order = app.simple_order(&[100, 200]);
    let before = app.get(&format!("/orders/{order}")).expect(200).body;
    let new = json!({"currency": "NOK", "comment": "new", "items": [item(1, 5)],
        "customer": {"id": "kari", "first_name": "Kari"}});
    let options = json!({"order_id": order, "replace": "order", "multiple_authorizations": true});
    let draft = make(&app, new, options.clone());
    let done = complete(&app, &draft).expect(200).body["orders"][0].clone();
    assert_eq!((&done["id"], &done["order_id"]), (&before["id"], &before["order_id"]));
    assert_eq!((lines(&done), &done["comment"]), (vec![(1, 5, 1)], &json!("new")));
    assert_eq!((&done["options"], &done["payable_amount"]), (&options, &json!(5)));
    for query in ["search=Kari", "customer_id=kari", &format!("order_id={order}")] {
        let listed = app.get(&format!("/orders?{query}")).expect(200).body;
        assert_eq!(listed["orders"], json!([done]), "{query}");
    }
    let several = json!({"items": [{"line_id": 1, "amount": 5}]});
    let refused = app.post(&format!("/orders/{order}/captures"), several).expect(400);
    assert!(refused.problems().contains("/authorization_id"));
    audit::expect_clean(&app.db);
}
