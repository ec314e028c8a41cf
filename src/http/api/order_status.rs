//! Opening, closing and cancelling an order.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{ApiError, Code};
use super::super::extract::{
    BODY_BYTES_MAX, Sent, ShoppingWriter, on_behalf_of, order_in_path, state, write,
};
use super::super::shape::{Shape, clean, optional};
use super::{order_view, query};
use crate::app::{ChangeOrderStatus, ChangeOrderStatusRefused};
use crate::auth::access::Actor;
use crate::domain::order::{CancelledReason, StatusChange, StatusChangeRejected};
use crate::json::Tree;
use crate::store::OrderRecord;

const CANCEL: Shape = Shape::Object(&[optional(
    "cancelled_reason",
    Shape::OneOf(&["customer", "merchant", "fraud", "expired", "other"]),
)]);

/// `POST /orders/{order_id}/open`
pub async fn open(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, &sent, StatusChange::Open).await
}

/// `POST /orders/{order_id}/close`
pub async fn close(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, &sent, StatusChange::Close).await
}

/// `POST /orders/{order_id}/cancel`, body `{"cancelled_reason"?}`
pub async fn cancel(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let mut problems = Vec::new();
    let body = clean(&sent.body, CANCEL, "", &mut problems);
    if !problems.is_empty() {
        return Err(ApiError::invalid(problems));
    }
    let reason = body.member("cancelled_reason").and_then(Tree::as_text);
    let change_to = StatusChange::Cancel(reason.and_then(CancelledReason::parse));
    change(&actor, &request, &sent, change_to).await
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<BODY_BYTES_MAX>,
    change: StatusChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = query::include_events(request)?;
    let command = ChangeOrderStatus {
        on_behalf_of: on_behalf_of(actor),
        order: order_in_path(request)?,
        change,
        event: sent.event(),
    };
    let links = state.links.clone();
    let render = move |order: &OrderRecord| order_view::render(&links, order, include);
    write(state, sent.once(actor, command, render), refused).await
}

fn refused(why: ChangeOrderStatusRefused) -> ApiError {
    let (code, message) = match why {
        ChangeOrderStatusRefused::OrderNotFound => return ApiError::not_found("order"),
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderCancelled) => {
            (Code::OrderCancelled, "The order is cancelled, and stays so.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderNotOpen) => {
            (Code::OrderNotOpen, "Only an open order can be closed.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderNotClosed) => {
            (Code::OrderNotClosed, "Only a closed order can be opened.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderHasCaptures) => (
            Code::OrderHasCaptures,
            "Money was captured for this order. Record refunds, or close the order instead.",
        ),
    };
    ApiError::new(code, message)
}
