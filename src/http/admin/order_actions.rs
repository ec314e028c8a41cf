//! What may be done with an order besides its money: opening, closing, cancelling.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::ApiError;
use super::super::extract::{order_in_path, state};
use super::super::state::AppState;
use super::form::Form;
use super::form_href;
use super::operation_words::{self, right, words};
use super::order;
use super::page_error::PageError;
use super::sign_in::see_other;
use super::visitor::Staff;
use crate::app::{ChangeOrderStatus, ChangeOrderStatusRefused};
use crate::auth::role::Right;
use crate::domain::operation::OperationKind;
use crate::domain::order::{
    CancelledReason, StatusChange, StatusChangeRejected, decide_status_change,
};
use crate::store::{NewApiEvent, OrderRecord, WriteError};

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

/// `POST /admin/{aid}/orders/{order_id}/{open|close|cancel}`
pub async fn change(
    to: StatusChange,
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageOrders)?;
    let state = state(&request)?;
    let change = match to {
        StatusChange::Cancel(_) => {
            let Some(reason) = CancelledReason::parse(form.text("cancelled_reason")) else {
                let mut page = order::page(&staff, &request, "Choose why it is cancelled.").await?;
                *page.status_mut() = StatusCode::BAD_REQUEST;
                return Ok(page);
            };
            StatusChange::Cancel(Some(reason))
        }
        other => other,
    };
    let event = NewApiEvent {
        method: "POST",
        path: request.path().to_owned(),
        body: None,
        body_sha256: None,
    };
    let order = order_in_path(&request)?;
    let command = ChangeOrderStatus { on_behalf_of: staff.on_behalf_of(), order, change, event };
    match state.store.writer.write(command).await {
        Ok(order) => {
            let base = format!("{}/admin/{}/orders", state.links.base_path(), staff.account_id);
            let segment = super::path_segment(order.order_id.as_str());
            Ok(see_other(&format!("{base}/{segment}")))
        }
        Err(WriteError::Refused(ChangeOrderStatusRefused::Rejected(why))) => {
            let mut page = order::page(&staff, &request, refusal_words(why)).await?;
            *page.status_mut() = StatusCode::CONFLICT;
            Ok(page)
        }
        Err(error) => Err(ApiError::from_write(error, |why| match why {
            ChangeOrderStatusRefused::Store(error) => error.into(),
            _ => ApiError::not_found("order"),
        })
        .into()),
    }
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
            Err(rejected) => operation_words::refusal(&rejected),
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

fn refusal_words(why: StatusChangeRejected) -> &'static str {
    match why {
        StatusChangeRejected::OrderCancelled => "The order is cancelled, and stays so.",
        StatusChangeRejected::OrderNotOpen => "The order is closed already.",
        StatusChangeRejected::OrderNotClosed => "The order is open.",
        StatusChangeRejected::OrderHasCaptures => {
            "Money was captured. Refund it, or close the order instead."
        }
    }
}
