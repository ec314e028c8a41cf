//! Comments, service steps, deliveries and reversed lines on the order page.

use serde_json::json;
use tillbook::domain::role::Role;

use super::audit;
use super::harness::{ACCOUNT, App};
use super::office::{FORM_TOKEN, get, send_form, visitor, words};

#[test]
fn a_comment_is_in_the_story_until_it_is_deleted() {
    let app = App::start();
    let packer = visitor(&app, Role::Packer, ACCOUNT);
    let viewer = visitor(&app, Role::Viewer, ACCOUNT);
    let order = app.simple_order(&[1_000]);
    let path = format!("/orders/{order}");
    let fields = [("form_token", FORM_TOKEN), ("comment", "Ring twice\r\n<b>now</b>")];
    let comments = format!("{path}/comments");
    assert_eq!(send_form(&app, &viewer, &comments, &fields).status, 403);
    let done = send_form(&app, &packer, &comments, &fields).expect(303);
    let back = format!("/admin/{ACCOUNT}{path}#events");
    assert_eq!(done.header("location"), Some(back.as_str()));
    let shown = app.get(&path).expect(200).body;
    assert_eq!(shown["comments"][0]["comment"], "Ring twice\n<b>now</b>");
    let page = words(&get(&app, &packer, &path).expect(200));
    let said = "18 Nov 2026 12:06 Comment, by packer-t12345678@example.no Ring twice <b>now</b> \
                Delete comment";
    assert!(page.contains(said), "{page}");
    let looked = words(&get(&app, &viewer, &path).expect(200));
    assert!(looked.contains("Ring twice") && !looked.contains("Delete comment"), "{looked}");
    assert!(!looked.contains("Add comment"), "{looked}");
    let id = shown["comments"][0]["id"].as_str().unwrap();
    let delete = format!("{comments}/{id}/delete");
    let token = [("form_token", FORM_TOKEN)];
    assert_eq!(send_form(&app, &packer, &delete, &[("form_token", "wrong")]).status, 403);
    send_form(&app, &packer, &delete, &token).expect(303);
    let page = words(&get(&app, &packer, &path).expect(200));
    assert!(page.contains("Comment deleted, by packer-t12345678@example.no"), "{page}");
    assert!(page.contains("Comment, since deleted, by packer"), "{page}");
    assert!(!app.snapshot().contains("Ring twice"));
    assert_eq!(send_form(&app, &packer, &delete, &token).status, 404);
    audit::expect_clean(&app.db);
}

#[test]
fn a_comment_that_is_sent_twice_is_stored_once() {
    let app = App::start();
    let packer = visitor(&app, Role::Packer, ACCOUNT);
    let path = format!("/orders/{}", app.simple_order(&[1_000]));
    let page = get(&app, &packer, &path).expect(200).text;
    let key = page.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!get(&app, &packer, &path).expect(200).text.contains(key), "each page has its own key");
    let say = |text: &str| {
        let fields = [("form_token", FORM_TOKEN), ("key", key), ("comment", text)];
        send_form(&app, &packer, &format!("{path}/comments"), &fields).expect(303)
    };
    let once = say("Ring twice");
    assert_eq!(say("Ring twice").header("location"), once.header("location"));
    say("Ring once");
    let comments = app.get(&path).expect(200).body["comments"].clone();
    let told: Vec<&str> =
        comments.as_array().unwrap().iter().map(|one| one["comment"].as_str().unwrap()).collect();
    assert_eq!(told, ["Ring twice", "Ring once"], "a changed text is another comment");
    audit::expect_clean(&app.db);
}

#[test]
fn an_empty_or_too_long_comment_is_refused_with_the_page() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let path = format!("/orders/{}/comments", app.simple_order(&[1_000]));
    let before = app.snapshot();
    let send = |text: &str| {
        let fields = [("form_token", FORM_TOKEN), ("comment", text)];
        words(&send_form(&app, &owner, &path, &fields).expect(400))
    };
    assert!(send(" \r\n ").contains("Write a comment before you add it."));
    assert!(send(&"x".repeat(2_001)).contains("The comment is too long"));
    assert_eq!(app.snapshot(), before);
}

#[test]
fn the_order_page_tells_of_deliveries_reversed_lines_and_service_steps() {
    let app = App::start();
    let owner = visitor(&app, Role::Owner, ACCOUNT);
    let order = json!({"currency": "NOK", "store": {"id": "torget"}, "comment": "Leave it outside",
        "items": [
            {"id": "chair", "line_id": 1, "gross_amount": 1_000,
             "store": {"id": "s", "name": "Havn"}},
            {"id": "chair", "line_id": 2, "gross_amount": -1_000, "reversed_reason": "Replace item",
             "related_item": {"line_id": 1, "type": "reversed"}}]});
    let order = app.order(order, json!({"split_draft": false}));
    let path = format!("/orders/{order}");
    let change = json!({"courier_id": "bring", "delivery_id": "703",
        "delivery_at": "2026-12-01T10:00:00Z", "items": [{"line_id": 1, "status": "packed"}]});
    app.put(&path, change).expect(200);
    let step = |state: &str| {
        let step = json!({"service": "kitchen", "service_status": "ready_for_pickup",
            "state": state, "description": "Food prepared"});
        app.post(&format!("{path}/events"), step).expect(200);
    };
    ["success", "pending", "error"].into_iter().for_each(step);
    let page = words(&get(&app, &owner, &path).expect(200));
    for expected in [
        "1 chair Status: packed Store: Havn 10.00 NOK",
        "2 chair Reverses line 1: Replace item give back 10.00 NOK",
        "Store torget",
        "Delivery Courier bring Delivery 703 Deliver 1 Dec 2026 11:00",
        "The customer says Leave it outside",
        "Changed: courier id, delivery at, delivery id, items, by API client test",
        "kitchen: ready for pickup, by API client test Food prepared",
        "kitchen: ready for pickup (not done yet), by API client test",
        "kitchen: ready for pickup (failed), by API client test",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn a_comment_that_is_refused_is_still_in_its_field() {
    let app = App::start();
    let packer = visitor(&app, Role::Packer, ACCOUNT);
    let path = format!("/orders/{}", app.simple_order(&[1_000]));
    let long = format!("Ring <twice>{}", "!".repeat(2_000));
    let fields = [("form_token", FORM_TOKEN), ("comment", long.as_str())];
    let refused = send_form(&app, &packer, &format!("{path}/comments"), &fields).expect(400);
    assert!(words(&refused).contains("The comment is too long: at most 2,000 characters."));
    assert!(words(&refused).contains(&long), "{}", refused.text);
}
