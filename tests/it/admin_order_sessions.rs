//! Payment sessions on an order's page.

use tillbook::app::EditAccount;
use tillbook::domain::ids::AccountId;
use tillbook::domain::role::Role;

use super::harness::{ACCOUNT, App};
use super::office::{FORM_TOKEN, get, send_form, visitor, words};
use super::order_sessions::{answer, page_of, shown, start};

#[test]
fn the_page_of_an_order_shows_its_sessions_and_what_became_of_them() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let order = app.simple_order(&[10_000]);
    let path = format!("/orders/{order}");
    assert!(!words(&get(&app, &cookie, &path)).contains("Payment sessions"));
    let (paid, open) = (start(&app, &order), start(&app, &order));
    let approved = answer(&app, &paid, "approve").expect(200).body;
    answer(&app, &open, "hold").expect(200);
    let id = approved["transaction_id"].as_str().unwrap();
    let page = get(&app, &cookie, &path).expect(200);
    let told = words(&page);
    for expected in [
        "API client test On hold expires 19 Nov 2026 12:06 100.00 NOK Payment page Cancel",
        &format!("Completed ended 18 Nov 2026 12:06 100.00 NOK Reservation {id}"),
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
    assert!(page.text.contains(&format!("{}\" rel=", page_of(&open))));
    assert!(!page.text.contains(&page_of(&paid)), "a session that ended has no payment page");
    let anchor = format!("operation-{id}\"");
    assert!(page.text.contains(&format!("#{anchor}")));
    assert!(page.text.contains(&format!("id=\"{anchor}")));
    // The link is the permission to pay, which packers and viewers do not need.
    for role in [Role::Packer, Role::Viewer] {
        let page = get(&app, &visitor(&app, role, ACCOUNT), &path).expect(200);
        assert!(words(&page).contains("On hold expires"));
        assert!(!page.text.contains("/pay/") && !page.text.contains("/sessions/"));
    }
}

#[test]
fn an_open_session_is_cancelled_once() {
    let app = App::start();
    let cookie = visitor(&app, Role::Manager, ACCOUNT);
    let order = app.simple_order(&[10_000]);
    let session = start(&app, &order);
    let id = session["id"].as_str().unwrap();
    let path = format!("/orders/{order}/sessions/{id}/cancel");
    let fields = [("form_token", FORM_TOKEN)];
    let done = send_form(&app, &cookie, &path, &fields).expect(303);
    let back = format!("/admin/{ACCOUNT}/orders/{order}#sessions");
    assert_eq!(done.header("location"), Some(back.as_str()));
    assert_eq!(shown(&app, &order, &session)["status"], "cancelled");
    let again = send_form(&app, &cookie, &path, &fields).expect(409);
    assert!(words(&again).contains("The session had already ended."));
    let page = words(&get(&app, &cookie, &format!("/orders/{order}")));
    assert!(page.contains("Cancelled ended 18 Nov 2026 12:06"), "{page}");
    assert!(page.contains("manager-t12345678@example.no"), "{page}");
    let paid = start(&app, &order);
    answer(&app, &paid, "approve").expect(200);
    let path = format!("/orders/{order}/sessions/{}/cancel", paid["id"].as_str().unwrap());
    let late = send_form(&app, &cookie, &path, &fields).expect(409);
    assert!(words(&late).contains("The session was paid before it could be cancelled."));
}

#[test]
fn many_sessions_are_shown_on_request() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let order = app.simple_order(&[10_000]);
    (0..12).for_each(|_| drop(start(&app, &order)));
    let rows = |query: &str| {
        let page = get(&app, &cookie, &format!("/orders/{order}{query}")).expect(200);
        (page.text.matches(">Payment page<").count(), page.text.contains("Show all 12 sessions"))
    };
    assert_eq!(rows(""), (10, true));
    assert_eq!(rows("?all=sessions"), (12, false));
}

#[test]
fn a_merchant_s_own_payment_page_is_linked() {
    let app = App::start();
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    let page = "https://shop.example/pay?a=1&b='{session_id}'";
    let command = EditAccount {
        account_id: AccountId::parse(ACCOUNT).unwrap(),
        checkout_url: Some(Some(page.to_owned())),
        callback_secret: None,
    };
    app.state.store.writer.write_blocking(command).unwrap();
    let order = app.simple_order(&[100]);
    start(&app, &order);
    let shown = get(&app, &cookie, &format!("/orders/{order}")).expect(200);
    let link = "href=\"https://shop.example/pay?a=1&#38;b=&#39;";
    assert!(shown.text.contains(link), "{}", shown.text);
}
