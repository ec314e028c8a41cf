//! Twenty-four clients at once on one order: never too much, and nothing refused without cause.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Dice, say, seed};
use crate::audit;
use crate::contract;
use crate::harness::{ACCOUNT, App, Reply, agent, try_send};

const CLIENTS: usize = 24;

/// One client among many, on connections that it keeps.
struct Racer<'a> {
    app: &'a Shared,
    agent: ureq::Agent,
    dice: Dice,
}

/// What all of them know.
struct Shared {
    url: String,
    token: String,
}

impl Racer<'_> {
    fn call(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> Reply {
        let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
        let bearer = format!("Bearer {}", self.app.token);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let headers = if key.is_empty() { &headers[..1] } else { &headers[..] };
        let body = body.map(Value::to_string);
        let sent = try_send(&self.agent, &self.app.url, method, &path, headers, body.as_deref());
        let reply = sent.unwrap();
        contract::check(method, &path, body.as_deref(), &reply);
        reply
    }

    fn post(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.call("POST", path, key, Some(body))
    }
}

/// Runs every racer on a thread of its own, all beginning together, and gathers what they did.
fn race<T: Send>(app: &App, seed: u64, run: impl Fn(usize, &Racer<'_>) -> T + Sync) -> Vec<T> {
    let shared = Shared { url: app.url.clone(), token: app.token.clone() };
    let start = Barrier::new(CLIENTS);
    let (shared, start, run) = (&shared, &start, &run);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..CLIENTS)
            .map(|nth| {
                scope.spawn(move || {
                    let dice = Dice::new(seed.wrapping_add(u64::try_from(nth).unwrap()));
                    let racer = Racer { app: shared, agent: agent(), dice };
                    start.wait();
                    run(nth, &racer)
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

fn on_line_1(amount: i64) -> Value {
    json!({"items": [{"line_id": 1, "amount": amount}]})
}

fn sum(order: &Value, of: &str) -> i64 {
    order[of].as_i64().unwrap()
}

#[test]
fn one_of_twenty_four_full_captures_wins() {
    let app = App::start();
    for is_authorized in [true, false] {
        let order = app.simple_order(&[39_800, 500]);
        if is_authorized {
            let path = format!("/orders/{order}/authorizations");
            app.post(&path, on_line_1(39_800)).expect(200);
        }
        let path = format!("/orders/{order}/captures");
        let replies = race(&app, 0, |_, racer| racer.post(&path, "", &on_line_1(39_800)));
        let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(won.len(), 1);
        for lost in replies.iter().filter(|reply| reply.status != 200) {
            assert_eq!((lost.status, lost.code()), (409, "amount_exceeds_remaining"));
            let problem = &lost.body["error"]["errors"][0];
            assert_eq!(problem["remaining"], 0);
            assert_eq!(problem["last_operation"]["id"], won[0].body["id"]);
        }
        let shown = app.get(&format!("/orders/{order}")).expect(200).body;
        assert_eq!(shown["captures"], json!([won[0].body]));
        assert_eq!(sum(&shown, "captured_amount"), 39_800);
    }
    audit::expect_clean(&app.db);
}

/// One try to capture, and when.
struct Attempt {
    line: i64,
    amount: i64,
    began: Instant,
    ended: Instant,
    reply: Reply,
}

#[test]
fn random_captures_never_take_too_much_and_are_never_refused_without_cause() {
    let seed = seed("random captures");
    let app = App::start();
    let authorized = [9_000, 6_000, 3_000];
    let order = app.simple_order(&authorized);
    let items: Vec<Value> = (1..)
        .zip(authorized)
        .map(|(line, amount): (i64, i64)| json!({"line_id": line, "amount": amount}))
        .collect();
    app.post(&format!("/orders/{order}/authorizations"), json!({"items": items})).expect(200);
    let path = format!("/orders/{order}/captures");
    let attempts: Vec<Attempt> = race(&app, seed, |nth, racer| {
        let attempt = |count: usize| {
            let line = racer.dice.amount(3);
            let amount = racer.dice.amount(60);
            let body = json!({"items": [{"line_id": line, "amount": amount}]});
            let began = Instant::now();
            let reply = racer.post(&path, &format!("{nth} {count}"), &body);
            Attempt { line, amount, began, ended: Instant::now(), reply }
        };
        (0..30).map(attempt).collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    for (line, authorized) in (1..).zip(authorized) {
        expect_line_justified(&shown, line, authorized, &attempts);
    }
    audit::expect_clean(&app.db);
}

/// Looks back at all attempts on a line.
fn expect_line_justified(shown: &Value, line: i64, authorized: i64, attempts: &[Attempt]) {
    let on_line = || attempts.iter().filter(|attempt| attempt.line == line);
    let taken: Vec<&Attempt> = on_line().filter(|attempt| attempt.reply.status == 200).collect();
    let total: i64 = taken.iter().map(|attempt| attempt.amount).sum();
    let refused = on_line().filter(|attempt| attempt.reply.status == 409);
    let mut refusals = 0;
    for refused in refused {
        // Only what had begun before the refusal was told can have been in its way.
        let before = taken.iter().filter(|other| other.began < refused.ended);
        let before: i64 = before.map(|other| other.amount).sum();
        assert!(authorized < before + refused.amount, "refused {} of line {line}", refused.amount);
        let remaining = refused.reply.body["error"]["errors"][0]["remaining"].as_i64().unwrap();
        assert!(0 <= remaining && remaining < refused.amount);
        refusals += 1;
    }
    say(&format!("line {line}: {} captures of {total}, {refusals} refusals", taken.len()));
    assert_eq!(taken.len() + refusals, on_line().count(), "an answer is neither 200 nor 409");
    assert!(total <= authorized);
    let item = &shown["items"][usize::try_from(line - 1).unwrap()];
    assert_eq!(
        (sum(item, "captured_amount"), sum(item, "remaining_amount")),
        (total, authorized - total)
    );
    if line == 3 {
        assert!(0 < refusals, "the line was never empty");
    }
}

#[test]
fn twenty_four_times_the_same_request_is_one_operation() {
    let app = App::start();
    let order = app.simple_order(&[39_800]);
    let path = format!("/orders/{order}/captures");
    let body = on_line_1(100);
    let replies = race(&app, 0, |_, racer| racer.post(&path, "once", &body).expect(200));
    let texts: BTreeSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert_eq!(texts.len(), 1);
    let fresh = |reply: &&Reply| reply.header("idempotency-replayed").is_none();
    assert_eq!(replies.iter().filter(fresh).count(), 1);

    let bodies = [on_line_1(7), on_line_1(11)];
    let replies = race(&app, 0, |nth, racer| racer.post(&path, "either", &bodies[nth % 2]));
    let won = replies.iter().position(|r| r.status == 200 && fresh(&r)).unwrap();
    for (nth, reply) in replies.iter().enumerate().filter(|(nth, _)| *nth != won) {
        let replayed = reply.header("idempotency-replayed") == Some("true");
        match nth % 2 == won % 2 {
            true => assert!(replayed && reply.text == replies[won].text),
            false => assert_eq!((reply.status, reply.code()), (422, "idempotency_key_reused")),
        }
    }
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    let taken = if won % 2 == 0 { 7 } else { 11 };
    assert_eq!(sum(&shown, "captured_amount"), 100 + taken);
    assert_eq!(shown["captures"].as_array().unwrap().len(), 2);
    audit::expect_clean(&app.db);
}

#[test]
fn captures_of_one_authorization_never_drain_another() {
    let seed = seed("several authorizations");
    let app = App::start();
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
    // The third authorization is not captured from, the second is emptied.
    let taken = race(&app, seed, |nth, racer| {
        let mut taken = [0, 0];
        for count in 0..12 {
            let from = nth % 2;
            let amount = racer.dice.amount(40);
            let mut body = on_line_1(amount);
            body["authorization_id"] = json!(ids[from]);
            let reply = racer.post(&path, &format!("{nth} {count}"), &body);
            match reply.status {
                200 => taken[from] += amount,
                _ => assert_eq!((reply.status, reply.code()), (409, "amount_exceeds_remaining")),
            }
        }
        taken
    });
    for (from, id) in ids.iter().enumerate() {
        let taken: i64 = taken.iter().map(|taken| taken.get(from).copied().unwrap_or(0)).sum();
        assert!(taken <= authorized[from]);
        let left = authorized[from] - taken;
        let mut body = on_line_1(left + 1);
        body["authorization_id"] = json!(id);
        let refused = app.post(&path, body.clone()).expect(409);
        assert_eq!(
            refused.body["error"]["errors"][0]["remaining"], left,
            "of authorization {from}"
        );
        body["items"][0]["amount"] = json!(left);
        app.post(&path, body).expect(200);
    }
    let shown = app.get(&format!("/orders/{order}")).expect(200).body;
    assert_eq!(sum(&shown, "captured_amount"), authorized.iter().sum::<i64>());
    assert_eq!(sum(&shown, "remaining_amount"), 0);
    audit::expect_clean(&app.db);
}

#[test]
fn an_order_that_is_read_while_it_changes_adds_up() {
    let seed = seed("readers among writers");
    let app = App::start();
    let order = app.simple_order(&[50_000, -20_000]);
    let path = format!("/orders/{order}");
    let writing = AtomicBool::new(true);
    let readings = race(&app, seed, |nth, racer| {
        if nth % 4 != 0 {
            let mut count = 0_u64;
            while count == 0 || (writing.load(Ordering::Acquire) && count < 1_000) {
                audit::expect_balanced(&racer.call("GET", &path, "", None).expect(200).body);
                count += 1;
            }
            return count;
        }
        for _ in 0..20 {
            let kind = racer.dice.pick(&["authorizations", "captures", "refunds", "cancellations"]);
            let (a, b) = (racer.dice.amount(90), -racer.dice.amount(90));
            let items = json!({"items": [
                {"line_id": 1, "amount": a}, {"line_id": 2, "amount": b}]});
            let reply = racer.post(&format!("{path}/{kind}"), "", &items);
            assert!(matches!(reply.status, 200 | 409), "{}", reply.text);
        }
        writing.store(false, Ordering::Release);
        0
    });
    say(&format!("{} readings", readings.iter().sum::<u64>()));
    audit::expect_clean(&app.db);
}
