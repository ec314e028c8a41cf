//! A book that was found damaged: nothing more is written, `/health` and all pages report it, and
//! reading goes on.

use serde_json::json;
use tillbook::domain::role::Role;
use tillbook::store::FileLoss;

use super::harness::{ACCOUNT, App};
use super::office::{get, visitor, words};

#[test]
fn a_damaged_book_is_read_and_not_written_and_every_page_reports_it() {
    let app = App::start();
    let order = app.simple_order(&[100]);
    let cookie = visitor(&app, Role::Owner, ACCOUNT);
    assert!(!get(&app, &cookie, "/orders").expect(200).text.contains("damaged"));
    app.state.store.condition.declare_damaged();
    let before = app.snapshot();
    let captures = format!("/orders/{order}/captures");
    let refused = app.post(&captures, json!({"items": [{"line_id": 1, "amount": 1}]})).expect(503);
    assert_eq!(refused.code(), "unavailable");
    assert!(refused.text.contains("nothing is recorded"), "{}", refused.text);
    assert_eq!(app.snapshot(), before);
    app.get(&captures).expect(200);
    let health = app.send("GET", "/health", &[], None).expect(503);
    assert!(health.text.contains("damaged"), "{}", health.text);
    for page in ["/orders".to_owned(), format!("/orders/{order}")] {
        let shown = get(&app, &cookie, &page).expect(200);
        assert!(words(&shown).contains("The database file is damaged"), "{page}");
    }
}

#[test]
fn a_lost_file_is_told_by_every_write_by_health_and_on_every_page() {
    for loss in [
        FileLoss::Moved,
        FileLoss::Deleted,
        FileLoss::Replaced,
        FileLoss::Overwritten,
        FileLoss::WalLost,
        FileLoss::IndexLost,
        FileLoss::LockLost,
    ] {
        let app = App::start();
        let order = app.simple_order(&[100]);
        let cookie = visitor(&app, Role::Viewer, ACCOUNT);
        app.state.store.condition.declare_lost(loss);
        let before = app.snapshot();
        let captures = format!("/orders/{order}/captures");
        for refused in [
            app.post(&captures, json!({"items": [{"line_id": 1, "amount": 1}]})),
            app.post(&format!("/orders/{order}/close"), json!({})),
            app.send("GET", "/health", &[], None),
        ] {
            assert!(refused.expect(503).text.contains(&loss.to_string()), "{loss}");
        }
        assert_eq!(app.snapshot(), before);
        app.get(&captures).expect(200);
        let shown = get(&app, &cookie, "/orders").expect(200);
        assert!(words(&shown).replace('\u{2019}', "'").contains(&loss.to_string()), "{loss}");
    }
}
