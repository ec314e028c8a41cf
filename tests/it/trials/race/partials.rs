//! Random partial captures: the sums never exceed their limits, and every refusal has its reason.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::time::Instant;

use serde_json::{Value, json};

use super::{Racer, on_line_1, race, remaining, rounds, sum};
use crate::audit;
use crate::harness::App;
use crate::http_client::Reply;
use crate::trials::{Dice, count, say, seed};

const CLIENTS: usize = 32;

/// One attempt to capture, and its times.
struct Attempt {
    line: i64,
    amount: i64,
    began: Instant,
    ended: Instant,
    reply: Reply,
}

#[test]
fn random_captures_never_exceed_the_limit_and_are_never_refused_without_reason() {
    let seed = seed("random captures");
    let dice = Dice::new(seed);
    let app = App::start();
    let tries = count("TILLBOOK_RACE_TRIES", 30);
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..rounds() {
        // There are about a hundred attempts per line, and their amounts add up to more than twice
        // the line's.
        let authorized: Vec<i64> =
            (0..tries.div_ceil(3)).map(|_| 600 + dice.amount(1_200)).collect();
        let order = authorized_order(&app, &authorized);
        let path = format!("/orders/{order}/captures");
        let lines = i64::try_from(authorized.len()).unwrap();
        let attempts = race(&app, CLIENTS, dice.below(u64::MAX), |_, racer| {
            (0..tries).map(|_| attempt(racer, &path, lines)).collect::<Vec<_>>()
        });
        let attempts: Vec<Attempt> = attempts.into_iter().flatten().collect();
        let shown = app.get(&format!("/orders/{order}")).expect(200).body;
        for (line, authorized) in (1..).zip(authorized) {
            let on_line: Vec<&Attempt> = attempts.iter().filter(|a| a.line == line).collect();
            let counted = expect_justified(&on_line, authorized);
            let item = &shown["items"][usize::try_from(line - 1).unwrap()];
            assert_eq!(sum(item, "captured_amount"), counted.total);
            assert_eq!(sum(item, "remaining_amount"), authorized - counted.total);
            taken += counted.taken;
            refused += counted.refused;
        }
    }
    say(&format!("{taken} captures, {refused} refusals, each with a reason"));
    let least = (taken + refused) / 5;
    assert!(least <= taken && least <= refused, "too few were captured or refused");
    audit::expect_clean(&app.db);
}

fn authorized_order(app: &App, authorized: &[i64]) -> String {
    let order = app.simple_order(authorized);
    let item = |(line, amount): (i64, &i64)| json!({"line_id": line, "amount": amount});
    let items: Vec<Value> = (1..).zip(authorized).map(item).collect();
    app.post(&format!("/orders/{order}/authorizations"), json!({"items": items})).expect(200);
    order
}

fn attempt(racer: &Racer<'_>, path: &str, lines: i64) -> Attempt {
    let (line, amount) = (racer.dice.amount(lines), racer.dice.amount(60));
    let body = json!({"items": [{"line_id": line, "amount": amount}]});
    let began = Instant::now();
    let reply = racer.post(path, &body);
    Attempt { line, amount, began, ended: Instant::now(), reply }
}

/// The outcome of all attempts on a line.
struct Counted {
    taken: usize,
    refused: usize,
    total: i64,
}

/// Checks all attempts on a line afterwards.
fn expect_justified(attempts: &[&Attempt], authorized: i64) -> Counted {
    let (taken, refused): (Vec<&Attempt>, Vec<&Attempt>) =
        attempts.iter().partition(|attempt| attempt.reply.status == 200);
    let sum_of = |which: &dyn Fn(&Attempt) -> bool| -> i64 {
        taken.iter().filter(|other| which(other)).map(|other| other.amount).sum()
    };
    for refused in &refused {
        assert_eq!((refused.reply.status, refused.reply.code()), (409, "amount_exceeds_remaining"));
        // Only captures that began before the refusal was received can have caused it, and all that
        // were answered before it was sent must have counted.
        let least = authorized - sum_of(&|other| other.began < refused.ended);
        let most = authorized - sum_of(&|other| other.ended < refused.began);
        let told = remaining(&refused.reply);
        assert!(least < refused.amount, "{} refused where {least} were left", refused.amount);
        assert!(least.max(0) <= told && told <= most, "{told} told, {least} to {most} were left");
        assert!(told < refused.amount);
    }
    let total = sum_of(&|_| true);
    assert!(total <= authorized, "{total} of {authorized} captured");
    Counted { taken: taken.len(), refused: refused.len(), total }
}

#[test]
fn captures_of_one_authorization_never_drain_another() {
    let seed = seed("several authorizations");
    let app = App::start();
    for round in 0..rounds() {
        drain_two_of_three(&app, seed.wrapping_add(u64::from(round)));
    }
    audit::expect_clean(&app.db);
}

/// Captures nothing under the third authorization, and all of the second.
fn drain_two_of_three(app: &App, seed: u64) {
    let item = json!({"id": "p", "line_id": 1, "gross_amount": 10_000});
    let order = json!({"currency": "NOK", "items": [item]});
    let order = app.order(order, json!({"multiple_authorizations": true}));
    let authorized = [4_000, 1_500, 3_000];
    let authorize = |amount: &i64| {
        let made = app.post(&format!("/orders/{order}/authorizations"), on_line_1(*amount));
        made.expect(200).body["id"].as_str().unwrap().to_owned()
    };
    let ids: Vec<String> = authorized.iter().map(authorize).collect();
    let path = format!("/orders/{order}/captures");
    let under = |id: &str, amount: i64| {
        let mut body = on_line_1(amount);
        body["authorization_id"] = json!(id);
        body
    };
    let taken = race(app, CLIENTS, seed, |nth, racer| {
        let mut taken = [0, 0, 0];
        for _ in 0..12 {
            let (from, amount) = (nth % 2, racer.dice.amount(40));
            let reply = racer.post(&path, &under(&ids[from], amount));
            match reply.status {
                200 => taken[from] += amount,
                _ => assert_eq!((reply.status, reply.code()), (409, "amount_exceeds_remaining")),
            }
        }
        taken
    });
    for (from, id) in ids.iter().enumerate() {
        let left = authorized[from] - taken.iter().map(|taken| taken[from]).sum::<i64>();
        let refused = app.post(&path, under(id, left + 1)).expect(409);
        assert_eq!(remaining(&refused), left, "remaining of authorization {from}");
        app.post(&path, under(id, left)).expect(200);
    }
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    assert_eq!(sum(&shown, "captured_amount"), authorized.iter().sum::<i64>());
    assert_eq!(sum(&shown, "remaining_amount"), 0);
}
