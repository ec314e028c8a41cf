//! What the page of one order says, down to its words.

use serde_json::{Value, json};
use tillbook::auth::role::Role;

use super::harness::{ACCOUNT, App};
use super::office::{get, visitor, words};

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
fn what_goes_the_other_way_says_so_everywhere() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let page = page_of(&app, &owner, &order_that_gives_back(&app));
    assert_says(
        &page,
        &[
            "Total 600.00 NOK Reserved 200.00 NOK Captured give back 300.00 NOK Released",
            "Refunded give back 100.00 NOK Left to capture 500.00 NOK",
            "2 p1 1 give back 400.00 NOK 0.00 give back 300.00 give back 100.00 0.00",
            "Refund give back 100.00 NOK",
            "2: give back 300.00",
            "Capture: give back 300.00 NOK, by",
            "Reservation of 200.00 NOK, by",
        ],
    );
    assert!(!page.contains("-300.00") && !page.contains("-100.00"), "{page}");
}

#[test]
fn the_bar_s_parts_add_up_to_the_sums_above_it() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let order = order_that_gives_back(&app);
    let page = page_of(&app, &owner, &order);
    // 500 + 500 - 200 - 100 - 100 is the total, and 200 + 100 were captured to give back.
    assert_says(
        &page,
        &["Still reserved 500.00 NOK Not reserved 500.00 NOK Given back 200.00 NOK \
           Give-back taken back 100.00 NOK Give-back not reserved 100.00 NOK Lines"],
    );
    record(&app, &order, "authorizations", &[(2, -10_000)]);
    record(&app, &order, "captures", &[(1, 50_000)]);
    assert_says(
        &page_of(&app, &owner, &order),
        &["Captured and kept 500.00 NOK Not reserved 500.00 NOK Given back 200.00 NOK \
           Reserved to give back 100.00 NOK Give-back taken back 100.00 NOK Lines"],
    );
}
