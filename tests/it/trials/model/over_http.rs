//! The whole program, tested over HTTP.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::reference::{Answer, Change, DISCOUNT, Kind, MOST, Named, Problem, Request};
use super::reference_payouts::{OPTION, OTHER_STORE, STORE, told_by};
use super::shop::{List, Page, Plan, PlanFlaw};
use super::steps::{Ended, Form};
use super::{Call, Outcome, Shown, Tried};
use crate::contract;
use crate::harness::ACCOUNT;
use crate::http_client::{Reply, send};
use crate::process::{Served, make_book};

const SUMS: [&str; 5] = [
    "authorized_amount",
    "captured_amount",
    "cancelled_amount",
    "refunded_amount",
    "remaining_amount",
];

/// The program's public URL, which keeps links and tokens valid after a restart.
const PUBLIC_URL: &str = "https://book.example";

const TEN_YEARS_S: i64 = 315_360_000;

/// A running program with a book and a client.
pub struct Program {
    dir: TempDir,
    /// `None` only during a restart.
    server: Option<Served>,
    /// Fetched once; it stays valid after restarts.
    bearer: String,
    shops: usize,
}

impl Program {
    pub fn start() -> Program {
        let dir = tempfile::tempdir().unwrap();
        let client = make_book(&dir.path().join("book.db"));
        let mut program = Program { dir, server: None, bearer: String::new(), shops: 0 };
        let server = program.serve();
        program.bearer = format!("Bearer {}", server.token(&client));
        program.server = Some(server);
        program
    }

    pub fn db(&self) -> PathBuf {
        self.dir.path().join("book.db")
    }

    fn serve(&self) -> Served {
        Served::start_as(&self.db(), PUBLIC_URL)
    }

    fn restart(&mut self, ended: Ended) {
        let server = self.server.take().unwrap();
        match ended {
            Ended::Killed => server.kill(),
            Ended::Stopped => {
                server.signal("TERM");
                server.wait().expect(0);
            }
        }
        self.server = Some(self.serve());
    }

    fn send(&self, method: &str, path: &str, key: Option<&str>, body: Option<&str>) -> Reply {
        let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
        let mut headers = vec![("authorization", self.bearer.as_str())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let url = &self.server.as_ref().unwrap().url;
        let reply = send(url, method, &path, &headers, body);
        contract::check(method, &path, body, &reply);
        reply
    }

    fn get(&self, path: &str) -> Value {
        self.send("GET", path, None, None).expect(200).body
    }
}

/// The drafts and orders of one case. Each contains a word that only this case has.
pub struct HttpShop<'a> {
    program: &'a mut Program,
    word: String,
    drafts: Vec<HttpDraft>,
    orders: Vec<HttpOrder>,
    /// The first answer under each key.
    answers: HashMap<String, String>,
}

struct HttpDraft {
    id: String,
    lives: bool,
    multiple: bool,
    amends: Option<usize>,
}

struct HttpOrder {
    order_id: String,
    multiple: bool,
    /// Every operation that got a 200, oldest first.
    operations: Vec<(Kind, Value)>,
    authorization_ids: Vec<String>,
}

/// Whether a plan's orders expire. None does during the trial, but the program keeps count of which
/// of them have operations, and the audit recounts that.
fn lives(plan: &Plan) -> bool {
    plan.payable.len().is_multiple_of(2)
}

impl HttpShop<'_> {
    pub fn new<'a>(program: &'a mut Program, first: &Plan) -> HttpShop<'a> {
        program.shops += 1;
        let word = format!("sak{:07}", program.shops);
        let (drafts, orders, answers) = (Vec::new(), Vec::new(), HashMap::new());
        let mut shop = HttpShop { program, word, drafts, orders, answers };
        let done = shop.call(&Call::Draft(first.clone()), Form::Plain, usize::MAX);
        assert_eq!(done, Outcome::Answered(Ok(())));
        let done = shop.call(&Call::Complete(Some(0)), Form::Plain, usize::MAX - 1);
        assert_eq!(done, Outcome::Answered(Ok(())));
        // The reference counts only the drafts made from here on.
        shop.drafts.clear();
        shop
    }

    /// Remembers the ids in a 200 for a new draft, order or operation.
    fn remember(&mut self, call: &Call, reply: Reply) {
        match call {
            Call::Operate(order, request) => self.orders[*order].remember(request, reply),
            Call::Draft(plan) => {
                let id = reply.body["id"].as_str().unwrap().to_owned();
                assert_eq!(self.program.get(&format!("/draft_orders/{id}")), reply.body);
                let (multiple, amends, lives) = (plan.multiple, plan.amends, lives(plan));
                assert_eq!(reply.body["expires_at"].is_string(), lives);
                self.drafts.push(HttpDraft { id, lives, multiple, amends });
            }
            Call::Complete(nth) => {
                let draft = &self.drafts[nth.unwrap()];
                let shown = self.program.get(&format!("/draft_orders/{}", draft.id));
                assert_eq!(shown["status"], "completed");
                let (multiple, amends, lives) = (draft.multiple, draft.amends, draft.lives);
                for order in reply.body["orders"].as_array().unwrap() {
                    let order_id = order["order_id"].as_str().unwrap().to_owned();
                    assert_eq!(self.program.get(&format!("/orders/{order_id}")), *order);
                    match amends {
                        Some(nth) => assert_eq!(self.orders[nth].order_id, order_id),
                        None => {
                            assert_eq!(order["expires_at"].is_string(), lives);
                            self.orders.push(HttpOrder::new(order_id, multiple));
                        }
                    }
                }
            }
            Call::Change(..) | Call::Nowhere(_) => {}
        }
    }

    /// A replayed answer about an operation has the bytes of the first answer. One about an order
    /// or a draft shows it as it is now (docs/contract.md, Decision 3).
    fn expect_replay(&self, call: &Call, first: &str, reply: &Reply) {
        let id_of = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();
        let order = |order_id: String| self.program.get(&format!("/orders/{order_id}"));
        let answered: Value = serde_json::from_str(first).unwrap();
        let now = match call {
            Call::Operate(..) | Call::Nowhere(_) => {
                assert_eq!(reply.text, first);
                return;
            }
            Call::Change(..) => order(id_of(&answered, "order_id")),
            Call::Draft(_) => {
                self.program.get(&format!("/draft_orders/{}", id_of(&answered, "id")))
            }
            Call::Complete(_) => {
                let orders = answered["orders"].as_array().unwrap();
                let now = orders.iter().map(|one| order(id_of(one, "order_id")));
                json!({"orders": now.collect::<Vec<_>>()})
            }
        };
        assert_eq!(reply.body, now);
    }

    fn path(&self, call: &Call) -> (&'static str, String) {
        match call {
            Call::Operate(order, request) => {
                let order_id = &self.orders[*order].order_id;
                ("POST", format!("/orders/{order_id}/{}", request.kind.plural()))
            }
            Call::Nowhere(request) => {
                ("POST", format!("/orders/nowhere/{}", request.kind.plural()))
            }
            Call::Change(order, change) => {
                let word = match change {
                    Change::Open => "open",
                    Change::Close => "close",
                    Change::Cancel => "cancel",
                };
                ("POST", format!("/orders/{}/{word}", self.orders[*order].order_id))
            }
            Call::Draft(_) => ("POST", "/draft_orders".to_owned()),
            Call::Complete(nth) => {
                let id = nth.map_or("nowhere", |nth| &self.drafts[nth].id);
                ("PUT", format!("/draft_orders/{id}/complete"))
            }
        }
    }

    fn body(&self, call: &Call, form: Form) -> String {
        let mut members = match call {
            Call::Operate(order, request) => self.orders[*order].members(request),
            Call::Nowhere(request) => self.orders[0].members(request),
            Call::Draft(plan) => self.draft_members(plan),
            Call::Change(..) | Call::Complete(_) => Vec::new(),
        };
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

    fn draft_members(&self, plan: &Plan) -> Vec<String> {
        let item = |line: i64, gross: i64, discount: i64| {
            json!({
                "id": "p",
                "line_id": line,
                "gross_amount": gross,
                "discount_lines": [{"amount": discount, "line_id": 1}],
            })
        };
        let planned = plan.payable.iter().map(|(line, payable)| {
            let discount = DISCOUNT * payable.signum();
            item(*line, payable + discount, discount)
        });
        let mut items: Vec<Value> = planned.collect();
        match plan.flaw {
            PlanFlaw::None => {}
            PlanFlaw::LineTwice => items.push(items[0].clone()),
            PlanFlaw::DiscountWithWrongSign => {
                let wrong = if plan.payable[0].1 < 0 { 1 } else { -1 };
                items[0]["discount_lines"][0]["amount"] = json!(wrong);
            }
            PlanFlaw::TotalOutOfRange => items.extend([item(77, MOST, 0), item(78, MOST, 0)]),
            PlanFlaw::NoItems => items.clear(),
            PlanFlaw::TwoStores => items[0]["store"] = json!({"id": OTHER_STORE}),
        }
        let mut order =
            json!({"currency": "NOK", "items": items, "customer": {"first_name": self.word}});
        let mut options = json!({"multiple_authorizations": plan.multiple});
        if lives(plan) {
            options["order_time_to_live"] = json!(TEN_YEARS_S);
        }
        if let Some(name) = plan.name {
            order["order_id"] = json!(format!("{}-{name}", self.word));
            options["split_draft"] = json!(false);
        }
        if let Some(nth) = plan.amends {
            options["order_id"] = json!(self.orders[nth].order_id);
        }
        if plan.payout {
            order["store"] = json!({"id": STORE});
            options["payout"] = json!("PAYOUT");
        }
        let options = options.to_string().replace("\"PAYOUT\"", OPTION);
        vec![format!("\"order\":{order}"), format!("\"options\":{options}")]
    }

    fn refusal(&self, call: &Call, reply: &Reply) -> Answer {
        let none = Vec::new();
        let errors = reply.body["error"]["errors"].as_array().unwrap_or(&none);
        let order = match call {
            Call::Operate(order, _) => &self.orders[*order],
            _ => return Err((reply.status, reply.code().to_owned(), problems(errors, &[]))),
        };
        Err((reply.status, reply.code().to_owned(), problems(errors, &order.operations)))
    }
}

impl HttpOrder {
    fn new(order_id: String, multiple: bool) -> HttpOrder {
        HttpOrder { order_id, multiple, operations: Vec::new(), authorization_ids: Vec::new() }
    }

    fn remember(&mut self, request: &Request, reply: Reply) {
        let total: i64 = request.items.iter().map(|item| item.1).sum();
        assert_eq!(reply.body["amount"], total);
        assert_eq!(reply.body["success"], request.success);
        let under = request.authorization.filter(|_| self.multiple).map(|named| self.id_of(named));
        let under = under.filter(|_| request.kind != Kind::Authorization);
        assert_eq!(reply.body["authorization_id"].as_str(), under.as_deref());
        if request.kind == Kind::Authorization {
            self.authorization_ids.push(reply.body["id"].as_str().unwrap().to_owned());
        }
        self.operations.push((request.kind, reply.body));
    }

    fn id_of(&self, named: Named) -> String {
        match named {
            Named::Nth(nth) => self.authorization_ids[nth].clone(),
            Named::Stranger => "0c9a3d0c-94f6-4a51-8a0b-1f6f0a1f2b3c".to_owned(),
        }
    }

    fn members(&self, request: &Request) -> Vec<String> {
        let item = |&(line, amount): &(i64, i64)| json!({"line_id": line, "amount": amount});
        let items: Vec<Value> = request.items.iter().map(item).collect();
        let mut members = vec![format!("\"items\":{}", Value::from(items))];
        if !request.success {
            members.push("\"success\":false".to_owned());
        }
        if let Some(named) = request.authorization {
            members.push(format!("\"authorization_id\":\"{}\"", self.id_of(named)));
        }
        members
    }
}

fn problems(errors: &[Value], made: &[(Kind, Value)]) -> Vec<Problem> {
    let problem = |error: &Value| {
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        let last = error["last_operation"]["id"].as_str();
        let number = |id| made.iter().position(|(_, made)| made["id"] == id).unwrap();
        let remaining = error["remaining"].as_i64();
        Problem {
            path: text("path"),
            code: text("code"),
            remaining: remaining.map(|remaining| (remaining, last.map(number))),
        }
    };
    errors.iter().map(problem).collect()
}

impl Tried for HttpShop<'_> {
    fn call(&mut self, call: &Call, form: Form, key: usize) -> Outcome {
        let (method, path) = self.path(call);
        // All cases share one book, so the case's word is made part of each key.
        let key = format!("{} {key}", self.word);
        let reply = self.program.send(method, &path, Some(&key), Some(&self.body(call, form)));
        match (reply.status, reply.header("idempotency-replayed")) {
            (200, Some("true")) => {
                self.expect_replay(call, &self.answers[&key], &reply);
                Outcome::Replayed
            }
            (200, None) => {
                self.answers.insert(key, reply.text.clone());
                self.remember(call, reply);
                Outcome::Answered(Ok(()))
            }
            (422, None) => {
                assert_eq!(reply.code(), "idempotency_key_reused");
                Outcome::KeyReused
            }
            _ => Outcome::Answered(self.refusal(call, &reply)),
        }
    }

    fn shown(&self, order: usize) -> Shown {
        let HttpOrder { order_id, operations, .. } = &self.orders[order];
        let order = self.program.get(&format!("/orders/{order_id}"));
        let mut payouts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for kind in Kind::ALL {
            let of_kind: Vec<&Value> =
                operations.iter().filter(|(of, _)| *of == kind).map(|(_, made)| made).collect();
            assert_eq!(order[kind.plural()], json!(of_kind));
            if !of_kind.is_empty() {
                let told = of_kind.into_iter().map(told_by).collect();
                payouts.insert(kind.plural().to_owned(), told);
            }
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
            payouts,
        }
    }

    fn list(&self, list: &List) -> Page {
        let mut query = format!("search={}&total=true&limit={}", self.word, list.limit);
        for status in &list.statuses {
            query.push_str(&format!("&status={status}"));
        }
        if !list.payment_statuses.is_empty() {
            query.push_str(&format!("&payment_status={}", list.payment_statuses.join(",")));
        }
        let path = |nth: usize| format!("/orders/{}", self.orders[nth].order_id);
        if let Some(after) = list.after {
            let token = self.program.get(&path(after))["paging_token"].clone();
            query.push_str(&format!("&starting_after={}", token.as_str().unwrap()));
        }
        let reply = self.program.send("GET", &format!("/orders?{query}"), None, None).expect(200);
        let listed = reply.body["orders"].as_array().unwrap();
        let number = |order: &Value| {
            let nth = self.orders.iter().position(|known| order["order_id"] == known.order_id);
            nth.unwrap()
        };
        let orders: Vec<usize> = listed.iter().map(number).collect();
        if let Some(first) = orders.first() {
            assert_eq!(listed[0], self.program.get(&path(*first)));
        }
        Page { orders, total: reply.header("total-count").unwrap().parse().unwrap() }
    }

    fn expect_list_refused(&self) {
        for (query, problem) in [
            ("stauts=open", "stauts unknown_filter"),
            ("status=opened", "status bad_value"),
            ("limit=0", "limit bad_value"),
        ] {
            let refused = self.program.send("GET", &format!("/orders?{query}"), None, None);
            assert_eq!(refused.expect(400).problems(), problem);
        }
    }

    fn restart(&mut self, ended: Ended) {
        self.program.restart(ended);
    }

    /// Runs a checkpoint from outside the program.
    fn checkpoint(&self) {
        #[expect(clippy::disallowed_methods, reason = "another program works on the file")]
        let conn = Connection::open(self.program.db()).unwrap();
        // During a checkpoint of the program's own, this one returns without waiting.
        let sql = "pragma wal_checkpoint(restart)";
        conn.query_row(sql, [], |_| Ok(())).unwrap();
    }
}
