//! A whole server under trial: one order of it, asked over HTTP.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::HashMap;

use serde_json::{Value, json};

use super::reference::{Answer, Change, Kind, Named, Problem, Request};
use super::steps::Form;
use super::{Call, Outcome, Shown, Tried};
use crate::harness::{App, Reply};

const SUMS: [&str; 5] = [
    "authorized_amount",
    "captured_amount",
    "cancelled_amount",
    "refunded_amount",
    "remaining_amount",
];

/// What each payable amount is less than its line's gross amount.
const DISCOUNT: i64 = 3;

/// An order of a server.
pub struct HttpOrder<'a> {
    app: &'a mut App,
    order_id: String,
    multiple: bool,
    /// Every operation that got a 200, in that order, with its collection.
    made: Vec<(&'static str, Value)>,
    authorization_ids: Vec<String>,
    /// The answer that a key stands for.
    answers: HashMap<String, String>,
}

impl HttpOrder<'_> {
    pub fn new<'a>(app: &'a mut App, payable: &[(i64, i64)], multiple: bool) -> HttpOrder<'a> {
        let item = |(line, payable): &(i64, i64)| {
            let discount = DISCOUNT * payable.signum();
            json!({
                "id": "p",
                "line_id": line,
                "gross_amount": payable + discount,
                "discount_lines": [{"amount": discount, "line_id": 1}],
            })
        };
        let items: Vec<Value> = payable.iter().map(item).collect();
        let order = json!({"currency": "NOK", "items": items});
        let order_id = app.order(order, json!({"multiple_authorizations": multiple}));
        HttpOrder {
            app,
            order_id,
            multiple,
            made: Vec::new(),
            authorization_ids: Vec::new(),
            answers: HashMap::new(),
        }
    }

    /// Notes what a 200 says about a new operation.
    fn made(&mut self, request: &Request, reply: Reply) {
        let total: i64 = request.items.iter().map(|item| item.1).sum();
        assert_eq!(reply.body["amount"], total);
        assert_eq!(reply.body["success"], request.success);
        let under = request.authorization.filter(|_| self.multiple).map(|named| self.id_of(named));
        let under = under.filter(|_| request.kind != Kind::Authorization);
        assert_eq!(reply.body["authorization_id"].as_str(), under.as_deref());
        if request.kind == Kind::Authorization {
            self.authorization_ids.push(reply.body["id"].as_str().unwrap().to_owned());
        }
        self.made.push((request.kind.plural(), reply.body));
    }

    fn id_of(&self, named: Named) -> String {
        match named {
            Named::Nth(nth) => self.authorization_ids[nth].clone(),
            Named::Stranger => "0c9a3d0c-94f6-4a51-8a0b-1f6f0a1f2b3c".to_owned(),
        }
    }

    fn body(&self, call: &Call, form: Form) -> String {
        let mut members = Vec::new();
        if let Call::Operate(request) | Call::Nowhere(request) = call {
            let item = |&(line, amount): &(i64, i64)| json!({"line_id": line, "amount": amount});
            let items: Vec<Value> = request.items.iter().map(item).collect();
            members.push(format!("\"items\":{}", Value::from(items)));
            if !request.success {
                members.push("\"success\":false".to_owned());
            }
            if let Some(named) = request.authorization {
                members.push(format!("\"authorization_id\":\"{}\"", self.id_of(named)));
            }
        }
        match form {
            Form::Plain => format!("{{{}}}", members.join(",")),
            Form::Rewritten => {
                members.reverse();
                format!("\n{{ {} }}", members.join(" ,\t"))
            }
            Form::Other => {
                members.push("\"note\":\"another\"".to_owned());
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn refusal(&self, reply: &Reply) -> Answer {
        let none = Vec::new();
        let errors = reply.body["error"]["errors"].as_array().unwrap_or(&none);
        let problems = errors.iter().map(|error| self.problem(error)).collect();
        Err((reply.status, reply.code().to_owned(), problems))
    }

    fn problem(&self, error: &Value) -> Problem {
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        let last = error["last_operation"]["id"].as_str();
        let number = |id| self.made.iter().position(|(_, made)| made["id"] == id).unwrap();
        let remaining = error["remaining"].as_i64();
        Problem {
            path: text("path"),
            code: text("code"),
            remaining: remaining.map(|remaining| (remaining, last.map(number))),
        }
    }
}

impl Tried for HttpOrder<'_> {
    fn call(&mut self, call: &Call, form: Form, key: &str) -> Outcome {
        let order = match call {
            Call::Nowhere(_) => "nowhere",
            _ => &self.order_id,
        };
        let path = format!("/orders/{order}/{}", last_segment(call));
        // A key is one order's matter here.
        let key = format!("{} {key}", self.order_id);
        let body = self.body(call, form);
        let headers = [("idempotency-key", key.as_str())];
        let reply = self.app.shopping("POST", &path, &headers, Some(&body));
        match (reply.status, reply.header("idempotency-replayed")) {
            (200, Some("true")) => {
                assert_eq!(self.answers[&key], reply.text);
                Outcome::Replayed
            }
            (200, None) => {
                self.answers.insert(key, reply.text.clone());
                if let Call::Operate(request) = call {
                    self.made(request, reply);
                }
                Outcome::Answered(Ok(()))
            }
            (422, None) => {
                assert_eq!(reply.code(), "idempotency_key_reused");
                Outcome::KeyReused
            }
            _ => Outcome::Answered(self.refusal(&reply)),
        }
    }

    fn shown(&self) -> Shown {
        let order = self.app.get(&format!("/orders/{}", self.order_id)).expect(200).body;
        for collection in Kind::ALL.map(Kind::plural) {
            let made = self.made.iter().filter(|(of, _)| *of == collection);
            let made: Vec<&Value> = made.map(|(_, made)| made).collect();
            assert_eq!(order[collection], json!(made));
        }
        let items = order["items"].as_array().unwrap();
        for sum in SUMS {
            let total: i64 = items.iter().map(|item| item[sum].as_i64().unwrap()).sum();
            assert_eq!(order[sum], total, "{sum}");
        }
        let sums_of = |item: &Value| SUMS.map(|sum| item[sum].as_i64().unwrap());
        Shown {
            status: order["status"].as_str().unwrap().to_owned(),
            payment_status: order["payment_status"].as_str().unwrap().to_owned(),
            sums: items
                .iter()
                .map(|item| (item["line_id"].as_i64().unwrap(), sums_of(item)))
                .collect(),
        }
    }

    fn restart(&mut self) {
        self.app.restart();
    }
}

fn last_segment(call: &Call) -> &'static str {
    match call {
        Call::Operate(request) | Call::Nowhere(request) => request.kind.plural(),
        Call::Change(Change::Open) => "open",
        Call::Change(Change::Close) => "close",
        Call::Change(Change::Cancel) => "cancel",
    }
}
