//! A hook whose deliveries wait in such numbers that its further events wait in the journal
//! (docs/contract.md, Decision 10).

use serde_json::json;

use super::audit::{self, tamper};
use super::harness::App;
use super::hooks::{capture, make_hook};
use super::process::until;
use super::receiver::Receiver;

const HOUR_MS: i64 = 60 * 60 * 1_000;

#[test]
fn a_hook_with_a_full_backlog_gets_no_more_until_there_is_room() {
    expect_waiting(10_000, 2);
}

#[test]
fn a_hook_with_64_mib_waiting_gets_no_more_until_there_is_room() {
    expect_waiting(64, 1 << 20);
}

/// A hook with `count` waiting deliveries, each of `bytes` bytes as the book counts them, gets no
/// further ones until they are given up.
fn expect_waiting(count: i64, bytes: i64) {
    let mut app = App::start();
    let full = make_hook(&app, "http://127.0.0.1:1/hook", &["shopping_order_update"]);
    let path = format!("/{}", full["id"].as_str().unwrap());
    let receiver = Receiver::start();
    make_hook(&app, &receiver.url, &["shopping_order_update"]);
    let full_seq = {
        let conn = audit::open(&app.db);
        let sql = "select hook_seq from hooks where id = ?1";
        conn.query_row(sql, [full["id"].as_str().unwrap()], |row| row.get::<_, i64>(0)).unwrap()
    };
    // Failed an hour ago and due in an hour, so that none of them is tried now.
    let due = app.clock.now().0 + HOUR_MS;
    let fill = format!(
        "delete from delivery_bodies; delete from deliveries;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
         insert into deliveries (delivery_seq, hook_seq, id, event, state, tries, next_at_ms,
            created_at_ms, bytes)
         select i, {full_seq}, printf('00000000-0000-4000-8000-%012d', i), 'x', 'waiting', 1, {due},
            1, {bytes} from n;
         insert into delivery_bodies select delivery_seq, '{{}}' from deliveries"
    );
    app.stop();
    tamper(&app.db, &fill).unwrap();
    app.restart();
    app.deliver();
    let of_full = |app: &App| -> (i64, i64) {
        let sql = format!(
            "select through_seq, (select count(*) from deliveries where hook_seq = {full_seq})
             from hooks where hook_seq = {full_seq}"
        );
        let conn = audit::open(&app.db);
        conn.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let before = of_full(&app);
    assert_eq!(before.1, count);
    let order = app.simple_order(&[1_000]);
    capture(&app, &order, 1);
    capture(&app, &order, 2);
    // The other hook has both events, so the first one's turn has passed too.
    receiver.events(2);
    assert_eq!(of_full(&app), before, "events wait in the journal");
    app.hooks("POST", &format!("{path}/pause"), None).expect(200);
    app.hooks("POST", &format!("{path}/resume"), Some(json!({"from": "now"}))).expect(200);
    capture(&app, &order, 3);
    receiver.events(1);
    until("there is room again", || of_full(&app).1 == count + 1);
}
