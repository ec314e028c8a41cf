//! Recording operations with the form: its text, and that it records an operation only once.

use serde_json::{Value, json};
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::http_client::Reply;
use super::office::{form_fields, get, send_form, visitor, words};

/// The fields of the form on a page, as a browser would send them.
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    pub fn of(page: &Reply) -> Fields {
        Fields(form_fields(page))
    }

    pub fn set(mut self, name: &str, value: &str) -> Fields {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn value(&self, name: &str) -> &str {
        &self.0.iter().find(|(known, _)| known == name).expect(name).1
    }

    pub fn send(&self, office: &Office<'_>, kind: &str, button: &str) -> Reply {
        let mut fields: Vec<(&str, &str)> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("button", button));
        send_form(office.app, &office.cookie, &format!("/orders/{}/{kind}", office.order), &fields)
    }
}

/// A signed-in user and an order.
pub struct Office<'a> {
    pub app: &'a App,
    pub cookie: String,
    pub order: String,
}

impl<'a> Office<'a> {
    /// A manager, and an order with these lines.
    pub fn open(app: &'a App, items: Value, options: Value) -> Office<'a> {
        let order = app.order(json!({"currency": "NOK", "items": items}), options);
        let cookie = visitor(app, Role::Manager, ACCOUNT);
        Office { app, cookie, order }
    }

    /// A user who is signed in already.
    pub fn at(app: &'a App, cookie: &str, order: &str) -> Office<'a> {
        Office { app, cookie: cookie.to_owned(), order: order.to_owned() }
    }

    pub fn form(&self, path: &str) -> Reply {
        let page = get(self.app, &self.cookie, &format!("/orders/{}/{path}", self.order));
        if page.status == 303 { self.follow(&page) } else { page.expect(200) }
    }

    pub fn operate(&self, kind: &str, body: Value) -> Value {
        self.app.post(&format!("/orders/{}/{kind}", self.order), body).expect(200).body
    }

    pub fn authorize(&self, line_id: i64, amount: i64) -> Value {
        self.operate("authorizations", json!({"items": [{"line_id": line_id, "amount": amount}]}))
    }

    pub fn order(&self) -> Value {
        self.app.get(&format!("/orders/{}", self.order)).expect(200).body
    }

    pub fn captures(&self) -> usize {
        self.app.get(&format!("/orders/{}/captures", self.order)).expect(200).body["captures"]
            .as_array()
            .unwrap()
            .len()
    }

    /// The page that a redirect leads to.
    pub fn follow(&self, reply: &Reply) -> Reply {
        let path = reply.clone().expect(303).header("location").unwrap().to_owned();
        self.app.send("GET", &path, &[("cookie", &self.cookie)], None).expect(200)
    }
}

pub fn chairs() -> Value {
    json!([{"id": "stol", "description": "Stol", "quantity": 5, "gross_amount": 39_800},
           {"id": "frakt", "description": "Frakt", "gross_amount": 9_900}])
}

#[test]
fn the_form_suggests_all_that_is_left_and_one_press_records_it() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    office.authorize(2, 9_900);
    let page = office.form("captures");
    let text = words(&page);
    for expected in [
        "Order total 497.00 NOK Captured 0.00 NOK Left to capture 497.00 NOK",
        "This captures 497.00 NOK of 497.00 NOK. Nothing is left after that.",
        "The order's payment becomes Captured",
        "Record capture 497.00 NOK Charge it at your payment provider first",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let fields = Fields::of(&page);
    assert_eq!((fields.value("amount-1"), fields.value("amount-2")), ("398.00", "99.00"));
    let done = fields.send(&office, "captures", "record");
    let shown = words(&office.follow(&done));
    let told = "Recorded a capture of 497.00 NOK. The order's payment is now: Captured.";
    assert!(shown.contains(told) && !shown.contains("stays reserved"), "{shown}");
    let capture = &office.order()["captures"][0];
    assert_eq!(capture["amount"], 49_700);
    let again = words(&office.form("captures"));
    assert!(again.contains("Nothing is left to capture."), "{again}");
    assert!(!again.contains("Enter an amount"), "nothing can be typed: {again}");
}

#[test]
fn a_part_is_reviewed_before_it_is_recorded_and_the_rest_can_be_released() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    let typed = Fields::of(&office.form("captures")).set("amount-1", "120,5").set("amount-2", "");
    let before = app.snapshot();
    let unseen = typed.send(&office, "captures", "record").expect(200);
    assert!(
        words(&unseen).contains("This is what would be recorded now. Nothing has been recorded")
    );
    assert_eq!(app.snapshot(), before, "nothing is recorded before the page has shown it");
    let text = words(&unseen);
    assert!(text.contains("This captures 120.50 NOK of 497.00 NOK. 277.50 NOK stays reserved."));
    assert!(text.contains("becomes Partly captured"), "{text}");
    let done = Fields::of(&unseen).send(&office, "captures", "record");
    let page = office.follow(&done);
    assert!(words(&page).contains("277.50 NOK stays reserved. To keep it reserved, do nothing"));
    let release = Fields::of(&office.form("cancellations"));
    assert_eq!(release.value("amount-1"), "", "a release starts empty");
    let release = Fields::of(&release.send(&office, "cancellations", "all"));
    assert_eq!(release.value("amount-1"), "277.50");
    let text = words(&office.follow(&release.send(&office, "cancellations", "record")));
    assert!(text.contains("Recorded a release of 277.50 NOK."), "{text}");
    let order = office.order();
    let sums = ["captured_amount", "cancelled_amount"].map(|sum| order[sum].clone());
    assert_eq!(sums, [json!(12_050), json!(27_750)]);
}

#[test]
fn reloading_going_back_and_pressing_twice_show_the_first_capture() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    let form = Fields::of(&office.form("captures")).set("amount-2", "");
    let form = Fields::of(&form.send(&office, "captures", "review").expect(200));
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let presses: Vec<_> =
            (0..6).map(|_| scope.spawn(|| form.send(&office, "captures", "record"))).collect();
        presses.into_iter().map(|press| press.join().unwrap()).collect()
    });
    let first = replies[0].header("location").unwrap();
    for reply in &replies {
        assert_eq!((reply.status, reply.header("location")), (303, Some(first)));
    }
    let reload = form.send(&office, "captures", "record").expect(303);
    assert_eq!(reload.header("location"), Some(first));
    assert_eq!(office.captures(), 1);
    let back = format!("/orders/{}/captures?key={}", office.order, form.value("key"));
    let back = get(&app, &office.cookie, &back).expect(303);
    assert_eq!(back.header("location"), Some(first), "going back shows what was recorded");
    let before = app.snapshot();
    let other = form.set("amount-1", "1").send(&office, "captures", "record").expect(409);
    assert!(
        words(&other).contains("This form has already been recorded, with something else in it.")
    );
    assert_eq!(app.snapshot(), before);
}

#[test]
fn the_second_of_two_people_keeps_their_input_and_sees_who_captured_what() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    let form = Fields::of(&office.form("captures")).set("amount-1", "300").set("psp", "Vipps");
    let form = Fields::of(&form.send(&office, "captures", "review").expect(200));
    office.operate("captures", json!({"items": [{"line_id": 1, "amount": 20_000}]}));
    let before = app.snapshot();
    let conflict = form.send(&office, "captures", "record").expect(409);
    assert_eq!(app.snapshot(), before);
    let text = words(&conflict);
    for expected in [
        "The order changed while this form was open. Nothing was recorded.",
        "test captured 200.00 on line 1, 18 Nov 2026 12:06.",
        "198.00 changed",
        "Only 198.00 is left.",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let kept = Fields::of(&conflict);
    assert_eq!((kept.value("amount-1"), kept.value("psp")), ("300", "Vipps"));
    assert_ne!(kept.value("key"), form.value("key"), "a refusal settles the old key");
    let mended = Fields::of(&kept.set("amount-1", "198").send(&office, "captures", "review"));
    office.follow(&mended.send(&office, "captures", "record"));
    assert_eq!(office.order()["captures"][1]["payment_details"], json!({"psp": "Vipps"}));
}

#[test]
fn a_capture_that_still_fits_is_shown_again_after_another_user_s_capture() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    let form = Fields::of(&office.form("captures")).set("amount-1", "100");
    let form = Fields::of(&form.set("amount-2", "").send(&office, "captures", "review"));
    office.operate("captures", json!({"items": [{"line_id": 1, "amount": 10_000}]}));
    let shown = form.send(&office, "captures", "record").expect(409);
    assert!(words(&shown).contains("test captured 100.00 on line 1"));
    assert_eq!(office.captures(), 1, "two people with one parcel do not capture it twice");
    office.follow(&Fields::of(&shown).send(&office, "captures", "record"));
    assert_eq!(office.captures(), 2, "unless they confirm it");
}

#[test]
fn a_failure_that_leaves_the_outcome_open_keeps_the_key_for_the_next_press() {
    let mut app = App::start();
    let (cookie, order) = {
        let office = Office::open(&app, chairs(), json!({}));
        (office.cookie, office.order)
    };
    let form = Fields::of(&Office::at(&app, &cookie, &order).form("captures"));
    app.stop_writing();
    let unclear = form.send(&Office::at(&app, &cookie, &order), "captures", "record").expect(503);
    let text = words(&unclear);
    assert!(text.contains("it is not known whether this was recorded"), "{text}");
    assert!(
        text.contains("You can press the button again: the form is recorded only once."),
        "{text}"
    );
    let kept = Fields::of(&unclear);
    assert_eq!(kept.value("key"), form.value("key"));
    app.restart();
    let office = Office::at(&app, &cookie, &order);
    let done = kept.send(&office, "captures", "record");
    office.follow(&done);
    assert_eq!(office.captures(), 1);
}

#[test]
fn a_quantity_is_an_amount_and_the_last_one_takes_the_rest() {
    let app = App::start();
    let items = json!([{"id": "a", "quantity": 3, "gross_amount": 10_000}]);
    let office = Office::open(&app, items, json!({}));
    let capture = |quantity: &str| {
        let form = Fields::of(&office.form("captures")).set("amount-1", "");
        let page = form.set("quantity-1", quantity).send(&office, "captures", "review").expect(200);
        let form = Fields::of(&page);
        assert_eq!((form.value("quantity-1"), form.value("amount-1")), (quantity, ""));
        office.follow(&form.send(&office, "captures", "record"));
        let captures = office.order()["captures"].as_array().unwrap().clone();
        captures.last().unwrap()["amount"].as_i64().unwrap()
    };
    assert_eq!(["1", "1,0", "1"].map(capture), [3_333, 3_333, 3_334]);
    assert_eq!(office.order()["payment_status"], "paid");
}

#[test]
fn a_quantity_is_shown_and_typed_at_six_decimals_and_kept_as_sent() {
    for (sent, shown) in [
        ("0.30000000000000004", "0.3"),
        ("2.9999999999999996", "3"),
        ("1.2000000", "1.2"),
        ("2.5e0", "2.5"),
        ("0.123456", "0.123456"),
    ] {
        let app = App::start();
        let items: Value = serde_json::from_str(&format!(
            r#"[{{"id": "a", "description": "Vare", "quantity": {sent}, "gross_amount": 10000}}]"#
        ))
        .unwrap();
        let office = Office::open(&app, items.clone(), json!({}));
        let page = words(&office.form("captures"));
        assert!(page.contains(&format!(" {shown} ")), "{sent}: {page}");
        assert!(!page.contains(sent) || sent == shown, "{sent}: {page}");
        let form = Fields::of(&office.form("captures")).set("quantity-1", shown);
        let form = Fields::of(&form.send(&office, "captures", "review").expect(200));
        assert_eq!(form.value("amount-1"), "100.00", "{sent}");
        assert_eq!(office.order()["items"][0]["quantity"], items[0]["quantity"], "{sent}");
    }
}

#[test]
fn an_invalid_amount_is_marked_at_its_field() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    let form = || Fields::of(&office.form("captures"));
    let before = app.snapshot();
    for (name, value, expected) in [
        ("amount-1", "1.005", "Did you mean 1 005.00 or 1.005? NOK has 2 decimals."),
        ("amount-1", "1.0000", "NOK has 2 decimals."),
        ("amount-1", "much", "Enter an amount such as 120.00, or leave it empty."),
        ("amount-1", "5.", "Enter an amount such as 120.00, or leave it empty."),
        ("amount-1", ".500", "Did you mean 500.00 or 0.50?"),
        ("amount-1", "-5", "Enter the amount without a minus sign."),
        ("amount-1", "99999999999999", "The amount is too large."),
        ("amount-1", "398.01", "Only 398.00 is left."),
        ("quantity-1", "6", "The order has 5 of these. Enter at most 5."),
        ("quantity-1", "5.", "Enter how many of the 5, or an amount."),
        ("quantity-1", "some", "Enter how many of the 5, or an amount."),
        ("processed_at", "yesterday", "Not a valid time. Write it as 2026-11-23T10:00."),
        ("card_masked_pan", "4242 4242 4242 4242", "This contains a whole card number"),
        ("metadata", "no value", "Write one name: value per line."),
        ("metadata", "a: 1\na: 2", "a is given twice."),
        ("amount-7", "1", "The form has a field that this order does not have. Reload it."),
        ("success", "false", "The form has a field that this order does not have. Reload it."),
    ] {
        let form = if name == "quantity-1" { form().set("amount-1", "") } else { form() };
        let reply = form.set(name, value).send(&office, "captures", "record");
        let text = words(&reply);
        assert!(text.contains(expected), "{name}={value}: {expected} in {text}");
        assert!(matches!(reply.status, 400 | 409), "{name}={value} {}", reply.status);
        assert!(!text.contains("Record capture"), "no button for an impossible operation");
    }
    let empty = form().send(&office, "captures", "clear").expect(200);
    assert!(words(&empty).contains("Enter an amount on at least one line."));
    let filled = Fields::of(&Fields::of(&empty).send(&office, "captures", "all"));
    assert_eq!(filled.value("amount-2"), "99.00");
    assert_eq!(app.snapshot(), before);
}

#[test]
fn every_field_of_a_capture_s_form_is_kept() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    let form = Fields::of(&office.form("captures"))
        .set("processed_at", "2026-11-18T11:30")
        .set("psp", "Vipps")
        .set("payment_id", "P-1")
        .set("payment_product", "vipps")
        .set("payment_product_type", "vipps.ecom")
        .set("card_brand", "Visa")
        .set("card_masked_pan", "4444 **** **** 4448")
        .set("metadata", "parcel: 370\nshelf: A: 3")
        .set("refused", "yes")
        .set("reason", "Expired card");
    let page = form.send(&office, "captures", "review").expect(200);
    let text = words(&page);
    assert!(text.contains("Record refused capture 497.00 NOK") && text.contains("no money moves"));
    // A textarea is not an `input` element, so its value is set again.
    let form = Fields::of(&page).set("metadata", "parcel: 370\nshelf: A: 3");
    let shown = words(&office.follow(&form.send(&office, "captures", "record")));
    assert!(shown.contains("Recorded that the gateway refused a capture of 497.00 NOK."));
    let order = office.order();
    let capture = &order["captures"][0];
    let expected = json!({"psp": "Vipps", "payment_id": "P-1", "payment_product": "vipps",
        "payment_product_type": "vipps.ecom",
        "card": {"brand": "Visa", "masked_pan": "4444 **** **** 4448"}});
    assert_eq!(capture["payment_details"], expected);
    let metadata = json!({"reason": "Expired card", "parcel": "370", "shelf": "A: 3"});
    assert_eq!(capture["metadata"], metadata);
    assert_eq!(capture["processed_at"], "2026-11-18T10:30:00.000Z");
    assert_eq!((&capture["success"], &order["captured_amount"]), (&json!(false), &json!(0)));
}

#[test]
fn one_of_several_reservations_is_chosen_first() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({"multiple_authorizations": true}));
    let nothing = words(&office.form("captures"));
    assert!(nothing.contains("Nothing is left to capture."), "{nothing}");
    let first = office.authorize(1, 10_000)["id"].as_str().unwrap().to_owned();
    let only = Fields::of(&office.form("captures"));
    assert_eq!(only.value("authorization_id"), first, "the only one is chosen");
    let second = office.authorize(1, 20_000)["id"].as_str().unwrap().to_owned();
    let choose = office.form("captures");
    let text = words(&choose);
    assert!(text.contains("Choose the reservation that this draws on."), "{text}");
    assert!(text.contains("Left to capture 300.00 NOK"), "the sum of both: {text}");
    assert!(!text.contains("Enter an amount"), "nothing can be typed yet: {text}");
    assert!(text.contains("Reservation of 200.00 NOK, 18 Nov 2026 12:06 Left to capture: 200.00"));
    let chosen = Fields::of(&choose).set("authorization_id", &second);
    let chosen = Fields::of(&chosen.send(&office, "captures", "choose").expect(200));
    assert_eq!(chosen.value("amount-1"), "200.00", "its form opens with what is left");
    let form = Fields::of(&office.form(&format!("captures?authorization_id={second}")));
    assert_eq!(form.value("amount-1"), "200.00");
    office.follow(&form.send(&office, "captures", "record"));
    let order = office.order();
    assert_eq!(order["captures"][0]["authorization_id"], json!(second));
    let refund = Fields::of(&office.form("refunds"));
    assert_eq!(refund.value("authorization_id"), second, "the only one with something kept");
}

#[test]
fn an_order_of_any_length_is_one_form_that_keeps_what_was_typed() {
    let app = App::start();
    let item = |n: usize| {
        json!({"id": format!("p{n}"), "description": "Vare", "quantity": 2,
        "gross_amount": 1_000 + n})
    };
    let items: Vec<Value> = (0..1_000).map(item).collect();
    let office = Office::open(&app, json!(items), json!({}));
    let page = office.form("captures");
    assert!(page.text.len() < 300_000, "{}", page.text.len());
    let order_page = format!("/orders/{}?all=lines", office.order);
    let order_page = get(&app, &office.cookie, &order_page).expect(200);
    assert!(words(&order_page).contains(" 1000 Vare 2 19.99 NOK "), "the last line is missing");
    assert!(order_page.text.len() < 300_000, "{}", order_page.text.len());
    let text = words(&page);
    assert!(!text.contains("Lines after") && text.contains("and 980 more lines"));
    assert!(text.contains("Record capture 14 995.00 NOK"), "all of all lines");
    let cleared = Fields::of(&Fields::of(&page).send(&office, "captures", "clear"));
    let typed = cleared.set("amount-1", "1").set("quantity-500", "1").set("amount-1000", "9.99");
    let page = Fields::of(&typed.send(&office, "captures", "review"));
    let boxes = ["amount-1", "quantity-500", "amount-500", "amount-1000", "amount-2"];
    assert_eq!(boxes.map(|name| page.value(name)), ["1", "1", "", "9.99", ""]);
    office.follow(&page.send(&office, "captures", "record"));
    assert_eq!(office.order()["captured_amount"], 100 + 749 + 999);
    let rest = Fields::of(&office.form("captures"));
    let done = office.follow(&rest.send(&office, "captures", "record"));
    assert!(words(&done).contains("The order's payment is now: Captured."));
}

#[test]
fn a_form_of_a_thousand_full_lines_is_not_too_long() {
    let app = App::start();
    let last = 9_007_199_254_740_991_i64;
    let item = |n: i64| {
        let line_id = last - 999 + n;
        json!({"id": "a", "line_id": line_id, "gross_amount": 1_000, "quantity": 3})
    };
    let items: Vec<Value> = (0..1_000).map(item).collect();
    let office = Office::open(&app, json!(items), json!({}));
    let nonsense = "9 007 199 254 740.99 and more than anybody would type here";
    let mut form = Fields::of(&office.form("captures"));
    for (name, value) in &mut form.0 {
        if name.starts_with("amount-") || name.starts_with("quantity-") {
            nonsense.clone_into(value);
        }
    }
    let page = form.send(&office, "captures", "record").expect(400);
    let name = format!("amount-{last}");
    assert_eq!(Fields::of(&page).value(&name), nonsense);
}

#[test]
fn what_is_typed_is_never_recorded_as_another_amount() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let ambiguous = |currency: &str| match currency {
        "ISK" => ("12.000", "Did you mean 12 000 or 12?", 12_000, 12),
        "JPY" => ("1,000", "Did you mean 1 000 or 1?", 1_000, 1),
        "NOK" => ("1.000", "Did you mean 1 000.00 or 1.00?", 100_000, 100),
        _ => ("12.345", "Did you mean 12 345.000 or 12.345?", 12_345_000, 12_345),
    };
    for currency in ["ISK", "JPY", "NOK", "KWD"] {
        let (typed, asked, grouped, decimal) = ambiguous(currency);
        for (kind, pick) in
            [("captures", grouped), ("captures", decimal), ("authorizations", decimal)]
        {
            let order = json!({"currency": currency,
                "items": [{"id": "a", "gross_amount": 50_000_000}]});
            let order = app.order(order, json!({}));
            let office = Office::at(&app, &cookie, &order);
            let form = Fields::of(&office.form(kind)).set("amount-1", typed);
            let before = app.snapshot();
            let refused = form.send(&office, kind, "record").expect(400);
            assert!(words(&refused).contains(asked), "{asked} in {}", words(&refused));
            assert_eq!(app.snapshot(), before);
            // The button of a reading.
            let button = format!("name=\"reading-1\" value=\"{pick}\"");
            assert!(refused.text.contains(&button), "{button}");
            let form = Fields::of(&refused).set("reading-1", &pick.to_string());
            let form = Fields::of(&form.send(&office, kind, "review").expect(200));
            office.follow(&form.send(&office, kind, "record"));
            assert_eq!(office.order()[kind][0]["amount"], pick, "{currency}");
        }
    }
}

#[test]
fn an_amount_that_the_page_wrote_itself_is_read_back_in_every_currency() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    for (currency, whole) in [("ISK", 12_345), ("NOK", 123_456), ("KWD", 12_345), ("CLF", 12_340)] {
        let order = json!({"currency": currency, "items": [{"id": "a", "gross_amount": whole}]});
        let office = Office::at(&app, &cookie, &app.order(order, json!({})));
        let page = office.form("captures");
        office.follow(&Fields::of(&page).send(&office, "captures", "record"));
        assert_eq!(office.order()["captured_amount"], whole, "{currency}");
    }
}

#[test]
fn of_a_line_s_two_boxes_each_is_checked_and_they_may_not_differ() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    let before = app.snapshot();
    for (quantity, amount, expected) in [
        ("1", "100", "Fill in one of the two: 1 of 5 is 79.60, the amount says 100.00."),
        ("1", "0", "Fill in one of the two: 1 of 5 is 79.60, the amount says 0.00."),
        (
            "1",
            "much",
            "1 of 5 is 79.60, the amount is invalid. Enter an amount such as 120.00, or leave it",
        ),
        ("1", "1.000", "the amount is invalid. Did you mean 1 000.00 or 1.00?"),
        ("6", "100", "the quantity is invalid. The order has 5 of these. Enter at most 5. And the"),
        ("1.000", "100", "the quantity is invalid. Did you mean 1000 or 1? Write it like that."),
        ("x", "y", "And the amount is invalid. Enter an amount such as 120.00"),
    ] {
        let form = Fields::of(&office.form("captures")).set("amount-2", "");
        let form = form.set("quantity-1", quantity).set("amount-1", amount);
        let reply = form.send(&office, "captures", "record").expect(400);
        let text = words(&reply);
        assert!(text.contains(expected), "{expected} in {text}");
        let kept = Fields::of(&reply);
        assert_eq!((kept.value("quantity-1"), kept.value("amount-1")), (quantity, amount));
    }
    let twice = Fields::of(&office.form("captures"));
    let twice = Fields([twice.0, vec![("amount-1".to_owned(), "1".to_owned())]].concat());
    let reply = twice.send(&office, "captures", "record").expect(400);
    assert!(words(&reply).contains("The form has a field twice. Reload it."));
    assert_eq!(app.snapshot(), before);
}

#[test]
fn refunds_and_releases_start_empty_and_captures_with_what_is_left() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    office.authorize(1, 39_800);
    office.operate("captures", json!({"items": [{"line_id": 1, "amount": 10_000}]}));
    for (kind, expected) in [("captures", "298.00"), ("refunds", ""), ("cancellations", "")] {
        let page = office.form(kind);
        assert_eq!(Fields::of(&page).value("amount-1"), expected, "{kind}");
    }
    // The link that offers to release what a capture left asks for all of it.
    let all = office.form("cancellations?fill=all");
    assert_eq!(Fields::of(&all).value("amount-1"), "298.00");
}

#[test]
fn lines_that_give_back_are_marked_and_take_amounts_without_a_sign() {
    let app = App::start();
    let items = json!([{"id": "a", "gross_amount": 10_000}, {"id": "b", "gross_amount": -39_800}]);
    let office = Office::open(&app, items, json!({}));
    let page = office.form("captures");
    let text = words(&page);
    assert!(text.contains("Record capture: give back 298.00 NOK"), "{text}");
    assert!(text.contains("2 b: give back 398.00"), "{text}");
    let form = Fields::of(&page);
    assert_eq!(form.value("amount-2"), "398.00");
    let form = form.set("amount-2", "-98,00").set("amount-1", "");
    let form = Fields::of(&form.send(&office, "captures", "review"));
    office.follow(&form.send(&office, "captures", "record"));
    assert_eq!(office.order()["captures"][0]["items"], json!([{"line_id": 2, "amount": -9_800}]));
}

#[test]
fn the_order_page_offers_possible_operations_and_says_why_others_are_not() {
    let app = App::start();
    let office = Office::open(&app, chairs(), json!({}));
    let page = |cookie: &str| words(&get(&app, cookie, &format!("/orders/{}", office.order)));
    let fresh = page(&office.cookie);
    for expected in [
        "Refund: No captured money is left to refund.",
        "Release reservation: Nothing is reserved.",
    ] {
        assert!(fresh.contains(expected), "{expected} in {fresh}");
    }
    let packer = page(&visitor(&app, Role::Packer, ACCOUNT));
    assert!(packer.contains("Actions Capture") && !packer.contains("Refund:"), "{packer}");
    let viewer = page(&visitor(&app, Role::Viewer, ACCOUNT));
    assert!(viewer.contains("Your role can only view orders."), "{viewer}");
    app.post(&format!("/orders/{}/cancel", office.order), json!({})).expect(200);
    assert!(page(&office.cookie).contains("Capture: The order is cancelled."));
    assert!(words(&office.form("captures")).contains("The order is cancelled."));
}
