//! The actions on an order's page: which are possible now, and why the others are not.

use crate::domain::operation::OperationKind;
use crate::domain::order::{OrderStatus, StatusChange, StatusChangeRejected, decide_status_change};
use crate::domain::role::Right;
use crate::http::admin::operation::words::{Words, refusal, right};
use crate::http::admin::reply::form_href;
use crate::http::admin::visitor::Staff;
use crate::http::state::AppState;
use crate::store::OrderRecord;

/// A change of the order's status.
pub struct Action {
    pub word: &'static str,
    pub name: &'static str,
    pub asks_reason: bool,
    /// Why it is not possible now; empty when it is.
    pub refusal: &'static str,
}

/// An operation to record by hand.
pub struct OperationAction {
    /// The address of its form, with a new key.
    pub href: String,
    pub name: &'static str,
    /// True for the most common operation, which gets the main button.
    pub first: bool,
    /// Why it is not possible now; empty when it is.
    pub refusal: &'static str,
}

/// The operations that the visitor's role may record. The domain decides which are possible now.
pub fn operation_actions(
    state: &AppState,
    order: &OrderRecord,
    staff: &Staff,
    order_href: &str,
) -> Vec<OperationAction> {
    use OperationKind::{Authorization, Cancellation, Capture, Refund};
    let kinds = [Capture, Refund, Cancellation, Authorization];
    let is_cancelled = order.ledger.status == OrderStatus::Cancelled;
    let first = if is_cancelled { Cancellation } else { Capture };
    let allowed = kinds.into_iter().filter(|kind| staff.visitor.role.may(right(*kind)));
    let action = |kind: OperationKind| {
        let refusal = match order.ledger.expect_status(kind) {
            Err(rejected) => refusal(&rejected),
            Ok(()) if order.ledger.has_left(kind) => "",
            Ok(()) => Words::of(kind).nothing_left,
        };
        let href = format!("{order_href}/{}", kind.plural());
        let href = form_href(&href, &state.randomness.uuid(), "");
        OperationAction { href, name: Words::of(kind).action, first: kind == first, refusal }
    };
    allowed.map(action).collect()
}

/// The changes of status; empty for a role that may not change orders. The domain decides which are
/// possible now.
pub fn actions(order: &OrderRecord, staff: &Staff) -> Vec<Action> {
    if !staff.visitor.role.may(Right::ManageOrders) {
        return Vec::new();
    }
    let all = [
        ("close", "Close order", StatusChange::Close),
        ("open", "Open order again", StatusChange::Open),
        ("cancel", "Cancel order", StatusChange::Cancel(None)),
    ];
    let action = |(word, name, change)| {
        let decided = decide_status_change(order.ledger.status, &order.ledger.lines, change);
        let asks_reason = matches!(change, StatusChange::Cancel(_));
        Action { word, name, asks_reason, refusal: decided.err().map_or("", refusal_words) }
    };
    all.into_iter().map(action).collect()
}

/// A refusal as a sentence.
pub fn refusal_words(why: StatusChangeRejected) -> &'static str {
    match why {
        StatusChangeRejected::OrderCancelled => "The order is cancelled, which cannot be undone.",
        StatusChangeRejected::OrderNotOpen => "The order is already closed.",
        StatusChangeRejected::OrderNotClosed => "The order is already open.",
        StatusChangeRejected::OrderHasCaptures => {
            "Money was captured. Refund it, or close the order instead."
        }
    }
}
