//! Opens, closes and cancels an order.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::{name_written, render_written};
use crate::app::{ChangeOrderStatus, ChangeOrderStatusRefused};
use crate::auth::access::Actor;
use crate::domain::order::{StatusChange, StatusChangeRejected};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Sent, ShoppingWriter, on_behalf_of, order_in_path};
use crate::http::order_size::order_too_large;
use crate::http::reply::write_and_read;
use crate::http::state::state;
use crate::wire::{list_query, status_request};

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
    let reason = status_request::parse_cancel(&sent.body)?;
    change(&actor, &request, &sent, StatusChange::Cancel(reason)).await
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<BODY_BYTES_MAX>,
    change: StatusChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = list_query::include_events(request.query_string())?;
    let command = ChangeOrderStatus {
        on_behalf_of: on_behalf_of(actor),
        order: order_in_path(request)?,
        change,
        event: sent.event(),
    };
    let render = render_written(state.links.clone(), actor.account_id.clone(), include);
    write_and_read(state, actor, sent.once(actor, command, name_written), refused, render).await
}

fn refused(why: ChangeOrderStatusRefused) -> ApiError {
    let (code, message) = match why {
        ChangeOrderStatusRefused::OrderNotFound => return ApiError::not_found("order"),
        ChangeOrderStatusRefused::TooLarge(why) => return order_too_large(why),
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderCancelled) => {
            (Code::OrderCancelled, "The order is cancelled for good; make a new one.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderNotOpen) => {
            (Code::OrderNotOpen, "The order is closed already; there is nothing to do.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderNotClosed) => {
            (Code::OrderNotClosed, "The order is open already; there is nothing to do.")
        }
        ChangeOrderStatusRefused::Rejected(StatusChangeRejected::OrderHasCaptures) => (
            Code::OrderHasCaptures,
            "The order has captures; record refunds, or close the order instead.",
        ),
    };
    ApiError::new(code, message)
}
