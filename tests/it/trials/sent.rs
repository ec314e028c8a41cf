//! Requests that record operations, each under its own key, and their outcomes for the client.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a trial that cannot go on has failed")]

use serde_json::{Value, json};

use super::Dice;
use crate::harness::ACCOUNT;
use crate::http_client::Reply;
use crate::process::Served;

/// The collections of operations, by their names in paths.
pub const KINDS: [&str; 4] = ["authorizations", "captures", "refunds", "cancellations"];

/// The amount of a line, so large that a small operation never exceeds it.
const PAYABLE: i64 = 1_000_000_000;

/// `processed_by` of the operations that the set-up makes. All others have their key there.
pub const SET_UP: &str = "set up";

/// One request and its outcome.
#[derive(Debug, Clone)]
pub struct Sent {
    pub key: String,
    pub path: String,
    pub body: Value,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A 200, with the operation's id.
    Done(String),
    /// An answer that nothing was recorded.
    Refused,
    /// No answer, or one that does not tell whether the operation was recorded.
    Unknown,
}

/// An order to record operations on.
#[derive(Debug, Clone)]
pub struct Target {
    pub order_id: String,
    authorization_id: Option<String>,
}

impl Target {
    /// An order on which every small operation succeeds.
    pub fn make(server: &Served, token: &str, multiple_authorizations: bool) -> Target {
        let post = |method: &str, path: &str, body: Value| {
            server.shopping(token, method, path, Some(&body)).expect(200).body
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let item =
            |line: i64, gross: i64| json!({"id": "p", "line_id": line, "gross_amount": gross});
        let draft = json!({
            "order": {"currency": "NOK", "items": [item(1, PAYABLE), item(2, -PAYABLE)]},
            "options": {"multiple_authorizations": multiple_authorizations},
        });
        let draft = text(&post("POST", "/draft_orders", draft)["id"]);
        let done = post("PUT", &format!("/draft_orders/{draft}/complete"), json!({}));
        let order_id = text(&done["orders"][0]["order_id"]);
        let operate = |kind: &str, part: i64, under: &Option<String>| {
            let path = format!("/orders/{order_id}/{kind}");
            let items =
                [json!({"line_id": 1, "amount": part}), json!({"line_id": 2, "amount": -part})];
            let body = json!({"items": items, "authorization_id": under, "processed_by": SET_UP});
            text(&post("POST", &path, body)["id"])
        };
        let authorization_id = Some(operate("authorizations", PAYABLE / 2, &None));
        operate("captures", PAYABLE / 4, &authorization_id);
        let authorization_id = authorization_id.filter(|_| multiple_authorizations);
        Target { order_id, authorization_id }
    }
}

impl Sent {
    /// A capture of 1 minor unit of the first line, not sent yet.
    pub fn capture(target: &Target, key: String) -> Sent {
        Sent::operation(target, "captures", key, 1, 1)
    }

    /// Any operation on any of the orders, not sent yet. One in twenty exceeds its line.
    pub fn draw(targets: &[Target], dice: &Dice, key: String) -> Sent {
        let target = dice.pick(targets);
        let kind = dice.pick(&KINDS);
        let line = dice.amount(2);
        let sign = if line == 1 { 1 } else { -1 };
        let amount = match dice.below(20) {
            0 => PAYABLE * 2,
            _ => dice.amount(50),
        };
        Sent::operation(target, kind, key, line, sign * amount)
    }

    fn operation(target: &Target, kind: &str, key: String, line: i64, amount: i64) -> Sent {
        let mut body = json!({
            "items": [{"line_id": line, "amount": amount}],
            "processed_by": key,
        });
        if let Some(id) = &target.authorization_id {
            body["authorization_id"] = json!(id);
        }
        let path = format!("/v1/accounts/{ACCOUNT}/shopping/orders/{}/{kind}", target.order_id);
        Sent { key, path, body, outcome: Outcome::Unknown }
    }
}

/// The outcome that an answer reports.
pub fn outcome(reply: &Reply) -> Outcome {
    match reply.status {
        200 => Outcome::Done(reply.body["id"].as_str().unwrap().to_owned()),
        409 => Outcome::Refused,
        503 => {
            assert!(reply.header("retry-after").is_some(), "{reply:?}");
            let is_refused = reply.text.contains("Nothing was recorded");
            if is_refused { Outcome::Refused } else { Outcome::Unknown }
        }
        _ => panic!("{reply:?}"),
    }
}

/// Makes keys that differ from those of every call with another word.
pub fn keys(word: &str, count: u32) -> Vec<String> {
    (0..count).map(|nth| format!("{word} {nth}")).collect()
}
