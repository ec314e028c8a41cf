//! Reads during writes: the sums of every order that is read are right.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{race, rounds};
use crate::audit;
use crate::harness::App;
use crate::trials::{say, seed};

const CLIENTS: usize = 24;

#[test]
fn an_order_that_is_read_while_it_changes_has_the_right_sums() {
    let seed = seed("readers among writers");
    let app = App::start();
    let mut readings = 0;
    for round in 0..rounds() {
        readings += read_while_writing(&app, seed.wrapping_add(u64::from(round)));
    }
    say(&format!("{readings} readings"));
    audit::expect_clean(&app.db);
}

/// Every fourth client writes. The others read until one of the writers has finished.
fn read_while_writing(app: &App, seed: u64) -> u64 {
    let order = app.simple_order(&[50_000, -20_000]);
    let path = format!("/orders/{order}");
    let writing = AtomicBool::new(true);
    let readings = race(app, CLIENTS, seed, |nth, racer| {
        if nth % 4 != 0 {
            let mut count = 0_u64;
            while count == 0 || (writing.load(Ordering::Acquire) && count < 1_000) {
                audit::expect_balanced(&racer.get(&path).expect(200).body);
                count += 1;
            }
            return count;
        }
        for _ in 0..20 {
            let kind = racer.dice.pick(&["authorizations", "captures", "refunds", "cancellations"]);
            let (a, b) = (racer.dice.amount(90), -racer.dice.amount(90));
            let items = json!({"items": [
                {"line_id": 1, "amount": a}, {"line_id": 2, "amount": b}]});
            let reply = racer.post(&format!("{path}/{kind}"), &items);
            assert!(matches!(reply.status, 200 | 409), "{}", reply.text);
        }
        writing.store(false, Ordering::Release);
        0
    });
    readings.into_iter().sum()
}
