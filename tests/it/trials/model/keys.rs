//! The requests sent under each idempotency key, and their answers (docs/contract.md, Decision 4).

use std::collections::BTreeMap;

use super::reference::{body_problems, invalid};
use super::shop::{Shop, not_found, plan_problems};
use super::steps::{Form, Which};
use super::{Call, Outcome};

#[derive(Default)]
pub struct Keys {
    sent: Vec<Call>,
    last_conflict: Option<usize>,
    /// True if the request that got the 200 had the changed body.
    answered: BTreeMap<usize, bool>,
}

impl Keys {
    /// The number of the key of a new request.
    pub fn fresh(&mut self, call: Call) -> (Call, Form, usize) {
        self.sent.push(call.clone());
        (call, Form::Plain, self.sent.len() - 1)
    }

    /// Draws an earlier request to send again, if there is one.
    pub fn again(&self, which: Which, form: Form) -> Option<(Call, Form, usize)> {
        let at = match which {
            Which::Nth(nth) => nth.checked_rem(self.sent.len())?,
            Which::LastConflict => self.last_conflict?,
        };
        Some((self.sent[at].clone(), form, at))
    }

    /// The expected outcome. Records the request in the reference.
    pub fn expected(&mut self, key: usize, call: &Call, form: Form, shop: &mut Shop) -> Outcome {
        let other = form == Form::Other;
        // An invalid body is refused before the key is looked up.
        match self.answered.get(&key).filter(|_| !is_always_invalid(call)) {
            Some(stored) if *stored == other => return Outcome::Replayed,
            Some(_) => return Outcome::KeyReused,
            None => {}
        }
        let answer = match call {
            Call::Operate(order, request) => shop.orders[*order].operate(request),
            Call::Change(order, change) => shop.orders[*order].change(*change),
            Call::Nowhere(request) => invalid(body_problems(request)).and(not_found()),
            Call::Draft(plan) => shop.draft(plan),
            Call::Complete(draft) => shop.complete(*draft),
        };
        match &answer {
            Ok(()) => drop(self.answered.insert(key, other)),
            Err((409, ..)) if form == Form::Plain => self.last_conflict = Some(key),
            Err(_) => {}
        }
        Outcome::Answered(answer)
    }
}

fn is_always_invalid(call: &Call) -> bool {
    match call {
        Call::Operate(_, request) | Call::Nowhere(request) => !body_problems(request).is_empty(),
        Call::Draft(plan) => plan_problems(plan).is_some(),
        Call::Change(..) | Call::Complete(_) => false,
    }
}
