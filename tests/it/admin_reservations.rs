//! The form of an operation on an order with several reservations, and why money is given back.

use serde_json::json;
use tillbook::domain::role::Role;

use super::admin_operations::{Fields, Office, chairs};
use super::harness::{ACCOUNT, App};
use super::office::{get, visitor, words};

/// An order with two reservations on the chairs and one on the freight, something captured of each.
fn several<'a>(app: &'a App, cookie: &str) -> (Office<'a>, [String; 3]) {
    let options = json!({"multiple_authorizations": true});
    let order = app.order(json!({"currency": "NOK", "items": chairs()}), options);
    let office = Office::at(app, cookie, &order);
    let ids = [(1, 10_000), (1, 20_000), (2, 9_900)].map(|(line, amount)| {
        let id = office.authorize(line, amount)["id"].as_str().unwrap().to_owned();
        let items = json!([{"line_id": line, "amount": amount / 2}]);
        office.operate("captures", json!({"authorization_id": id, "items": items}));
        id
    });
    (office, ids)
}

#[test]
fn another_reservation_is_chosen_without_losing_what_was_typed() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    for kind in ["captures", "refunds", "cancellations"] {
        let (office, [first, second, freight]) = several(&app, &cookie);
        let page = office.form(&format!("{kind}?authorization_id={first}"));
        // Nothing typed yet: the form opens for the other one.
        let form = Fields::of(&page).set("authorization_id", &second);
        let opened = Fields::of(&form.send(&office, kind, "choose").expect(200));
        let expected = if kind == "captures" { "100.00" } else { "" };
        assert_eq!(opened.value("amount-1"), expected, "{kind}");
        assert_eq!((opened.value("shown"), opened.value("authorization_id")), (&*second, &*second));
        // Typed text stays in every field, with every button that does not refill it.
        for step in ["choose", "review", "record"] {
            let typed = Fields::of(&page)
                .set("amount-1", "60,50")
                .set("psp", "Vipps")
                .set("processed_at", "2026-11-18T11:30")
                .set("authorization_id", &second);
            let before = app.snapshot();
            let shown = typed.send(&office, kind, step).expect(200);
            assert_eq!(app.snapshot(), before, "only what was shown is recorded");
            let text = words(&shown);
            assert!(
                text.contains("60.50 NOK of 100.00 NOK."),
                "of the second, {kind} {step}: {text}"
            );
            let kept = Fields::of(&shown);
            let values = ["amount-1", "psp", "processed_at", "authorization_id"];
            let values = values.map(|name| kept.value(name).to_owned());
            assert_eq!(values, ["60,50", "Vipps", "2026-11-18T11:30", &*second], "{kind} {step}");
        }
        // More than the other one has is told at the line, and a line without money keeps its text.
        let form = Fields::of(&page).set("amount-1", "60").set("authorization_id", &freight);
        let refused = form.send(&office, kind, "choose").expect(200);
        assert!(words(&refused).contains("Nothing is left on this line."), "{}", words(&refused));
        let form = Fields::of(&refused).set("authorization_id", &second);
        let form = Fields::of(&form.send(&office, kind, "choose").expect(200));
        assert_eq!(form.value("amount-1"), "60");
        office.follow(&form.send(&office, kind, "record"));
        let last = office.order()[kind].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["authorization_id"], &last["amount"]), (&json!(second), &json!(6_000)));
    }
}

#[test]
fn reservations_that_look_alike_are_told_apart_by_their_ids() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({"multiple_authorizations": true}));
    let ids = [10_000, 10_000, 19_800].map(|amount| office.authorize(1, amount)["id"].clone());
    let text = words(&office.form("captures"));
    let named = |amount: &str| format!("Reservation of {amount} NOK, 18 Nov 2026 12:06");
    for id in &ids[..2] {
        let name = format!("{}, id {}…", named("100.00"), &id.as_str().unwrap()[..8]);
        assert!(text.contains(&name), "{name} in {text}");
    }
    assert!(text.contains(&format!("{} Left to capture: 198.00", named("198.00"))), "{text}");
    let page = words(&get(&app, &office.cookie, &format!("/orders/{}", office.order)));
    assert!(page.contains(ids[0].as_str().unwrap()), "the order's page has the whole id");
}

#[test]
fn amounts_that_give_back_are_told_in_english() {
    let app = App::start();
    let items = json!([{"id": "b", "gross_amount": -2_500}]);
    let office = Office::open(&app, items, json!({}));
    for (kind, noun, whole) in [("captures", "capture", "25.00"), ("refunds", "refund", "10.00")] {
        let form = |amount: &str| Fields::of(&office.form(kind)).set("amount-1", amount);
        let too_much = words(&form("26").send(&office, kind, "review"));
        assert!(too_much.contains(&format!("Only {whole} is left.")), "{too_much}");
        let refused = form("10").set("refused", "yes").send(&office, kind, "review");
        let told = format!("Record refused {noun}: give back 10.00 NOK");
        assert!(words(&refused).contains(&told), "{}", words(&refused));
        let reviewed = form("10").send(&office, kind, "review");
        let told = format!("This {noun}: give back 10.00 NOK of {whole} NOK.");
        assert!(words(&reviewed).contains(&told), "{}", words(&reviewed));
        let done = office.follow(&Fields::of(&reviewed).send(&office, kind, "record"));
        let told = format!("Recorded a {noun}: give back 10.00 NOK. ");
        assert!(words(&done).contains(&told), "{}", words(&done));
    }
    // With a line to pay, more is left to capture than to give back.
    let items = json!([{"id": "a", "gross_amount": 10_000}, {"id": "b", "gross_amount": -2_500}]);
    let options = json!({"multiple_authorizations": true});
    let office = Office::open(&app, items, options);
    let form = Fields::of(&office.form("authorizations")).set("amount-1", "");
    let told = "This reservation: give back 25.00 NOK.";
    let reviewed = words(&form.send(&office, "authorizations", "review"));
    assert!(reviewed.contains(told), "{reviewed}");
    for (line, amount) in [(2, -2_000), (1, 100)] {
        office.authorize(line, amount);
    }
    let choices = words(&office.form("captures"));
    assert!(choices.contains("Reservation: give back 20.00 NOK, 18 Nov 2026"), "{choices}");
}

#[test]
fn a_chosen_reservation_stays_chosen_when_another_user_takes_all_of_it() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let (office, [first, ..]) = several(&app, &cookie);
    let page = office.form(&format!("captures?authorization_id={first}"));
    let items = json!([{"line_id": 1, "amount": 5_000}]);
    office.operate("captures", json!({"authorization_id": first, "items": items}));
    let conflict = Fields::of(&page).send(&office, "captures", "record").expect(409);
    let kept = Fields::of(&conflict);
    assert_eq!((kept.value("authorization_id"), kept.value("amount-1")), (&*first, "50.00"));
}

#[test]
fn refunds_and_releases_ask_why_and_the_order_s_page_tells() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    office.operate("captures", json!({"items": [{"line_id": 1, "amount": 10_000}]}));
    for (kind, asked) in [
        ("refunds", "Why is it refunded?"),
        ("cancellations", "Why is it released?"),
        ("captures", ""),
        ("authorizations", ""),
    ] {
        let page = office.form(kind);
        assert_eq!(page.text.contains("name=\"why\""), !asked.is_empty(), "{kind}");
        assert!(words(&page).contains(asked), "{kind}");
        let form = Fields::of(&page).set("amount-1", "20").set("why", " Scratched <leg> ");
        if asked.is_empty() {
            form.send(&office, kind, "record").expect(400);
            continue;
        }
        let reviewed = form.send(&office, kind, "review").expect(200);
        let form = Fields::of(&reviewed);
        assert_eq!(form.value("why"), " Scratched <leg> ", "it is kept while the form is reviewed");
        let shown = words(&office.follow(&form.send(&office, kind, "record")));
        assert!(shown.contains("Why Scratched <leg> Lines 1 Stol: 20.00"), "{shown}");
        let by = "by manager-t12345678@example.no Scratched <leg> Details";
        assert!(shown.contains(by), "in the history: {shown}");
        let recorded = office.order()[kind][0].clone();
        assert_eq!(recorded["metadata"], json!({"reason": "Scratched <leg>"}), "{kind}");
        // A client's reason is shown too. A form without a reason records no metadata.
        let items = json!([{"line_id": 1, "amount": 1}]);
        let body = json!({"items": items, "metadata": {"reason": "Too late", "till": 4}});
        office.operate(kind, body);
        let none = Fields::of(&office.form(kind)).set("amount-1", "1");
        let none = Fields::of(&none.send(&office, kind, "review"));
        let shown = words(&office.follow(&none.send(&office, kind, "record")));
        assert!(shown.contains("Why Too late Lines 1 Stol: 0.01 till 4"), "{shown}");
        assert!(office.order()[kind][2].get("metadata").is_none());
    }
    // The gateway's reason for a refusal is shown beside it.
    let form = Fields::of(&office.form("refunds")).set("amount-1", "1").set("why", "Torn");
    let form = form.set("refused", "yes").set("reason", "Card expired");
    let form = Fields::of(&form.send(&office, "refunds", "review").expect(200));
    let shown = words(&office.follow(&form.send(&office, "refunds", "record")));
    assert!(shown.contains("no money moved. Reason: Card expired"), "{shown}");
    let refused = office.order()["refunds"][3]["metadata"].clone();
    assert_eq!(refused, json!({"reason": "Torn", "decline_reason": "Card expired"}));
}
