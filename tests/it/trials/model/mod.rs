//! Random operations compared with the reference ledger: the pure decision in this process, and the
//! whole program over HTTP, which is ended and restarted in between.

mod expiries;
mod keys;
mod met;
mod over_http;
mod properties;
mod pure;
pub mod reference;
pub mod reference_payouts;
mod shop;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;

use keys::Keys;
use met::{
    EVERY_ACTION, EVERY_ACTION_OVER_HTTP, EVERY_REFUSAL, EVERY_STATUS_CHANGE, Met,
    NAME_TAKEN_OVER_HTTP, RUN_AGAIN_OVER_HTTP,
};
use over_http::{HttpShop, Program};
use proptest::prelude::{TestCaseError, prop_assert_eq};
use pure::PureOrder;
use reference::{Answer, Change, Order, Request};
use shop::{List, Page, Plan, Shop};
use steps::{Case, Ended, Form, Step, case_of};

use crate::audit;
use crate::trials::{count, runner, seed, seed_or};

/// With this seed the usual numbers of cases reach every situation that the trials expect.
const SEED_OF_FEW_CASES: u64 = 15_117_705_140_405_361_735;

/// A request. Orders and drafts are numbered in the order in which they were made.
#[derive(Debug, Clone)]
enum Call {
    Operate(usize, Request),
    Change(usize, Change),
    /// An operation on an order that does not exist.
    Nowhere(Request),
    Draft(Plan),
    /// `None` is a draft that does not exist.
    Complete(Option<usize>),
}

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Answered(Answer),
    Replayed,
    KeyReused,
}

/// The part of an order that the ledger decides.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    status: String,
    payment_status: String,
    /// Authorized, captured, cancelled, refunded, remaining; by line.
    sums: BTreeMap<i64, [i64; 5]>,
    /// The payouts of all operations, by the plural of their kind.
    payouts: BTreeMap<String, Vec<String>>,
}

/// The side under test.
trait Tried {
    fn call(&mut self, call: &Call, form: Form, key: usize) -> Outcome;
    fn shown(&self, order: usize) -> Shown;
    fn list(&self, list: &List) -> Page;
    fn expect_list_refused(&self);
    fn restart(&mut self, ended: Ended);
    fn checkpoint(&self);
}

#[test]
fn the_decision_agrees_with_the_reference_ledger() {
    let cases = count("TILLBOOK_MODEL_CASES", 500);
    let seed = seed_for("model in process", cases, 20_000);
    let met = RefCell::new(Met::default());
    let agreed = runner(seed, cases).run(&case_of(50, steps::in_process()), |case| {
        walk(&case, &mut PureOrder::new(&case.first), &mut met.borrow_mut())
    });
    agreed.unwrap_or_else(|failure| panic!("{failure}"));
    let least = if cases < 20_000 { 1 } else { 100 };
    met.borrow().tell();
    met.borrow().expect(&[EVERY_REFUSAL, EVERY_ACTION, EVERY_STATUS_CHANGE], least);
}

#[test]
fn the_server_agrees_with_the_reference_ledger_through_restarts() {
    let cases = count("TILLBOOK_MODEL_HTTP_CASES", 40);
    let seed = seed_for("model over HTTP", cases, 600);
    let program = RefCell::new(Program::start());
    let met = RefCell::new(Met::default());
    let agreed = runner(seed, cases).run(&case_of(40, steps::over_http()), |case| {
        let mut program = program.borrow_mut();
        walk(&case, &mut HttpShop::new(&mut program, &case.first), &mut met.borrow_mut())
    });
    agreed.unwrap_or_else(|failure| panic!("{failure}"));
    audit::expect_clean(&program.borrow().db());
    let least = if cases < 600 { 1 } else { 100 };
    met.borrow().tell();
    met.borrow().expect(&[EVERY_REFUSAL, EVERY_ACTION, EVERY_ACTION_OVER_HTTP], least);
    met.borrow().expect(&[NAME_TAKEN_OVER_HTTP], least.min(20));
    met.borrow().expect(&[RUN_AGAIN_OVER_HTTP], least / 5);
}

/// A small number of cases has a fixed seed, so that chance does not decide whether they reach
/// every situation.
fn seed_for(trial: &str, cases: u32, many: u32) -> u64 {
    if cases < many { seed_or(trial, SEED_OF_FEW_CASES) } else { seed(trial) }
}

/// Does all steps on the tested side and on the reference, and compares after each.
fn walk(case: &Case, tried: &mut dyn Tried, met: &mut Met) -> Result<(), TestCaseError> {
    let mut shop = Shop::new(&case.first);
    let mut keys = Keys::default();
    for step in &case.steps {
        let (call, form, key) = match step {
            Step::Operate(draw) => {
                let order = draw.order % shop.orders.len();
                keys.fresh(Call::Operate(order, draw.resolve(&shop.orders[order])))
            }
            Step::Nowhere(draw) => keys.fresh(Call::Nowhere(draw.resolve(&shop.orders[0]))),
            Step::Change(order, change) => {
                keys.fresh(Call::Change(order % shop.orders.len(), *change))
            }
            Step::Draft(plan) => {
                let amends = plan.amends.map(|drawn| drawn % shop.orders.len());
                keys.fresh(Call::Draft(Plan { amends, ..plan.clone() }))
            }
            Step::Complete(draw) => keys.fresh(Call::Complete(draw.resolve(shop.drafts.len()))),
            Step::Again(which, form) => match keys.again(*which, *form) {
                Some(sent) => sent,
                None => continue,
            },
            _ => {
                go_on(step, tried, &shop, met)?;
                continue;
            }
        };
        let touched = match call {
            Call::Operate(order, _) | Call::Change(order, _) => order,
            Call::Complete(Some(nth)) => shop.drafts[nth].plan.amends.unwrap_or(0),
            _ => 0,
        };
        let before = shop.orders[touched].payment_status();
        let expected = keys.expected(key, &call, form, &mut shop);
        let outcome = tried.call(&call, form, key);
        prop_assert_eq!(sorted(outcome), sorted(expected.clone()), "{:?}", call);
        prop_assert_eq!(tried.shown(touched), shown(&shop.orders[touched]), "after {:?}", call);
        met.note_outcome(&call, &expected);
        if let (Call::Operate(order, request), Outcome::Answered(Ok(()))) = (&call, &expected) {
            let told = shop.orders[*order].payouts.told[request.kind.plural()].last();
            if request.success && told.is_some_and(|told| !told.is_empty()) {
                met.note(format!("payout of {:?}", request.kind));
            }
        }
        if matches!((step, &expected), (Step::Again(..), Outcome::Answered(Ok(())))) {
            met.note("run again after a refusal");
        }
        let after = shop.orders[touched].payment_status();
        if before != after {
            met.note(format!("{before} -> {after}"));
        }
    }
    Ok(())
}

/// Does a step that changes no order: lists, restarts and checkpoints.
fn go_on(
    step: &Step,
    tried: &mut dyn Tried,
    shop: &Shop,
    met: &mut Met,
) -> Result<(), TestCaseError> {
    match step {
        Step::List(list) => {
            let list =
                List { after: list.after.map(|nth| nth % shop.orders.len()), ..list.clone() };
            let page = shop.list(&list);
            prop_assert_eq!(tried.list(&list), page.clone(), "{:?}", list);
            for (what, is_met) in [
                ("list", true),
                ("list with status", !list.statuses.is_empty()),
                ("list with payment_status", !list.payment_statuses.is_empty()),
                ("list after an order", list.after.is_some()),
                ("list cut short", list.after.is_none() && page.orders.len() < page.total),
            ] {
                if is_met {
                    met.note(what);
                }
            }
        }
        Step::ListRefused => {
            tried.expect_list_refused();
            met.note("list refused");
        }
        Step::Restart(ended) => {
            tried.restart(*ended);
            met.note(if *ended == Ended::Killed { "killed" } else { "stopped" });
        }
        _ => {
            tried.checkpoint();
            met.note("checkpoint");
        }
    }
    Ok(())
}

/// Sorts the problems, because their order is not promised.
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
        payouts: reference.payouts.told.clone(),
    }
}
