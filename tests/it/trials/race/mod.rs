//! Many clients at once on one order: sums never exceed their limits, every refusal has a reason,
//! and the answers are those of one call after another.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

mod histories;
mod linearizable;
mod one_winner;
mod partials;
mod readers;
mod same_key;

use std::sync::Barrier;

use serde_json::{Value, json};

use super::{Dice, count};
use crate::contract;
use crate::harness::{ACCOUNT, App};
use crate::http_client::{Reply, agent, try_send};

/// The number of rounds of each of these trials.
fn rounds() -> u32 {
    count("TILLBOOK_RACE_ROUNDS", 1)
}

/// One client among many, with connections that stay open.
struct Racer<'a> {
    url: &'a str,
    bearer: String,
    agent: ureq::Agent,
    dice: Dice,
}

impl Racer<'_> {
    fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None, None)
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, None, Some(body))
    }

    fn post_once(&self, key: &str, path: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(key), Some(body))
    }

    fn send(&self, method: &str, path: &str, key: Option<&str>, body: Option<&Value>) -> Reply {
        let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
        let mut headers = vec![("authorization", self.bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let body = body.map(Value::to_string);
        let reply = try_send(&self.agent, self.url, method, &path, &headers, body.as_deref());
        let reply = reply.unwrap();
        contract::check(method, &path, body.as_deref(), &reply);
        reply
    }
}

/// Runs so many racers, each on its own thread and all starting together, and collects their
/// results.
fn race<T: Send>(
    app: &App,
    clients: usize,
    seed: u64,
    run: impl Fn(usize, &Racer<'_>) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(clients);
    let (url, token, start, run) = (&app.url, &app.token, &start, &run);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..clients)
            .map(|nth| {
                scope.spawn(move || {
                    let dice = Dice::new(seed.wrapping_add(u64::try_from(nth).unwrap()));
                    let bearer = format!("Bearer {token}");
                    let racer = Racer { url, bearer, agent: agent(), dice };
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

/// The remaining amount of the first line that a refusal names.
fn remaining(refused: &Reply) -> i64 {
    refused.body["error"]["errors"][0]["remaining"].as_i64().unwrap()
}
