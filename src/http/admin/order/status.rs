//! Opening, closing and cancelling an order from its page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::actions::refusal_words;
use super::page::show_problem;
use crate::app::{ChangeOrderStatus, ChangeOrderStatusRefused};
use crate::domain::order::{CancelledReason, StatusChange};
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{order_href, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::error::ApiError;
use crate::http::extract::order_in_path;
use crate::http::order_size::order_too_large;
use crate::http::state::state;
use crate::store::{NewApiEvent, WriteError};

/// `POST /admin/{aid}/orders/{order_id}/{open|close|cancel}`
pub async fn change(
    to: StatusChange,
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageOrders)?;
    match read_change(to, &form) {
        Ok(change) => write(&staff, &request, change).await,
        Err(problem) => show_problem(&staff, &request, StatusCode::BAD_REQUEST, problem).await,
    }
}

/// The change that the form asks for. The API accepts a cancellation without a reason; the page
/// always asks for one.
fn read_change(to: StatusChange, form: &Form) -> Result<StatusChange, &'static str> {
    match to {
        StatusChange::Cancel(_) => CancelledReason::parse(form.text("cancelled_reason"))
            .map(|reason| StatusChange::Cancel(Some(reason)))
            .ok_or("Choose why the order is cancelled."),
        StatusChange::Close | StatusChange::Open => Ok(to),
    }
}

async fn write(
    staff: &Staff,
    request: &HttpRequest,
    change: StatusChange,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let event = NewApiEvent {
        method: "POST",
        path: request.path().to_owned(),
        body: None,
        body_sha256: None,
    };
    let order = order_in_path(request)?;
    let command = ChangeOrderStatus { on_behalf_of: staff.on_behalf_of(), order, change, event };
    match state.store.writer.write(command).await {
        Ok(order) => Ok(see_other(&order_href(state, &staff.account_id, &order.order_id))),
        Err(WriteError::Refused(ChangeOrderStatusRefused::Rejected(why))) => {
            show_problem(staff, request, StatusCode::CONFLICT, refusal_words(why)).await
        }
        Err(WriteError::Refused(ChangeOrderStatusRefused::TooLarge(why))) => {
            let message = order_too_large(why).message;
            show_problem(staff, request, StatusCode::CONFLICT, &message).await
        }
        Err(
            error @ (WriteError::Refused(ChangeOrderStatusRefused::OrderNotFound)
            | WriteError::Store(_)
            | WriteError::QueueFull
            | WriteError::Unavailable(_)
            | WriteError::Crashed
            | WriteError::WritesOff),
        ) => Err(ApiError::from_write(error, |_| ApiError::not_found("order")).into()),
    }
}
