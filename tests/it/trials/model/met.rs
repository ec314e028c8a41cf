//! Counts how often each situation occurred, because a rule that no run reached is not tested.

use std::collections::BTreeMap;

use super::reference::Request;
use super::{Call, Outcome};
use crate::trials::say;

/// The number of times that each situation occurred, by its description.
#[derive(Default)]
pub struct Met(BTreeMap<String, u64>);

impl Met {
    pub fn note(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn note_outcome(&mut self, call: &Call, outcome: &Outcome) {
        let what = match call {
            Call::Operate(_, request) | Call::Nowhere(request) => format!("{:?}", request.kind),
            Call::Change(_, change) => format!("{change:?}"),
            Call::Draft(_) => "Draft".to_owned(),
            Call::Complete(_) => "Complete".to_owned(),
        };
        match (outcome, call) {
            (Outcome::Replayed, _) => self.note("replayed"),
            (Outcome::KeyReused, _) => self.note("key reused"),
            (Outcome::Answered(Ok(())), Call::Operate(_, Request { success: false, .. })) => {
                self.note("stored without success");
            }
            (Outcome::Answered(Ok(())), _) => self.note(format!("200 {what}")),
            (Outcome::Answered(Err((400, _, problems))), Call::Draft(_) | Call::Complete(_)) => {
                problems.iter().for_each(|p| self.note(format!("400 {} {what}", p.code)));
            }
            (Outcome::Answered(Err((400, _, problems))), _) => {
                problems.iter().for_each(|problem| self.note(format!("400 {}", problem.code)));
            }
            (Outcome::Answered(Err((404, ..))), Call::Complete(_)) => self.note("404 Complete"),
            (Outcome::Answered(Err((404, ..))), _) => self.note("404 operation"),
            (Outcome::Answered(Err((status, code, _))), _) => {
                self.note(format!("{status} {code} {what}"));
            }
        }
    }

    /// Prints all counts.
    pub fn tell(&self) {
        say(&format!("{:#?}", self.0));
    }

    /// Panics if one of these situations occurred less than `at_least` times.
    #[track_caller]
    pub fn expect(&self, expected: &[&[&str]], at_least: u64) {
        let rare = |what: &&str| self.0.get(*what).copied().unwrap_or(0) < at_least;
        let missed: Vec<&str> = expected.concat().into_iter().filter(rare).collect();
        assert!(missed.is_empty(), "occurred less than {at_least} times: {missed:?}");
    }
}

/// Every refusal of the ledger.
pub const EVERY_REFUSAL: &[&str] = &[
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
    "409 order_cancelled Open",
    "409 order_cancelled Close",
    "409 order_cancelled Cancel",
    "409 order_not_open Authorization",
    "409 order_not_open Close",
    "409 order_not_closed Open",
    "409 order_has_captures Cancel",
];

/// Every accepted action on an order.
pub const EVERY_ACTION: &[&str] = &[
    "200 Authorization",
    "200 Capture",
    "200 Refund",
    "200 Cancellation",
    "200 Open",
    "200 Close",
    "200 Cancel",
    "stored without success",
    "payout of Authorization",
    "payout of Capture",
    "payout of Refund",
    "payout of Cancellation",
];

/// Every possible change of the payment status.
pub const EVERY_STATUS_CHANGE: &[&str] = &[
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

/// Rare: a refused request is accepted when sent again.
pub const RUN_AGAIN_OVER_HTTP: &[&str] = &["run again after a refusal"];

/// Rare: two drafts with the same name, both completed.
pub const NAME_TAKEN_OVER_HTTP: &[&str] = &["409 order_id_taken Complete"];

/// Situations that occur only over HTTP.
pub const EVERY_ACTION_OVER_HTTP: &[&str] = &[
    "200 Draft",
    "200 Complete",
    "400 duplicate_line Draft",
    "400 wrong_sign Draft",
    "400 amount_out_of_range Draft",
    "400 empty Complete",
    "409 order_cancelled Complete",
    "409 order_not_open Complete",
    "409 line_in_use Complete",
    "404 Complete",
    "404 operation",
    "409 order_id_taken Draft",
    "409 draft_completed Complete",
    "list",
    "list with status",
    "list with payment_status",
    "list after an order",
    "list cut short",
    "list refused",
    "replayed",
    "key reused",
    "killed",
    "stopped",
    "checkpoint",
];
