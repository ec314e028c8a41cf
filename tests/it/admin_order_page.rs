//! The exact text of the order page.

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::office::{FORM_TOKEN, get, send_form, visitor, words};

/// How often a text occurs.
fn count(page: &str, text: &str) -> usize {
    page.matches(text).count()
}

/// The page's words.
fn page_of(app: &App, cookie: &str, order: &str) -> String {
    words(&get(app, cookie, &format!("/orders/{order}")).expect(200))
}

#[track_caller]
fn assert_says(page: &str, expected: &[&str]) {
    for words in expected {
        assert!(page.contains(words), "{words} in {page}");
    }
}

fn record(app: &App, order: &str, kind: &str, amounts: &[(i64, i64)]) -> Value {
    let item = |(line, amount): &(i64, i64)| json!({"line_id": line, "amount": amount});
    let items: Vec<Value> = amounts.iter().map(item).collect();
    app.post(&format!("/orders/{order}/{kind}"), json!({"items": items})).expect(200).body
}

/// 1 000.00 to pay and 400.00 to give back.
fn order_that_gives_back(app: &App) -> String {
    let order = app.simple_order(&[100_000, -40_000]);
    record(app, &order, "authorizations", &[(1, 50_000), (2, -30_000)]);
    record(app, &order, "captures", &[(2, -30_000)]);
    record(app, &order, "refunds", &[(2, -10_000)]);
    order
}

#[test]
fn negative_amounts_are_put_in_words_everywhere() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let page = page_of(&app, &owner, &order_that_gives_back(&app));
    assert_says(
        &page,
        &[
            "Total 600.00 NOK Reserved 200.00 NOK Captured give back 300.00 NOK Released",
            "Refunded give back 100.00 NOK Left to capture 500.00 NOK",
            "2 p1 give back 400.00 NOK 0.00 give back 300.00 give back 100.00 0.00",
            "Refund give back 100.00 NOK",
            "2 p1: give back 300.00",
            "Capture: give back 300.00 NOK, by",
            "Reservation of 200.00 NOK, by",
        ],
    );
    assert!(!page.contains("-300.00") && !page.contains("-100.00"), "{page}");
}

#[test]
fn the_parts_of_the_bar_add_up_to_the_sums_above_it() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let order = order_that_gives_back(&app);
    let page = page_of(&app, &owner, &order);
    // The total is 500 + 500 - 200 - 100 - 100, and 200 + 100 were captured to give back.
    assert_says(
        &page,
        &["Still reserved 500.00 NOK Not reserved 500.00 NOK Given back 200.00 NOK \
           Give-back reversed 100.00 NOK Give-back not reserved 100.00 NOK Actions"],
    );
    record(&app, &order, "authorizations", &[(2, -10_000)]);
    record(&app, &order, "captures", &[(1, 50_000)]);
    assert_says(
        &page_of(&app, &owner, &order),
        &["Captured and kept 500.00 NOK Not reserved 500.00 NOK Given back 200.00 NOK \
           Reserved to give back 100.00 NOK Give-back reversed 100.00 NOK Actions"],
    );
}

#[test]
fn quantities_are_shown_as_they_were_sent_or_not_at_all() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let items = json!([{"id": "rope", "quantity": 2.50, "gross_amount": 100},
                       {"id": "fee", "gross_amount": 100}]);
    let order = app.order(json!({"currency": "NOK", "items": items}), json!({}));
    let page = page_of(&app, &owner, &order);
    assert_says(&page, &["1 rope 2.5 1.00 NOK", "2 fee 1.00 NOK"]);
}

#[test]
fn an_ended_order_says_when_and_why_it_ended_and_who_ended_it() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let order = app.simple_order(&[1_000]);
    assert!(!page_of(&app, &owner, &order).contains("Closed 18 Nov"));
    app.post(&format!("/orders/{order}/close"), json!({})).expect(200);
    assert_says(&page_of(&app, &owner, &order), &["Closed 18 Nov 2026 12:06 by API client test."]);
    let fields = [("form_token", FORM_TOKEN), ("cancelled_reason", "merchant")];
    send_form(&app, &owner, &format!("/orders/{order}/cancel"), &fields).expect(303);
    let page = page_of(&app, &owner, &order);
    let by = "owner-t12345678@example.no";
    assert_says(&page, &[&format!("Cancelled 18 Nov 2026 12:06 by {by}: we cannot deliver.")]);
    assert!(!page.contains("Closed 18 Nov"));
    let silent = app.simple_order(&[1_000]);
    app.post(&format!("/orders/{silent}/cancel"), json!({})).expect(200);
    let said = "Cancelled 18 Nov 2026 12:06 by API client test: no reason given.";
    assert_says(&page_of(&app, &owner, &silent), &[said]);
}

#[test]
fn the_card_of_an_operation_has_all_of_its_fields() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let items = json!([{"id": "a", "description": "Stol", "gross_amount": 1_000},
                       {"id": "b", "gross_amount": -500}]);
    let order = json!({"currency": "NOK", "items": items});
    let order = app.order(order, json!({"multiple_authorizations": true}));
    let authorized = record(&app, &order, "authorizations", &[(1, 1_000), (2, -500)]);
    let id = authorized["id"].as_str().unwrap();
    let capture = json!({"items": [{"line_id": 1, "amount": 1_000}, {"line_id": 2, "amount": -500}],
        "authorization_id": id, "success": false, "processed_by": "checkout",
        "processed_at": "2026-11-20T23:30:00Z",
        "payment_details": {"psp": "Bambora", "payment_id": "PID-7", "payment_product": "bambora",
            "payment_product_type": "bambora.creditcard",
            "card": {"brand": "Visa", "type": "Credit", "masked_pan": "4444 **** **** 4448"}},
        "metadata": {"reason": "insufficient funds", "attempt": 2, "device": {"till": "4"},
            "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1}});
    app.post(&format!("/orders/{order}/captures"), capture).expect(200);
    let page = page_of(&app, &owner, &order);
    let told = format!(
        "Capture 5.00 NOK The gateway refused it; no money moved. Reason: insufficient funds \
         When 18 Nov 2026 12:06 Who API client test \
         Lines 1 Stol: 10.00 2 b: give back 5.00 Processed 21 Nov 2026 00:30 \
         Processed by checkout Gateway Bambora Payment id PID-7 \
         Product bambora bambora.creditcard Card Visa Credit 4444 **** **** 4448 \
         Authorization {id} attempt 2 d 1 device {{\"till\":\"4\"}}"
    );
    let reserved = format!(
        "Result succeeded Lines 1 Stol: 10.00 2 b: give back 5.00 Authorization {id} What happened"
    );
    assert_says(&page, &[&told, "i 1 Metadata and 1 more", &reserved]);
}

#[test]
fn the_page_of_a_big_order_is_small_and_links_to_all_of_it() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let item = |n: i64| {
        json!({"id": format!("p{n}"), "quantity": 12, "gross_amount": 1_234_500,
            "description": "Stablestol «Kråkebær» i bjørk, klarlakkert, 45 × 48 × 82 cm"})
    };
    let items: Vec<Value> = (1..=1_000).map(item).collect();
    let order = app.order(json!({"currency": "NOK", "items": items}), json!({}));
    let amounts: Vec<(i64, i64)> = (1..=1_000).map(|line| (line, 1_000_000)).collect();
    record(&app, &order, "authorizations", &amounts);
    let captured: Vec<Value> =
        (1..=1_000).map(|line| json!({"line_id": line, "amount": 1_000})).collect();
    let capture = json!({"items": captured, "processed_at": "2026-11-20T23:30:00Z",
        "processed_by": "checkout", "metadata": {"batch": "2026-11-20/7", "till": 4},
        "payment_details": {"psp": "Bambora", "payment_id": "c0ffee00-1111-2222-3333-444444444444",
            "card": {"brand": "Visa", "type": "Credit", "masked_pan": "4444 **** **** 4448"}}});
    for _ in 0..40 {
        app.post(&format!("/orders/{order}/captures"), capture.clone()).expect(200);
    }
    let get = |query: &str| get(&app, &owner, &format!("/orders/{order}{query}")).expect(200).text;
    let page = get("");
    assert!(page.len() < 100_000, "{}", page.len());
    assert_eq!(
        (count(&page, "<tr>"), count(&page, "<article"), count(&page, "<li><time")),
        (101, 25, 25)
    );
    assert_says(&page, &["Show all 1000 lines", "Show all 41 operations", "Show all 42 events"]);
    assert_says(&page, &["and 995 more", "Too long for this page.", "?all=lines#lines"]);
    assert_says(&page, &["Show the command for all 1000 lines"]);
    let lines = get("?all=lines");
    assert_eq!((count(&lines, "<tr>"), count(&lines, "<article")), (1_001, 25));
    assert_says(&lines, &["?all=lines&#38;all=events#events"]);
    assert!(!lines.contains("Show all 1000 lines"));
    let rest = get("?all=operations&all=events");
    assert_eq!(
        (count(&rest, "<tr>"), count(&rest, "<article"), count(&rest, "<li><time")),
        (101, 41, 42)
    );
    assert!(rest.contains("1000 Stablestol") && !rest.contains("and 995 more"));
}

/// The commands on a page, as a browser would copy them.
fn commands_of(app: &App, cookie: &str, order: &str, query: &str) -> Vec<String> {
    let segment: String = form_urlencoded::byte_serialize(order.as_bytes()).collect();
    let path = format!("/orders/{segment}{query}");
    let page = get(app, cookie, &path).expect(200).text;
    let blocks = page.split("<pre data-copy tabindex=\"0\"><code>").skip(1);
    let plain = |block: &str| {
        let text = block.split("</code>").next().unwrap();
        text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
    };
    blocks.map(plain).collect()
}

/// Runs a command in a shell and parses its output.
fn run(app: &App, command: &str) -> Value {
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", command]).env("TOKEN", &app.token).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_commands_of_a_page_work_and_record_only_once() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let items = json!([{"id": "a", "gross_amount": 1_000}, {"id": "b", "gross_amount": -400}]);
    let order = json!({"currency": "NOK", "items": items, "order_id": "it's-$HOME`x`"});
    let order = app.order(order, json!({"split_draft": false}));
    let path = "/orders/it%27s-%24HOME%60x%60";
    let authorize = json!({"items": [{"line_id": 1, "amount": 700}]});
    app.post(&format!("{path}/authorizations"), authorize).expect(200);
    let commands = commands_of(&app, &owner, &order, "");
    assert_eq!(commands.len(), 2);
    assert_eq!(run(&app, &commands[0])["order_id"], order.as_str());
    let captured = run(&app, &commands[1]);
    assert_eq!((&captured["amount"], &captured["success"]), (&json!(300), &json!(true)));
    assert_eq!(run(&app, &commands[1])["id"], captured["id"], "pasted twice, recorded once");
    assert_eq!(app.get(path).expect(200).body["remaining_amount"], 0);
    assert_eq!(commands_of(&app, &owner, &order, "").len(), 1, "nothing is left to capture");
}

#[test]
fn with_several_reservations_there_is_a_command_for_each_that_holds_something() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let items: Vec<Value> =
        (0..60).map(|n| json!({"id": format!("p{n}"), "gross_amount": 1_000})).collect();
    let options = json!({"multiple_authorizations": true});
    let order = app.order(json!({"currency": "NOK", "items": items}), options);
    record(&app, &order, "authorizations", &[(1, 400)]);
    let all: Vec<(i64, i64)> = (1..=60).map(|line| (line, 500)).collect();
    record(&app, &order, "authorizations", &all);
    let page = page_of(&app, &owner, &order);
    assert_says(&page, &["Show the command for all 60 lines"]);
    assert_eq!(commands_of(&app, &owner, &order, "").len(), 2);
    let commands = commands_of(&app, &owner, &order, "?all=commands");
    assert_eq!(run(&app, &commands[1])["amount"], 400);
    assert_eq!(run(&app, &commands[2])["amount"], 30_000);
    assert_eq!(app.get(&format!("/orders/{order}")).expect(200).body["captured_amount"], 30_400);
    let cancelled = app.simple_order(&[1_000]);
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    assert_eq!(commands_of(&app, &owner, &cancelled, "").len(), 1);
}

#[test]
fn headings_and_tables_can_be_followed_without_seeing_them() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let order = order_that_gives_back(&app);
    for end in ["", "/packing-slip", "/receipt"] {
        let page = get(&app, &owner, &format!("/orders/{order}{end}")).expect(200).text;
        let levels: Vec<u32> =
            page.split("<h").skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10)).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{end} {levels:?}");
        let follow = levels.windows(2).all(|pair| pair[1] <= pair[0] + 1);
        assert!(levels[0] == 1 && follow, "{end} skips a heading: {levels:?}");
        assert_eq!(count(&page, "<th "), count(&page, "scope=\"col\""), "{end}");
        assert_eq!((count(&page, "<th>"), count(&page, "style=")), (0, 0), "{end}");
        for table in page.split("<table").skip(1) {
            let (_, id) = table.split_once("aria-labelledby=\"").unwrap();
            let id = id.split('"').next().unwrap();
            assert!(page.contains(&format!("<h2 id=\"{id}\">")), "{end} has no heading {id}");
        }
    }
}
