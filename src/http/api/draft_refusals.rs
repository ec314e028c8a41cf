//! Explains why a draft was not made, changed or completed.

use crate::app::{ChangeDraftRefused, CompleteDraftRefused, CreateDraftRefused, DraftProblem};
use crate::domain::amendment::AmendmentRejected;
use crate::domain::draft::{CompletionRejected, DraftClosed};
use crate::domain::ids::{LineId, OrderName};
use crate::domain::item::ITEMS_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::order_size::{draft_too_large, order_too_large};
use crate::wire::draft_request::{custom_id_of_split_draft, no_line_id_left, total_out_of_range};
use crate::wire::order_request::time_to_live_passed;
use crate::wire::problem::Problem;

pub fn create_refused(why: CreateDraftRefused) -> ApiError {
    match why {
        CreateDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CreateDraftRefused::OrderUnknown => invalid(order_unknown()),
        CreateDraftRefused::NoLineIdLeft => invalid(no_line_id_left("/order/items")),
    }
}

pub fn change_refused(why: ChangeDraftRefused) -> ApiError {
    match why {
        ChangeDraftRefused::DraftNotFound => ApiError::not_found("draft"),
        ChangeDraftRefused::LineNotFound => ApiError::not_found("item"),
        ChangeDraftRefused::Problem(problem) => invalid(explain(problem)),
        ChangeDraftRefused::Closed(closed) => draft_closed(closed),
        ChangeDraftRefused::LineInUse(line_id) => lines_in_use(&[line_id], "draft"),
        ChangeDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        ChangeDraftRefused::TooLarge(why) => draft_too_large(why),
    }
}

pub fn complete_refused(why: CompleteDraftRefused) -> ApiError {
    match why {
        CompleteDraftRefused::DraftNotFound => ApiError::not_found("draft"),
        CompleteDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CompleteDraftRefused::OrderUnknown => invalid(order_unknown()),
        CompleteDraftRefused::Rejected(CompletionRejected::Closed(closed)) => draft_closed(closed),
        CompleteDraftRefused::Rejected(CompletionRejected::NoItems) => invalid(Problem::new(
            "/order/items",
            "empty",
            "The draft has no items; add one before you complete it.",
        )),
        CompleteDraftRefused::PayoutRulesUnknown(items) => {
            ApiError::invalid(items.into_iter().map(payout_rule_unknown).collect())
        }
        CompleteDraftRefused::TimeToLivePassed => invalid(time_to_live_passed()),
        CompleteDraftRefused::TooLarge(why) => order_too_large(why),
        CompleteDraftRefused::Amendment(rejected) => amendment_rejected(&rejected),
    }
}

fn amendment_rejected(rejected: &AmendmentRejected) -> ApiError {
    match rejected {
        AmendmentRejected::OrderCancelled => {
            ApiError::new(Code::OrderCancelled, "The order is cancelled; make a new one.")
        }
        AmendmentRejected::OrderNotOpen => {
            ApiError::new(Code::OrderNotOpen, "The order is closed; open it again first.")
        }
        AmendmentRejected::CurrencyMismatch => ApiError::new(
            Code::CurrencyMismatch,
            "The order has another currency than the draft; make a draft in the order's currency.",
        ),
        AmendmentRejected::HasPaymentOperations => ApiError::new(
            Code::HasPaymentOperations,
            "The order has payment operations, so it cannot be replaced. Reverse its lines and add \
             others with a draft that has options.order_id but not options.replace.",
        ),
        AmendmentRejected::LinesInUse(line_ids) => lines_in_use(line_ids, "order"),
        AmendmentRejected::TooManyItems => {
            let message = format!("The order would have more than {ITEMS_MAX} items; add fewer.");
            invalid(Problem::new("/order/items", "too_many_items", message))
        }
        AmendmentRejected::TotalOutOfRange => invalid(total_out_of_range("/order/items")),
    }
}

fn explain(problem: DraftProblem) -> Problem {
    match problem {
        DraftProblem::OrderUnknown => order_unknown(),
        DraftProblem::CustomIdOfSplitDraft => custom_id_of_split_draft(),
        DraftProblem::NoLineIdLeft => no_line_id_left("/line_id"),
        DraftProblem::TooManyItems => {
            let message = format!("A draft has at most {ITEMS_MAX} items; remove one first.");
            Problem::new("", "too_many_items", message)
        }
        DraftProblem::TimeToLivePassed => time_to_live_passed(),
        DraftProblem::TotalOutOfRange => total_out_of_range("/gross_amount"),
    }
}

fn invalid(problem: Problem) -> ApiError {
    ApiError::invalid(vec![problem])
}

fn payout_rule_unknown(item: usize) -> Problem {
    let message = "There is no payout rule with this rule_type and rule_id; make one, or leave \
                   manual_payout out to use the rule of the item's store.";
    Problem::new(format!("/order/items/{item}/manual_payout"), "unknown_payout_rule", message)
}

fn order_unknown() -> Problem {
    let message = "There is no order with this id to change; leave it out to make a new order.";
    Problem::new("/options/order_id", "unknown_order", message)
}

fn order_id_taken(name: &OrderName) -> ApiError {
    let message =
        format!("An order with the id {} exists; choose another order_id.", name.as_str());
    ApiError::new(Code::OrderIdTaken, message)
}

fn draft_closed(closed: DraftClosed) -> ApiError {
    match closed {
        DraftClosed::Completed => {
            ApiError::new(Code::DraftCompleted, "The draft was completed already; make a new one.")
        }
        DraftClosed::Deleted => {
            ApiError::new(Code::DraftDeleted, "The draft was deleted; make a new one.")
        }
    }
}

fn lines_in_use(line_ids: &[LineId], of: &str) -> ApiError {
    let numbers: Vec<String> = line_ids.iter().map(|id| id.number().to_string()).collect();
    let lines = numbers.join(", ");
    let message =
        format!("The {of} has these lines already: {lines}. Leave line_id out or choose others.");
    ApiError::new(Code::LineInUse, message)
}
