//! What may be done with an order today, and why not what may not.

use crate::domain::operation::OperationKind;
use crate::domain::order::{StatusChange, StatusChangeRejected, decide_status_change};
use crate::domain::role::Right;
use crate::http::admin::operation::words::{refusal, right, words};
use crate::http::admin::reply::form_href;
use crate::http::admin::visitor::Staff;
use crate::http::state::AppState;
use crate::store::OrderRecord;

/// Something that may be done with an order, or why not.
pub struct Action {
    pub word: &'static str,
    pub name: &'static str,
    pub asks_reason: bool,
    /// Why it cannot be done; empty when it can.
    pub refusal: &'static str,
}

/// An operation that may be recorded by hand, or why not.
pub struct OperationAction {
    /// Its form, with a key of its own.
    pub href: String,
    pub name: &'static str,
    /// What most people come for.
    pub first: bool,
    /// Why it cannot be done; empty when it can.
    pub refusal: &'static str,
}

/// The operations that may be recorded, asked of the rules themselves; those that the visitor's
/// role has no right to are left out.
pub fn operation_actions(
    state: &AppState,
    order: &OrderRecord,
    staff: &Staff,
    order_href: &str,
) -> Vec<OperationAction> {
    use OperationKind::{Authorization, Cancellation, Capture, Refund};
    let kinds = [Capture, Refund, Cancellation, Authorization];
    let allowed = kinds.into_iter().filter(|kind| staff.visitor.role.may(right(*kind)));
    let action = |kind: OperationKind| {
        let refusal = match order.ledger.expect_status(kind) {
            Err(rejected) => refusal(&rejected),
            Ok(()) if order.ledger.has_left(kind) => "",
            Ok(()) => words(kind).nothing_left,
        };
        let href = format!("{order_href}/{}", kind.plural());
        let href = form_href(&href, &state.randomness.uuid(), "");
        OperationAction { href, name: words(kind).action, first: kind == Capture, refusal }
    };
    allowed.map(action).collect()
}

/// What may be done, asked of the rules themselves; a role that may not change orders sees none.
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

/// Why a status stays, for a person.
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
