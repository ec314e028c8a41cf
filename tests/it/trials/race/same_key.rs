//! One key sent fifty times at once.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeSet;

use serde_json::Value;

use super::{on_line_1, race, rounds, sum};
use crate::audit;
use crate::harness::App;
use crate::http_client::Reply;

const TIMES: usize = 50;

#[test]
fn fifty_times_the_same_request_is_one_operation() {
    let app = App::start();
    for round in 0..rounds() {
        let order = app.simple_order(&[39_800]);
        let (path, key) = (format!("/orders/{order}/captures"), format!("once {round}"));
        let body = on_line_1(100);
        let replies =
            race(&app, TIMES, 0, |_, racer| racer.post_once(&key, &path, &body).expect(200));
        let texts: BTreeSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(texts.len(), 1);
        assert_eq!(replies.iter().filter(|reply| !is_replayed(reply)).count(), 1);
        expect_captured(&app, &order, &[&replies[0].body]);
    }
    audit::expect_clean(&app.db);
}

#[test]
fn one_of_two_requests_with_the_same_key_is_done_and_the_other_refused() {
    let app = App::start();
    for round in 0..rounds() {
        let order = app.simple_order(&[39_800]);
        let (path, key) = (format!("/orders/{order}/captures"), format!("either {round}"));
        let bodies = [on_line_1(7), on_line_1(11)];
        let replies =
            race(&app, TIMES, 0, |nth, racer| racer.post_once(&key, &path, &bodies[nth % 2]));
        let won = replies.iter().position(|reply| reply.status == 200 && !is_replayed(reply));
        let won = won.unwrap();
        for (nth, reply) in replies.iter().enumerate().filter(|(nth, _)| *nth != won) {
            if nth % 2 == won % 2 {
                assert!(is_replayed(reply) && reply.text == replies[won].text);
            } else {
                assert_eq!((reply.status, reply.code()), (422, "idempotency_key_reused"));
            }
        }
        expect_captured(&app, &order, &[&replies[won].body]);
    }
    audit::expect_clean(&app.db);
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

fn expect_captured(app: &App, order: &str, captures: &[&Value]) {
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let stand: Vec<&Value> = shown["captures"].as_array().unwrap().iter().collect();
    assert_eq!(stand, captures);
    let total: i64 = captures.iter().map(|capture| sum(capture, "amount")).sum();
    assert_eq!(sum(&shown, "captured_amount"), total);
}
