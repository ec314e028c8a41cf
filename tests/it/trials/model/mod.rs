//! Random operations against the reference ledger: the pure decision in process, and the whole
//! server over HTTP with restarts.

mod over_http;
mod pure;
pub mod reference;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;

use over_http::HttpOrder;
use proptest::prelude::{TestCaseError, prop_assert_eq};
use pure::PureOrder;
use reference::{Answer, Change, Order, Request, body_problems};
use steps::{Case, Form, Step, Which, case_of};

use crate::audit;
use crate::harness::App;
use crate::trials::{count, runner, say, seed};

/// A request to an order that may not be there.
#[derive(Debug, Clone)]
enum Call {
    Operate(Request),
    Change(Change),
    Nowhere(Request),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Answered(Answer),
    Replayed,
    KeyReused,
}

/// What an order shows, as far as the ledger decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    status: String,
    payment_status: String,
    /// Authorized, captured, cancelled, refunded, remaining; by line.
    sums: BTreeMap<i64, [i64; 5]>,
}

/// One order under trial.
trait Tried {
    fn call(&mut self, call: &Call, form: Form, key: &str) -> Outcome;
    fn shown(&self) -> Shown;
    fn restart(&mut self);
}

#[test]
fn the_decision_agrees_with_the_reference_ledger() {
    let seed = seed("model in process");
    let cases = count("TILLBOOK_MODEL_CASES", 3_000);
    let met = RefCell::new(Met::default());
    let agreed = runner(seed, cases).run(&case_of(50, steps::in_process()), |case| {
        walk(&case, &mut PureOrder::new(&case.payable, case.multiple), &mut met.borrow_mut())
    });
    agreed.unwrap_or_else(|failure| panic!("{failure}"));
    met.borrow().expect(&[EVERY_REFUSAL, EVERY_MOVE], 20);
}

#[test]
fn the_server_agrees_with_the_reference_ledger_through_restarts() {
    let seed = seed("model over HTTP");
    let cases = count("TILLBOOK_MODEL_HTTP_CASES", 50);
    let app = RefCell::new(App::start());
    let met = RefCell::new(Met::default());
    let agreed = runner(seed, cases).run(&case_of(40, steps::over_http()), |case| {
        let mut app = app.borrow_mut();
        let mut order = HttpOrder::new(&mut app, &case.payable, case.multiple);
        walk(&case, &mut order, &mut met.borrow_mut())
    });
    agreed.unwrap_or_else(|failure| panic!("{failure}"));
    audit::expect_clean(&app.borrow().db);
    met.borrow().expect(&[USUAL_OVER_HTTP], 1);
}

/// What a run must have met, or it has tried too little.
const EVERY_REFUSAL: &[&str] = &[
    "200 Authorization",
    "200 Capture",
    "200 Refund",
    "200 Cancellation",
    "200 Open",
    "200 Close",
    "200 Cancel",
    "400 empty",
    "400 duplicate_line",
    "400 unknown_line",
    "400 wrong_sign",
    "400 amount_out_of_range",
    "400 required",
    "400 unknown_authorization",
    "409 amount_exceeds_remaining Authorization",
    "409 amount_exceeds_remaining Capture",
    "409 amount_exceeds_remaining Refund",
    "409 amount_exceeds_remaining Cancellation",
    "409 order_cancelled Authorization",
    "409 order_cancelled Capture",
    "409 order_not_open Authorization",
    "409 order_cancelled Cancel",
    "409 order_has_captures Cancel",
    "409 order_not_closed Open",
    "409 order_not_open Close",
    "stored without success",
];

/// Every way from one payment status to another that there is.
const EVERY_MOVE: &[&str] = &[
    "pending -> partially_paid",
    "pending -> paid",
    "pending -> refunded",
    "partially_paid -> paid",
    "partially_paid -> partially_refunded",
    "partially_paid -> refunded",
    "paid -> partially_paid",
    "paid -> partially_refunded",
    "paid -> refunded",
    "partially_refunded -> refunded",
    "refunded -> partially_refunded",
    "refunded -> partially_paid",
    "refunded -> paid",
];

/// So common that even a short run that misses one is broken.
const USUAL_OVER_HTTP: &[&str] = &[
    "200 Authorization",
    "200 Capture",
    "200 Refund",
    "200 Cancellation",
    "200 Close",
    "400 unknown_line",
    "400 wrong_sign",
    "400 duplicate_line",
    "400 unknown_authorization",
    "404 not_found",
    "409 amount_exceeds_remaining Capture",
    "409 amount_exceeds_remaining Refund",
    "stored without success",
    "pending -> partially_paid",
    "replayed",
    "key reused",
    "run again after a refusal",
    "restarted",
];

/// How often what was met.
#[derive(Default)]
struct Met(BTreeMap<String, u64>);

impl Met {
    fn note(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn note_outcome(&mut self, call: &Call, outcome: &Outcome) {
        let what = match call {
            Call::Operate(request) | Call::Nowhere(request) => format!("{:?}", request.kind),
            Call::Change(change) => format!("{change:?}"),
        };
        match (outcome, call) {
            (Outcome::Replayed, _) => self.note("replayed"),
            (Outcome::KeyReused, _) => self.note("key reused"),
            (Outcome::Answered(Ok(())), Call::Operate(Request { success: false, .. })) => {
                self.note("stored without success");
            }
            (Outcome::Answered(Ok(())), _) => self.note(format!("200 {what}")),
            (Outcome::Answered(Err((400, _, problems))), _) => {
                problems.iter().for_each(|problem| self.note(format!("400 {}", problem.code)));
            }
            (Outcome::Answered(Err((404, code, _))), _) => self.note(format!("404 {code}")),
            (Outcome::Answered(Err((status, code, _))), _) => {
                self.note(format!("{status} {code} {what}"));
            }
        }
    }

    #[track_caller]
    fn expect(&self, expected: &[&[&str]], at_least: u64) {
        say(&format!("{:#?}", self.0));
        let rare = |what: &&str| self.0.get(*what).copied().unwrap_or(0) < at_least;
        let missed: Vec<&str> = expected.concat().into_iter().filter(rare).collect();
        assert!(missed.is_empty(), "met fewer than {at_least} times: {missed:?}");
    }
}

/// Does all steps on the order and on the reference, and compares after each.
fn walk(case: &Case, tried: &mut dyn Tried, met: &mut Met) -> Result<(), TestCaseError> {
    let mut reference = Order::new(&case.payable, case.multiple);
    let mut keys = Keys::default();
    for step in &case.steps {
        let (call, form, key) = match step {
            Step::Operate(draw) => keys.fresh(Call::Operate(draw.resolve(&reference))),
            Step::Nowhere(draw) => keys.fresh(Call::Nowhere(draw.resolve(&reference))),
            Step::Change(change) => keys.fresh(Call::Change(*change)),
            Step::Again(which, form) => match keys.again(*which, *form) {
                Some(sent) => sent,
                None => continue,
            },
            Step::Restart => {
                tried.restart();
                met.note("restarted");
                continue;
            }
        };
        let before = reference.payment_status();
        let expected = keys.expected(&key, &call, form, &mut reference);
        let outcome = tried.call(&call, form, &key);
        prop_assert_eq!(sorted(outcome), sorted(expected.clone()), "{:?}", call);
        prop_assert_eq!(tried.shown(), shown(&reference), "after {:?}", call);
        met.note_outcome(&call, &expected);
        if matches!((step, &expected), (Step::Again(..), Outcome::Answered(Ok(())))) {
            met.note("run again after a refusal");
        }
        let after = reference.payment_status();
        if before != after {
            met.note(format!("{before} -> {after}"));
        }
    }
    Ok(())
}

/// What was sent under which key, and what the keys stand for.
#[derive(Default)]
struct Keys {
    sent: Vec<Call>,
    last_conflict: Option<usize>,
    /// Whether the request that got the 200 had the other body.
    answered: BTreeMap<String, bool>,
}

impl Keys {
    fn fresh(&mut self, call: Call) -> (Call, Form, String) {
        self.sent.push(call.clone());
        (call, Form::Plain, format!("key {}", self.sent.len() - 1))
    }

    fn again(&self, which: Which, form: Form) -> Option<(Call, Form, String)> {
        let at = match which {
            Which::Nth(nth) => nth.checked_rem(self.sent.len())?,
            Which::LastConflict => self.last_conflict?,
        };
        Some((self.sent[at].clone(), form, format!("key {at}")))
    }

    fn expected(&mut self, key: &str, call: &Call, form: Form, reference: &mut Order) -> Outcome {
        let other = form == Form::Other;
        let is_stored = match call {
            // A body that can never be right is told before the key is looked at.
            Call::Operate(request) | Call::Nowhere(request)
                if !body_problems(request).is_empty() =>
            {
                return Outcome::Answered(reference.operate(request));
            }
            _ => self.answered.get(key),
        };
        match is_stored {
            Some(stored) if *stored == other => return Outcome::Replayed,
            Some(_) => return Outcome::KeyReused,
            None => {}
        }
        let answer = match call {
            Call::Operate(request) => reference.operate(request),
            Call::Change(change) => reference.change(*change),
            Call::Nowhere(_) => Err((404, "not_found".to_owned(), Vec::new())),
        };
        match &answer {
            Ok(()) => drop(self.answered.insert(key.to_owned(), other)),
            Err((409, ..)) if form == Form::Plain => self.last_conflict = nth_of(key),
            Err(_) => {}
        }
        Outcome::Answered(answer)
    }
}

fn nth_of(key: &str) -> Option<usize> {
    key.trim_start_matches("key ").parse().ok()
}

/// The order of problems is no promise.
fn sorted(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Answered(Err((status, code, mut problems))) => {
            problems.sort();
            Outcome::Answered(Err((status, code, problems)))
        }
        other => other,
    }
}

fn shown(reference: &Order) -> Shown {
    let lines = reference.payable.keys();
    Shown {
        status: reference.status.to_owned(),
        payment_status: reference.payment_status().to_owned(),
        sums: lines.map(|line| (*line, reference.sums(*line))).collect(),
    }
}
