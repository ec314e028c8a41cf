//! Why a draft was not made, changed or completed, as it is answered.

use crate::app::{ChangeDraftRefused, CompleteDraftRefused, CreateDraftRefused, DraftProblem};
use crate::domain::amendment::AmendmentRejected;
use crate::domain::draft::{CompletionRejected, DraftClosed};
use crate::domain::ids::{LineId, OrderName};
use crate::domain::item::ITEMS_MAX;
use crate::http::error::{ApiError, Code};
use crate::wire::draft_request::{no_line_id_left, total_out_of_range};
use crate::wire::problem::Problem;

/// Why a draft was not made.
pub fn create_refused(why: CreateDraftRefused) -> ApiError {
    match why {
        CreateDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CreateDraftRefused::OrderUnknown => invalid(order_unknown()),
        CreateDraftRefused::NoLineIdLeft => invalid(no_line_id_left("/order/items")),
    }
}

/// Why a draft was not changed.
pub fn change_refused(why: ChangeDraftRefused) -> ApiError {
    match why {
        ChangeDraftRefused::DraftNotFound => ApiError::not_found("draft"),
        ChangeDraftRefused::LineNotFound => ApiError::not_found("item"),
        ChangeDraftRefused::Problem(problem) => invalid(explain(problem)),
        ChangeDraftRefused::Closed(closed) => draft_closed(closed),
        ChangeDraftRefused::LineInUse(line_id) => lines_in_use(&[line_id], "draft"),
        ChangeDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
    }
}

/// Why a draft was not completed.
pub fn complete_refused(why: CompleteDraftRefused) -> ApiError {
    match why {
        CompleteDraftRefused::DraftNotFound => ApiError::not_found("draft"),
        CompleteDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CompleteDraftRefused::OrderUnknown => invalid(order_unknown()),
        CompleteDraftRefused::Rejected(CompletionRejected::Closed(closed)) => draft_closed(closed),
        CompleteDraftRefused::Rejected(CompletionRejected::NoItems) => invalid(Problem::new(
            "/order/items",
            "empty",
            "The draft has no items, so there is nothing to order.",
        )),
        CompleteDraftRefused::Amendment(rejected) => amendment_rejected(&rejected),
    }
}

fn amendment_rejected(rejected: &AmendmentRejected) -> ApiError {
    match rejected {
        AmendmentRejected::OrderCancelled => {
            ApiError::new(Code::OrderCancelled, "The order is cancelled, and stays as it is.")
        }
        AmendmentRejected::OrderNotOpen => {
            ApiError::new(Code::OrderNotOpen, "The order is closed; open it again first.")
        }
        AmendmentRejected::CurrencyMismatch => ApiError::new(
            Code::CurrencyMismatch,
            "The draft is in another currency than the order; make one in the order's.",
        ),
        AmendmentRejected::HasPaymentOperations => ApiError::new(
            Code::HasPaymentOperations,
            "The order has payment operations, so it cannot be replaced. Reverse its lines and add \
             others with a draft that has options.order_id alone.",
        ),
        AmendmentRejected::LinesInUse(line_ids) => lines_in_use(line_ids, "order"),
        AmendmentRejected::TooManyItems => {
            let message = format!("The order would have more than {ITEMS_MAX} items.");
            invalid(Problem::new("/order/items", "too_many_items", message))
        }
        AmendmentRejected::TotalOutOfRange => invalid(total_out_of_range("/order/items")),
    }
}

fn explain(problem: DraftProblem) -> Problem {
    match problem {
        DraftProblem::OrderUnknown => order_unknown(),
        DraftProblem::CustomIdOfSplitDraft => {
            let message = "A custom order_id needs options.split_draft to be false.";
            Problem::new("/order/order_id", "bad_value", message)
        }
        DraftProblem::NoLineIdLeft => no_line_id_left("/line_id"),
        DraftProblem::TooManyItems => {
            let message = format!("A draft has at most {ITEMS_MAX} items.");
            Problem::new("", "too_many_items", message)
        }
        DraftProblem::TotalOutOfRange => total_out_of_range("/gross_amount"),
    }
}

fn invalid(problem: Problem) -> ApiError {
    ApiError::invalid(vec![problem])
}

fn order_unknown() -> Problem {
    let message = "There is no order of this name to change; leave it out to make a new one.";
    Problem::new("/options/order_id", "unknown_order", message)
}

fn order_id_taken(name: &OrderName) -> ApiError {
    let message = format!("Another order is called {}; choose another order_id.", name.as_str());
    ApiError::new(Code::OrderIdTaken, message)
}

fn draft_closed(closed: DraftClosed) -> ApiError {
    match closed {
        DraftClosed::Completed => {
            ApiError::new(Code::DraftCompleted, "The draft has been completed already.")
        }
        DraftClosed::Deleted => {
            ApiError::new(Code::DraftDeleted, "The draft has been deleted; make a new one.")
        }
    }
}

fn lines_in_use(line_ids: &[LineId], of: &str) -> ApiError {
    let numbers: Vec<String> = line_ids.iter().map(|id| id.number().to_string()).collect();
    let lines = numbers.join(", ");
    let message =
        format!("The {of} has these lines already: {lines}. Leave line_id out, or choose others.");
    ApiError::new(Code::LineInUse, message)
}
