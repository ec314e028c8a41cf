//! The list of orders in the back office: tabs, filters, sorting, pages, and choosing an account.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{get, visitor, visitor_of, words};

/// Makes an order in this currency, store and total, and returns its id in paths.
fn order(app: &App, currency: &str, store: &str, total: i64, name: &str) -> String {
    let items = json!([{"id": "a", "gross_amount": total}]);
    let order = json!({"currency": currency, "items": items, "store": {"id": store},
        "customer": {"first_name": name}});
    app.order(order, json!({}))
}

fn list(app: &App, cookie: &str, query: &str) -> Reply {
    get(app, cookie, &format!("/orders?{query}")).expect(200)
}

/// The orders of a page, from the first row to the last.
fn rows(page: &Reply) -> Vec<String> {
    let cells = page.text.split("<td data-label=\"Order\">").skip(1);
    let id = |cell: &str| {
        let (_, rest) = cell.split_once("\">").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    cells.map(id).collect()
}

/// Records an operation on one line and returns its id.
fn record(app: &App, order: &str, kind: &str, line: i64, amount: i64) -> String {
    let body = json!({"items": [{"line_id": line, "amount": amount}]});
    let made = app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
    made.body["id"].as_str().unwrap().to_owned()
}

/// The target of the page's link with this text.
fn link(page: &Reply, name: &str) -> Option<String> {
    let (before, _) = page.text.split_once(&format!(">{name}</a>"))?;
    let (_, href) = before.rsplit_once("href=\"")?;
    Some(href.split('"').next().unwrap().replace("&#38;", "&"))
}

fn follow(app: &App, cookie: &str, page: &Reply, name: &str) -> Reply {
    let href = link(page, name).expect(name);
    app.send("GET", &href, &[("cookie", cookie)], None).expect(200)
}

#[test]
fn each_filter_shows_its_orders_and_tabs_count_under_it() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    assert!(words(&list(&app, &cookie, "")).contains("No orders yet."));
    let a = order(&app, "NOK", "oslo", 1_000, "Sæbjørg");
    let b = order(&app, "EUR", "bergen", 2_000, "Kari");
    let c = order(&app, "NOK", "bergen", 3_000, "Ola");
    let authorize = json!({"items": [{"line_id": 1, "amount": 1_000}]});
    app.post(&format!("/orders/{a}/authorizations"), authorize).expect(200);
    app.post(&format!("/orders/{c}/captures"), json!({"items": [{"line_id": 1, "amount": 3_000}]}))
        .expect(200);
    app.post(&format!("/orders/{c}/close"), json!({})).expect(200);
    for (query, expected) in [
        ("", vec![&c, &b, &a]),
        ("tab=to-capture", vec![&a]),
        ("tab=closed", vec![&c]),
        ("status=closed", vec![&c]),
        ("status=open", vec![&b, &a]),
        ("tab=closed&status=open", vec![]),
        ("payment_status=paid", vec![&c]),
        ("currency=EUR", vec![&b]),
        ("store=bergen", vec![&c, &b]),
        ("store=bergen&currency=NOK", vec![&c]),
        ("search=s%C3%A6b", vec![&a]),
        ("search=nobody", vec![]),
        ("from=2026-11-18&to=2026-11-18", vec![&c, &b, &a]),
        ("from=2026-11-19", vec![]),
        ("sort=oldest", vec![&a, &b, &c]),
        ("sort=oldest&store=bergen", vec![&b, &c]),
    ] {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(rows(&list(&app, &cookie, query)), expected, "{query}");
    }
    let counted = words(&list(&app, &cookie, "store=bergen"));
    let counts = "All 2 To capture 0 Partly captured 0 Refunded 0 Closed 1 Cancelled 0";
    assert!(counted.contains(counts), "{counted}");
}

#[test]
fn an_invalid_filter_has_its_error_beside_it_and_shows_no_order() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    order(&app, "NOK", "oslo", 1_000, "Kari");
    for (name, value, expected) in [
        ("status", "lost", "There is no such status."),
        ("payment_status", "lost", "There is no such payment status."),
        ("currency", "XXX", "There is no such currency."),
        ("store", "nowhere", "No orders from this store."),
        ("from", "tomorrow", "Not a valid date. Write it as 2026-11-23."),
        ("to", "2026-11-31", "Not a valid date. Write it as 2026-11-23."),
        ("search", "a-b-c-d-e-f-g-h-i", "Search for at most 8 words."),
        ("search", &"x".repeat(201), "Search for at most 200 characters."),
    ] {
        let page = list(&app, &cookie, &format!("{name}={value}"));
        assert!(words(&page).contains(expected), "{name}: {}", words(&page));
        assert!(words(&page).contains("A filter is invalid."));
        assert!(page.text.contains(&format!("aria-describedby=\"problem-{name}\"")));
        assert!(page.text.contains(&format!("value=\"{value}\"")), "{name} is kept");
        assert_eq!(rows(&page), Vec::<String>::new());
    }
    let page = words(&list(&app, &cookie, "from=2026-11-20&to=2026-11-19"));
    assert!(page.contains("The last day is before the first."), "{page}");
    get(&app, &cookie, "/orders?tab=nonsense").expect(404);
    get(&app, &cookie, "/orders?after=nothing").expect(404);
}

#[test]
fn every_sort_pages_to_the_last_order_while_orders_arrive() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let mut made: Vec<(i64, String)> = (0..60)
        .map(|n: i64| {
            let total = (n * 37) % 60 * 100;
            (total, app.simple_order(&[total]))
        })
        .collect();
    for sort in ["newest", "oldest", "total-high", "total-low"] {
        let mut expected = made.clone();
        match sort {
            "oldest" => {}
            "total-high" => expected.sort_by_key(|(total, _)| std::cmp::Reverse(*total)),
            "total-low" => expected.sort_by_key(|(total, _)| *total),
            _ => expected.reverse(),
        }
        let first = list(&app, &cookie, &format!("sort={sort}"));
        assert!(first.text.len() < 100_000, "{}", first.text.len());
        // Orders that arrive meanwhile are the newest, the cheapest or the most expensive.
        let arrived = app.simple_order(&[if sort == "total-high" { 999_999 } else { 0 }]);
        let second = follow(&app, &cookie, &first, "Next");
        let seen: Vec<String> = [rows(&first), rows(&second)].concat();
        let before: Vec<String> = seen.iter().filter(|id| **id != arrived).cloned().collect();
        let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
        assert_eq!(rows(&first), expected[..50], "{sort}");
        let (mut some, mut all) = (before.clone(), expected.clone());
        some.sort();
        all.sort();
        assert_eq!(some, all, "{sort} shows each order once");
        assert_eq!(link(&second, "Next"), None);
        assert_eq!(rows(&follow(&app, &cookie, &second, "First page")).len(), 50);
        made.push((if sort == "total-high" { 999_999 } else { 0 }, arrived));
    }
    let page = list(&app, &cookie, "sort=total-low");
    assert!(page.text.contains("aria-sort=\"ascending\""));
    let unsortable = words(&list(&app, &cookie, "sort=total-low&search=x"));
    assert!(unsortable.contains("sorted newest first"), "{unsortable}");
}

#[test]
fn an_order_to_capture_has_a_button_for_roles_that_may_capture() {
    let app = App::start();
    let order = app.simple_order(&[1_000]);
    let authorize = json!({"items": [{"line_id": 1, "amount": 1_000}]});
    app.post(&format!("/orders/{order}/authorizations"), authorize).expect(200);
    let href = format!("/admin/{ACCOUNT}/orders/{order}/captures");
    for (role, tab, expected) in [
        (Role::Packer, "to-capture", Some(href.clone())),
        (Role::Packer, "all", None),
        (Role::Viewer, "to-capture", None),
    ] {
        let cookie = visitor_of(&app, role, &[ACCOUNT]);
        let page = list(&app, &cookie, &format!("tab={tab}"));
        assert_eq!(link(&page, "Capture"), expected, "{role:?} in {tab}");
        assert_eq!(page.text.contains("aria-current=\"page\">To capture</a>"), tab != "all");
    }
}

#[test]
fn the_to_capture_tab_has_every_order_that_holds_money_on_a_line() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let waiting_in = |query: &str| rows(&list(&app, &cookie, query));
    let part = app.simple_order(&[1_000]);
    record(&app, &part, "authorizations", 1, 1_000);
    record(&app, &part, "captures", 1, 999);
    let closed = app.simple_order(&[1_000]);
    record(&app, &closed, "authorizations", 1, 1_000);
    app.post(&format!("/orders/{closed}/close"), json!({})).expect(200);
    // The amounts held on the two lines add up to 0, and each can still be captured.
    let swap = app.simple_order(&[1_000, -1_000]);
    record(&app, &swap, "authorizations", 1, 1_000);
    record(&app, &swap, "authorizations", 2, -1_000);
    let refunded = app.simple_order(&[1_000, 500]);
    record(&app, &refunded, "authorizations", 1, 1_000);
    record(&app, &refunded, "authorizations", 2, 500);
    record(&app, &refunded, "captures", 1, 1_000);
    record(&app, &refunded, "refunds", 1, 1_000);
    let item = json!({"id": "a", "gross_amount": 1_000});
    let several = json!({"currency": "NOK", "items": [item]});
    let several = app.order(several, json!({"multiple_authorizations": true}));
    let first = record(&app, &several, "authorizations", 1, 400);
    record(&app, &several, "authorizations", 1, 600);
    let capture = json!({"authorization_id": first, "items": [{"line_id": 1, "amount": 400}]});
    app.post(&format!("/orders/{several}/captures"), capture).expect(200);

    let done = app.simple_order(&[1_000]);
    record(&app, &done, "authorizations", 1, 1_000);
    record(&app, &done, "captures", 1, 1_000);
    let released = app.simple_order(&[1_000]);
    record(&app, &released, "authorizations", 1, 1_000);
    record(&app, &released, "cancellations", 1, 1_000);
    let direct = app.simple_order(&[1_000]);
    record(&app, &direct, "captures", 1, 400);
    let cancelled = app.simple_order(&[1_000]);
    record(&app, &cancelled, "authorizations", 1, 1_000);
    app.post(&format!("/orders/{cancelled}/cancel"), json!({})).expect(200);
    app.simple_order(&[1_000]);

    let waiting = [&cancelled, &several, &refunded, &swap, &closed, &part].map(String::clone);
    assert_eq!(waiting_in("tab=to-capture"), waiting);
    assert!(words(&list(&app, &cookie, "")).contains("To capture 6"));
    let oldest: Vec<String> = waiting.into_iter().rev().collect();
    assert_eq!(waiting_in("tab=to-capture&sort=oldest"), oldest);
    assert_eq!(waiting_in("tab=to-capture&status=closed"), [closed]);
    assert_eq!(waiting_in("tab=to-capture&payment_status=refunded"), [refunded]);
    assert_eq!(waiting_in("tab=to-capture&status=cancelled"), std::slice::from_ref(&cancelled));
    for query in ["tab=to-capture", "tab=cancelled", ""] {
        let text = words(&list(&app, &cookie, query));
        let expected = "Cancelled, to release Reserved 10.00 NOK 0.00 NOK 10.00 NOK to release";
        assert!(text.contains(expected), "{query}: {text}");
    }
    let text = words(&list(&app, &cookie, "tab=to-capture"));
    assert!(text.contains("10.00 NOK and give back 10.00 NOK"), "a sum of 0 hides both: {text}");
    let api = app.get(&format!("/orders/{cancelled}")).expect(200).body;
    assert_eq!(api["remaining_amount"], 0);
    record(&app, &cancelled, "cancellations", 1, 400);
    assert!(waiting_in("tab=to-capture").contains(&cancelled), "a part of it is still reserved");
    record(&app, &cancelled, "cancellations", 1, 600);
    assert!(!waiting_in("tab=to-capture").contains(&cancelled), "its release is recorded");
    let second = app.get(&format!("/orders/{several}")).expect(200);
    let second = second.body["authorizations"][1]["id"].as_str().unwrap().to_owned();
    let rest = json!({"authorization_id": second, "items": [{"line_id": 1, "amount": 600}]});
    app.post(&format!("/orders/{several}/captures"), rest).expect(200);
    assert!(!waiting_in("tab=to-capture").contains(&several), "all of it is captured");
}

#[test]
fn a_user_of_several_accounts_chooses_one_by_name() {
    let app = App::start();
    app.make_account("T00000002");
    let order = app.simple_order(&[1_000]);
    let authorize = json!({"items": [{"line_id": 1, "amount": 1_000}]});
    app.post(&format!("/orders/{order}/authorizations"), authorize).expect(200);
    let home = |cookie: &str| app.send("GET", "/admin", &[("cookie", cookie)], None);
    let none = words(&home(&visitor_of(&app, Role::Viewer, &[])).expect(200));
    assert!(none.contains("You have no shops yet."), "{none}");
    let one = visitor_of(&app, Role::Viewer, &[ACCOUNT]);
    let orders = format!("/admin/{ACCOUNT}/orders");
    assert_eq!(home(&one).expect(303).header("location"), Some(orders.as_str()));
    assert!(!words(&list(&app, &one, "")).contains("Switch account"));
    let two = visitor_of(&app, Role::Owner, &["T00000002", ACCOUNT]);
    let page = words(&home(&two).expect(200));
    let expected = format!("Butikken på hjørnet T00000002 0 Butikken på hjørnet {ACCOUNT} 1");
    assert!(page.contains(&expected), "{page}");
    let list = words(&list(&app, &two, ""));
    assert!(list.contains(&format!("Butikken på hjørnet {ACCOUNT} Switch account")), "{list}");
}

#[test]
fn long_names_are_cut_and_negative_totals_are_put_in_words() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let long = "Ø".repeat(300);
    let items: Value = json!([{"id": "a", "gross_amount": -500}]);
    let customer = json!({"first_name": long});
    app.order(json!({"currency": "NOK", "items": items, "customer": customer}), json!({}));
    let page = list(&app, &cookie, "");
    assert!(words(&page).contains(&format!("{}… Open", "Ø".repeat(60))));
    assert!(page.text.contains(&format!("title=\"{}…\"", "Ø".repeat(200))));
    assert!(words(&page).contains("give back 5.00 NOK"), "{}", words(&page));
}

/// One word for one status: what a row says, the filter that finds it says too.
#[test]
fn the_filter_names_each_payment_status_as_the_rows_do() {
    let app = App::start();
    let cookie = visitor(&app, Role::Viewer, ACCOUNT);
    let made = |operations: &[(&str, i64)]| {
        let order = app.simple_order(&[100]);
        for (kind, amount) in operations {
            let body = json!({"items": [{"line_id": 1, "amount": amount}]});
            app.post(&format!("/orders/{order}/{kind}"), body).expect(200);
        }
    };
    made(&[]);
    made(&[("authorizations", 100)]);
    made(&[("captures", 40)]);
    made(&[("captures", 100)]);
    made(&[("captures", 100), ("refunds", 40)]);
    made(&[("captures", 100), ("refunds", 100)]);
    let page = get(&app, &cookie, "/orders").expect(200).text;
    let (_, select) = page.split_once("name=\"payment_status\"").unwrap();
    let (select, _) = select.split_once("</select>").unwrap();
    let choices: Vec<(&str, &str)> = select
        .split("<option value=\"")
        .skip(2)
        .map(|rest| rest.split_once("\">").unwrap())
        .map(|(word, rest)| (word, rest.split('<').next().unwrap()))
        .collect();
    assert_eq!(choices.len(), 5);
    let mut seen = BTreeSet::new();
    for (word, name) in choices {
        let listed = get(&app, &cookie, &format!("/orders?payment_status={word}")).expect(200).text;
        for row in listed.split("data-label=\"Payment\"").skip(1) {
            let (_, shown) = row.split_once("\">").unwrap();
            let shown = shown.split('<').next().unwrap().to_owned();
            assert!(name.to_lowercase().contains(&shown.to_lowercase()), "{shown} is in {name}");
            seen.insert(shown);
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
}
