//! Random orders that expire, compared with a reference written from docs/contract.md, Decision 13.

#![expect(clippy::unwrap_used, reason = "a trial that cannot go on has failed")]

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tillbook::worker::sweep_expired;

use crate::audit;
use crate::harness::App;
use crate::trials::{count, runner, seed};
use crate::verify::expect_verified;

/// A step about the n-th order, or about all of them.
#[derive(Debug, Clone)]
enum Step {
    /// Seconds to live.
    Make(Option<i64>),
    Operate(usize, bool),
    Live(usize, Option<i64>),
    Open(usize),
    Close(usize),
    PassMs(i64),
    Sweep,
    Restart,
}

/// An order as the contract says.
#[derive(Debug)]
struct Expected {
    order_id: String,
    created_ms: i64,
    lives_s: Option<i64>,
    has_operation: bool,
    is_open: bool,
    is_gone: bool,
    /// Whether the present moment was carried out.
    is_over: bool,
}

impl Expected {
    /// Carries out the expiry, if its moment has come.
    fn settle(&mut self, now_ms: i64) {
        let is_due = self.lives_s.is_some_and(|lives| self.created_ms + 1_000 * lives <= now_ms);
        if !is_due || self.is_over {
            return;
        }
        self.is_over = true;
        self.is_gone = !self.has_operation;
        self.is_open = false;
    }

    /// The status of the answer to a request that the order gets if it is not gone.
    fn answer(&mut self, status: impl FnOnce(&mut Expected) -> u16) -> u16 {
        if self.is_gone { 404 } else { status(self) }
    }

    fn live(&mut self, lives_s: Option<i64>, now_ms: i64) -> u16 {
        match lives_s {
            same if same == self.lives_s => 200,
            Some(lives) if self.created_ms + 1_000 * lives <= now_ms => 400,
            other => {
                self.lives_s = other;
                self.is_over = false;
                200
            }
        }
    }

    fn set_open(&mut self, is_open: bool) -> u16 {
        if self.is_open == is_open {
            return 409;
        }
        self.is_open = is_open;
        200
    }
}

fn step() -> impl Strategy<Value = Step> {
    let lives = || prop::option::weighted(0.8, 1_i64..=6);
    prop_oneof![
        4 => lives().prop_map(Step::Make),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(nth, success)| Step::Operate(nth, success)),
        3 => (any::<usize>(), lives()).prop_map(|(nth, lives)| Step::Live(nth, lives)),
        2 => any::<usize>().prop_map(Step::Open),
        1 => any::<usize>().prop_map(Step::Close),
        // Boundaries are hit exactly.
        4 => prop_oneof![Just(1), Just(999), Just(1_000), Just(2_500)].prop_map(Step::PassMs),
        2 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

#[test]
fn orders_expire_as_the_reference_says() {
    let cases = count("TILLBOOK_MODEL_EXPIRY_CASES", 12);
    let agreed = runner(seed("model of expiry"), cases).run(&vec(step(), 10..60), |steps| {
        let mut app = App::start();
        let mut orders: Vec<Expected> = Vec::new();
        for step in steps {
            take(&mut app, &mut orders, &step);
            let now_ms = app.clock.now().0;
            orders.iter_mut().for_each(|order| order.settle(now_ms));
            compare(&app, &orders, &step);
        }
        expect_verified(&app);
        audit::expect_clean(&app.db);
        Ok(())
    });
    agreed.unwrap_or_else(|failure| panic!("{failure}"));
}

fn take(app: &mut App, orders: &mut Vec<Expected>, step: &Step) {
    let now_ms = app.clock.now().0;
    let count = orders.len();
    let nth = |nth: &usize| nth.checked_rem(count);
    let options = |lives: &Option<i64>| json!({"order_time_to_live": lives});
    let (reply, expected) = match step {
        Step::Make(lives_s) => {
            let item = json!({"id": "p", "gross_amount": 5});
            let order_id = app.order(json!({"currency": "NOK", "items": [item]}), options(lives_s));
            orders.push(Expected {
                order_id,
                created_ms: now_ms,
                lives_s: *lives_s,
                has_operation: false,
                is_open: true,
                is_gone: false,
                is_over: false,
            });
            return;
        }
        Step::PassMs(ms) => return app.pass(*ms),
        Step::Sweep => return sweep_expired(&app.state.store),
        Step::Restart => return app.restart(),
        Step::Operate(drawn, success) => {
            let Some(order) = nth(drawn).map(|nth| &mut orders[nth]) else { return };
            // It moves nothing, so that only the event tells that there is an operation.
            let body = json!({"items": [{"line_id": 1, "amount": 0}], "success": success});
            let path = format!("/orders/{}/authorizations", order.order_id);
            let expected = order.answer(|order| {
                let is_taken = order.is_open || !success;
                order.has_operation |= is_taken;
                if is_taken { 200 } else { 409 }
            });
            (app.post(&path, body), expected)
        }
        Step::Live(drawn, lives_s) => {
            let Some(order) = nth(drawn).map(|nth| &mut orders[nth]) else { return };
            let body = json!({"options": options(lives_s)});
            let reply = app.put(&format!("/orders/{}", order.order_id), body);
            (reply, order.answer(|order| order.live(*lives_s, now_ms)))
        }
        Step::Open(drawn) | Step::Close(drawn) => {
            let Some(order) = nth(drawn).map(|nth| &mut orders[nth]) else { return };
            let is_open = matches!(step, Step::Open(_));
            let word = if is_open { "open" } else { "close" };
            let reply = app.post(&format!("/orders/{}/{word}", order.order_id), json!({}));
            (reply, order.answer(|order| order.set_open(is_open)))
        }
    };
    assert_eq!(reply.status, expected, "{step:?}: {}", reply.text);
}

/// Compares every order and the lists by status.
fn compare(app: &App, orders: &[Expected], step: &Step) {
    let mut lists: [(&str, Vec<&str>); 3] =
        [("open", Vec::new()), ("closed", Vec::new()), ("closed,open", Vec::new())];
    for order in orders.iter().rev() {
        let reply = app.get(&format!("/orders/{}", order.order_id));
        if order.is_gone {
            assert_eq!(reply.status, 404, "after {step:?}: {order:?}");
            continue;
        }
        let word = if order.is_open { "open" } else { "closed" };
        assert_eq!(reply.expect(200).body["status"], word, "after {step:?}: {order:?}");
        let shown = lists.iter_mut().filter(|(words, _)| words.split(',').any(|one| one == word));
        shown.for_each(|(_, listed)| listed.push(&order.order_id));
    }
    for (words, expected) in lists {
        let reply = app.get(&format!("/orders?total=true&limit=100&status={words}")).expect(200);
        let listed: Vec<&Value> =
            reply.body["orders"].as_array().unwrap().iter().map(|one| &one["order_id"]).collect();
        assert_eq!(listed, expected, "{words} after {step:?}");
        assert_eq!(reply.header("total-count").unwrap(), expected.len().to_string());
    }
}
