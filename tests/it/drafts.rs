//! Making, showing, completing and refusing drafts.

use serde_json::{Value, json};
use tillbook::domain::draft::ORDER_ID_ALPHABET;

use super::harness::App;
use super::http_client::Reply;

/// An order of one line, with these further fields.
fn order_with(more: Value) -> Value {
    let mut order = json!({"currency": "NOK", "items": [{"id": "p", "gross_amount": 500}]});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order
}

/// The answer to a draft with these items.
fn draft_items(app: &App, items: Value) -> Reply {
    app.post("/draft_orders", json!({"order": {"currency": "NOK", "items": items}}))
}

fn complete(app: &App, draft: &str) -> Reply {
    app.put(&format!("{draft}/complete"), json!({}))
}

#[track_caller]
fn assert_generated(order_id: &Value) {
    let order_id = order_id.as_str().unwrap();
    assert_eq!(order_id.len(), 9, "{order_id}");
    assert!(order_id.bytes().all(|letter| ORDER_ID_ALPHABET.contains(&letter)), "{order_id}");
}

#[test]
fn a_draft_is_made_shown_and_becomes_an_order() {
    let app = App::start();
    let sent = json!({"order": order_with(json!({"comment": "ring twice"}))});
    let made = app.post("/draft_orders", sent).expect(200);
    let draft = &made.body;
    assert_eq!(draft["status"], "open");
    assert_eq!(draft["created_at"], "2026-11-18T11:06:40.000Z");
    assert_eq!(draft["updated_at"], draft["created_at"]);
    assert_eq!(draft["created_by"], json!(app.client.client_id));
    assert_eq!(draft["options"], json!({}));
    assert_eq!(draft["order"]["comment"], "ring twice");
    assert_eq!(draft["order"].get("order_id"), None);
    assert_eq!(draft["_links"].as_array().unwrap().len(), 1);
    assert_eq!(app.follow(draft, "self").expect(200).text, made.text);

    app.pass(1_000);
    let path = format!("/draft_orders/{}", draft["id"].as_str().unwrap());
    let completed = complete(&app, &path).expect(200).body;
    assert_eq!(completed["orders"].as_array().unwrap().len(), 1);
    let order = &completed["orders"][0];
    assert_eq!((&order["status"], &order["payment_status"]), (&json!("open"), &json!("pending")));
    assert_eq!(order["created_at"], "2026-11-18T11:06:41.000Z");
    assert_eq!(order["order_id"], order["id"]);
    assert_ne!(order["id"], draft["id"]);
    assert_eq!(app.follow(order, "self").expect(200).body, *order);

    let draft = app.follow(order, "draft").expect(200).body;
    assert_eq!(draft["status"], "completed");
    assert_eq!(draft["updated_at"], "2026-11-18T11:06:41.000Z");
    assert_eq!(app.follow(&draft, "order").expect(200).body, *order);
}

#[test]
fn order_ids_are_generated_as_the_draft_asks() {
    let app = App::start();
    for asked in [json!({}), json!({"generate_order_id": "UUID"})] {
        let draft = app.draft(order_with(json!({})), asked);
        assert_eq!(app.get(&draft).body["order"].get("order_id"), None);
        let order = &complete(&app, &draft).expect(200).body["orders"][0];
        assert_eq!(order["order_id"], order["id"]);
    }
    for _ in 0..20 {
        let options = json!({"generate_order_id": "ALPHANUMERIC_9"});
        let draft = app.draft(order_with(json!({})), options);
        assert_eq!(app.get(&draft).body["order"].get("order_id"), None);
        let order = &complete(&app, &draft).expect(200).body["orders"][0];
        assert_generated(&order["order_id"]);

        let options = json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"});
        let draft = app.draft(order_with(json!({})), options);
        let reserved = app.get(&draft).body["order"]["order_id"].clone();
        assert_generated(&reserved);
        let path = format!("/orders/{}", reserved.as_str().unwrap());
        assert_eq!(app.get(&path).expect(404).code(), "not_found");
        let order = &complete(&app, &draft).expect(200).body["orders"][0];
        assert_eq!(order["order_id"], reserved);
        assert_eq!(app.get(&path).expect(200).body, *order);
    }
}

#[test]
fn a_custom_order_id_needs_a_draft_that_is_not_split() {
    let app = App::start();
    let order = order_with(json!({"order_id": "W-1001"}));
    for options in [json!({}), json!({"split_draft": true}), json!({"split_draft": null})] {
        let before = app.snapshot();
        let body = json!({"order": order, "options": options});
        let refused = app.post("/draft_orders", body).expect(400);
        assert_eq!(refused.problems(), "/order/order_id bad_value");
        assert_eq!(app.snapshot(), before);
    }
    let draft = app.draft(order, json!({"split_draft": false}));
    assert_eq!(app.get(&draft).body["order"]["order_id"], "W-1001");
    let order = &complete(&app, &draft).expect(200).body["orders"][0];
    assert_eq!(order["order_id"], "W-1001");
    // The id that the server chose also leads to it.
    let by_id = app.get(&format!("/orders/{}", order["id"].as_str().unwrap())).expect(200);
    assert_eq!(by_id.body, *order);
}

#[test]
fn an_order_id_of_any_printable_characters_is_reached_through_its_own_links() {
    let app = App::start();
    let printable: String = ('!'..='~').collect();
    let longest = "x".repeat(64);
    for name in [&printable[..50], &printable[50..], "%41", "a//b", "../c", "+", &longest] {
        let order = order_with(json!({"order_id": name}));
        let draft = app.draft(order, json!({"split_draft": false}));
        let order = &complete(&app, &draft).expect(200).body["orders"][0];
        assert_eq!(order["order_id"], name);
        assert_eq!(app.follow(order, "self").expect(200).body, *order);
        assert_eq!(app.follow(order, "events").expect(200).body["events"][0]["version"], 1);
        let captures = order["_links"][0]["href"].as_str().unwrap().to_owned() + "/captures";
        let bearer = format!("Bearer {}", app.token);
        let body = r#"{"items":[{"line_id":1,"amount":5}]}"#;
        let path = captures.strip_prefix(&app.url).unwrap();
        let capture =
            app.send("POST", path, &[("authorization", &bearer)], Some(body)).expect(200).body;
        assert_eq!(app.follow(&capture, "self").expect(200).body, capture);
        assert_eq!(app.follow(&capture, "order").expect(200).body["captures"], json!([capture]));
    }
}

#[test]
fn a_custom_order_id_that_no_path_can_carry_is_refused() {
    let app = App::start();
    for name in ["", "a b", "ø", ".", "..", "tab\t", &"x".repeat(65)] {
        let order = order_with(json!({"order_id": name}));
        let body = json!({"order": order, "options": {"split_draft": false}});
        let refused = app.post("/draft_orders", body).expect(400);
        assert_eq!(refused.problems(), "/order/order_id bad_value", "for {name:?}");
    }
}

#[test]
fn a_name_that_is_taken_is_refused_and_leaves_nothing() {
    let app = App::start();
    let options = json!({"split_draft": false});
    // A draft whose name was taken after it was made is refused when it is completed.
    let late = app.draft(order_with(json!({"order_id": "W-1"})), options.clone());
    let custom = app.order(order_with(json!({"order_id": "W-1"})), options.clone());
    let before = app.snapshot();
    assert_eq!(complete(&app, &late).expect(409).code(), "order_id_taken");
    assert_eq!(app.snapshot(), before);
    assert_eq!(app.get(&late).body["status"], "open");
    let id = app.get(&format!("/orders/{custom}")).body["id"].as_str().unwrap().to_owned();
    let reserving = json!({"generate_order_id": "ALPHANUMERIC_9_RESERVE"});
    let reserver = app.draft(order_with(json!({})), reserving);
    let reserved = app.get(&reserver).body["order"]["order_id"].as_str().unwrap().to_owned();
    for taken in [&custom, &id, &reserved] {
        let before = app.snapshot();
        let body = json!({"order": order_with(json!({"order_id": taken})), "options": options});
        assert_eq!(app.post("/draft_orders", body).expect(409).code(), "order_id_taken");
        assert_eq!(app.snapshot(), before);
    }
    let order = &complete(&app, &reserver).expect(200).body["orders"][0];
    assert_eq!(order["order_id"], reserved);
    // Two accounts can use the same name.
    let other = app.other_account("P00000001");
    let body = json!({"order": order_with(json!({"order_id": "W-1"})), "options": options});
    let draft = other.shopping("POST", "/draft_orders", &[], Some(&body.to_string())).expect(200);
    let path = format!("/draft_orders/{}/complete", draft.body["id"].as_str().unwrap());
    let completed = other.shopping("PUT", &path, &[], None).expect(200).body;
    assert_eq!(completed["orders"][0]["order_id"], "W-1");
}

#[test]
fn a_draft_is_completed_once() {
    let app = App::start();
    let draft = app.draft(order_with(json!({})), json!({}));
    complete(&app, &draft).expect(200);
    let before = app.snapshot();
    assert_eq!(complete(&app, &draft).expect(409).code(), "draft_completed");
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_draft_is_found_only_in_its_own_account() {
    let app = App::start();
    let draft = app.draft(order_with(json!({})), json!({}));
    let other = app.other_account("T87654321");
    let before = app.snapshot();
    assert_eq!(other.shopping("GET", &draft, &[], None).expect(404).code(), "not_found");
    let completing = format!("{draft}/complete");
    assert_eq!(other.shopping("PUT", &completing, &[], None).expect(404).code(), "not_found");
    assert_eq!(app.get("/draft_orders/nothing").expect(404).code(), "not_found");
    assert_eq!(app.get("/draft_orders/%FF").expect(404).code(), "not_found");
    assert_eq!(app.snapshot(), before);
}

#[test]
fn a_draft_without_items_does_not_become_an_order() {
    let app = App::start();
    for order in [json!({"currency": "NOK"}), json!({"currency": "NOK", "items": []})] {
        let draft = app.draft(order, json!({}));
        let shown = app.get(&draft).body;
        assert_eq!(
            (&shown["order"]["items"], &shown["order"]["payable_amount"]),
            (&json!([]), &json!(0))
        );
        let before = app.snapshot();
        assert_eq!(complete(&app, &draft).expect(400).problems(), "/order/items empty");
        assert_eq!(app.snapshot(), before);
    }
}

#[test]
fn items_of_several_stores_become_one_order_per_store_or_one_in_all() {
    let app = App::start();
    let at = |store: &str| json!({"id": "p", "gross_amount": 1, "store": {"id": store}});
    let anywhere = json!({"id": "p", "gross_amount": 1});
    let body = |items: Value, options: Value, stores: [Option<&str>; 2]| {
        let store = |id: Option<&str>| id.map_or(Value::Null, |id| json!({"id": id}));
        let [in_order, beside] = stores.map(store);
        json!({"order": {"currency": "NOK", "items": items, "store": in_order},
            "options": options, "store": beside})
    };
    let completed = |body: Value| {
        let draft = app.post("/draft_orders", body).expect(200).body;
        complete(&app, &format!("/draft_orders/{}", draft["id"].as_str().unwrap()))
    };
    for options in [json!({}), json!({"split_draft": true})] {
        for (items, stores) in [
            (json!([at("a"), at("b")]), [None, None]),
            (json!([at("a"), anywhere]), [None, None]),
            (json!([at("a"), anywhere]), [Some("b"), None]),
            (json!([at("a"), anywhere]), [None, Some("b")]),
        ] {
            let done = completed(body(items, options.clone(), stores)).expect(200).body;
            let lines = |order: &Value| order["items"].as_array().unwrap().len();
            let orders: Vec<usize> = done["orders"].as_array().unwrap().iter().map(lines).collect();
            assert_eq!(orders, [1, 1]);
        }
    }
    for (items, options, stores) in [
        (json!([at("a"), at("a")]), json!({}), [None, None]),
        (json!([at("a"), anywhere]), json!({}), [Some("a"), None]),
        (json!([at("a"), anywhere]), json!({}), [None, Some("a")]),
        (json!([at("a"), at("b"), anywhere]), json!({"split_draft": false}), [None, None]),
    ] {
        let count = items.as_array().unwrap().len();
        let orders = completed(body(items, options, stores)).expect(200).body["orders"].clone();
        assert_eq!(orders.as_array().unwrap().len(), 1);
        assert_eq!(orders[0]["items"].as_array().unwrap().len(), count);
    }
}

#[test]
fn items_without_a_line_id_are_numbered_after_the_highest() {
    let app = App::start();
    let lines = |given: &[Option<i64>]| {
        let item =
            |line_id: &Option<i64>| json!({"id": "p", "gross_amount": 1, "line_id": line_id});
        draft_items(&app, given.iter().map(item).collect())
    };
    let numbered = |given: &[Option<i64>]| -> Vec<i64> {
        let items = lines(given).expect(200).body["order"]["items"].clone();
        items.as_array().unwrap().iter().map(|item| item["line_id"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbered(&[None, None, None]), [1, 2, 3]);
    assert_eq!(numbered(&[None, Some(5), None, Some(2), None]), [6, 5, 7, 2, 8]);
    assert_eq!(numbered(&[Some(0), None]), [0, 1]);
    let last = 9_007_199_254_740_991;
    assert_eq!(numbered(&[Some(last - 1), None]), [last - 1, last]);
    assert_eq!(lines(&[Some(last), None]).expect(400).problems(), "/order/items bad_value");
    assert_eq!(
        lines(&[Some(3), Some(1), Some(3), Some(1)]).expect(400).problems(),
        "/order/items/2/line_id duplicate_line\n/order/items/3/line_id duplicate_line"
    );
    let refused = lines(&[Some(-1), Some(last + 1)]).expect(400);
    assert_eq!(
        refused.problems(),
        "/order/items/0/line_id bad_value\n/order/items/1/line_id bad_value"
    );
}

#[test]
fn figures_that_contradict_each_other_are_refused_all_at_once() {
    let app = App::start();
    let before = app.snapshot();
    let item = |gross: i64, discounts: &[i64]| {
        let lines: Vec<Value> = discounts.iter().map(|amount| json!({"amount": amount})).collect();
        json!({"id": "p", "gross_amount": gross, "discount_lines": lines})
    };
    let refused = draft_items(
        &app,
        json!([
            item(100, &[50, 51]),
            item(100, &[-1, 5, -2]),
            item(-100, &[1]),
            item(0, &[1]),
            item(-100, &[-101]),
            item(100, &[100]),
        ]),
    );
    assert_eq!(
        refused.expect(400).problems(),
        "/order/items/0/discount_lines discounts_exceed_gross_amount\n\
         /order/items/1/discount_lines/0/amount wrong_sign\n\
         /order/items/1/discount_lines/2/amount wrong_sign\n\
         /order/items/2/discount_lines/0/amount wrong_sign\n\
         /order/items/3/discount_lines/0/amount wrong_sign\n\
         /order/items/4/discount_lines discounts_exceed_gross_amount"
    );
    assert_eq!(app.snapshot(), before);
    let fitting = json!([item(100, &[60, 40]), item(-100, &[-100]), item(0, &[0])]);
    assert_eq!(draft_items(&app, fitting).expect(200).body["order"]["payable_amount"], 0);
}

#[test]
fn amounts_end_where_json_numbers_stop_being_exact() {
    let app = App::start();
    let most = 9_007_199_254_740_991_i64;
    let gross = |amounts: &[i64]| {
        let item = |amount: &i64| json!({"id": "p", "gross_amount": amount});
        draft_items(&app, amounts.iter().map(item).collect())
    };
    let order = gross(&[most]).expect(200).body["order"].clone();
    assert_eq!(order["payable_amount"], most);
    assert_eq!(gross(&[-most]).expect(200).body["order"]["payable_amount"], -most);
    let out = "/order/items/0/gross_amount amount_out_of_range";
    assert_eq!(gross(&[most + 1]).expect(400).problems(), out);
    assert_eq!(gross(&[-most - 1]).expect(400).problems(), out);
    let total = "/order/items amount_out_of_range";
    assert_eq!(gross(&[most, 1]).expect(400).problems(), total);
    assert_eq!(gross(&[most, -1]).expect(400).problems(), total);
    let taxes = json!([{"amount": most, "percentage": 25}, {"amount": 1, "percentage": 25}]);
    let taxed = draft_items(&app, json!([{"id": "p", "gross_amount": 1, "tax_lines": taxes}]));
    assert_eq!(taxed.expect(400).problems(), "/order/items/0/tax_lines amount_out_of_range");
}

#[test]
fn totals_are_computed_and_sent_ones_are_ignored() {
    let app = App::start();
    let sent = json!({
        "gross_amount": 1, "total_discount": -7, "total_manual_discount_amount": "many",
        "net_amount": 2.5, "payable_amount": [], "items": [
            {"id": "a", "gross_amount": 59_800, "net_amount": 3,
             "tax_lines": [{"amount": 9_000, "percentage": 25}, {"amount": 960, "percentage": 2}],
             "discount_lines": [{"amount": 9_800, "discount_type": "manual"},
                {"amount": 200, "discount_type": "loyalty"}, {"amount": 100}]},
            {"id": "b", "gross_amount": -10_000,
             "tax_lines": [{"amount": -2_000, "percentage": 25}],
             "discount_lines": [{"amount": -1_000, "discount_type": "manual"}]},
        ],
    });
    let draft = app.draft(order_with(sent), json!({}));
    let shown = app.get(&draft).body["order"].clone();
    let order = complete(&app, &draft).expect(200).body["orders"][0].clone();
    for answer in [shown, order] {
        let totals = [
            "gross_amount",
            "total_discount",
            "total_manual_discount_amount",
            "net_amount",
            "payable_amount",
        ]
        .map(|name| answer[name].as_i64().unwrap());
        assert_eq!(totals, [49_800, 9_100, 8_800, 32_740, 40_700]);
        // An item's own figure is kept as sent.
        assert_eq!(answer["items"][0]["net_amount"], 3);
    }
}

#[test]
fn options_that_would_mislead_are_refused_and_harmless_ones_are_given_back() {
    let app = App::start();
    let with = |options: Value| {
        app.post("/draft_orders", json!({"order": order_with(json!({})), "options": options}))
    };
    let before = app.snapshot();
    let refused = with(json!({"order_id": "W-1", "replace": "order"})).expect(400);
    assert_eq!(refused.problems(), "/options/order_id unknown_order");
    let refused = with(json!({"replace": "order"})).expect(400);
    assert_eq!(refused.problems(), "/options/replace required");
    let refused = with(json!({"order_id": "a b", "replace": "all"})).expect(400);
    assert_eq!(refused.problems(), "/options/order_id bad_value\n/options/replace bad_value");
    let refused = with(json!({"generate_order_id": "SERIAL", "split_draft": 1})).expect(400);
    assert_eq!(
        refused.problems(),
        "/options/generate_order_id bad_value\n/options/split_draft wrong_type"
    );
    assert_eq!(app.snapshot(), before);
    let kept = json!({"order_time_to_live": 86_400, "payout": {"rules": [], "x": 1},
        "serial_order_number_suffix": "-B", "ours": {"deep": [null, 1.5]}});
    let draft = with(kept.clone()).expect(200).body;
    assert_eq!(draft["options"], kept);
    let done = complete(&app, &format!("/draft_orders/{}", draft["id"].as_str().unwrap()));
    assert_eq!(done.expect(200).body["orders"][0]["options"], kept);
    let nothing = with(json!({"order_id": null, "replace": null})).expect(200).body;
    assert_eq!(nothing["options"], json!({}));
}

#[test]
fn an_invalid_draft_is_refused_with_every_reason() {
    let app = App::start();
    let problems =
        |body: &str| app.shopping("POST", "/draft_orders", &[], Some(body)).expect(400).problems();
    assert_eq!(problems("{}"), "/order required");
    assert_eq!(problems(""), "/order required");
    assert_eq!(problems("[]"), "/order required");
    assert_eq!(problems("[1]"), " wrong_type");
    assert_eq!(problems(r#"{"order":null}"#), "/order required");
    assert_eq!(problems(r#"{"order":{"currency":"nok"}}"#), "/order/currency bad_value");
    assert_eq!(
        problems(
            r#"{"order":{"customer":[1],"delivery_at":"soon","items":[{"gross_amount":398.5},7,
            {"id":"p","gross_amount":"1","tax_lines":[{"amount":1}]}]},"store":{},"options":4}"#
        ),
        "/order/customer wrong_type\n/order/delivery_at bad_date_time\n\
         /order/items/0/gross_amount wrong_type\n/order/items/0/id required\n\
         /order/items/1 wrong_type\n/order/items/2/gross_amount wrong_type\n\
         /order/items/2/tax_lines/0/percentage required\n/order/currency required\n\
         /store/id required\n/options wrong_type"
    );
}
