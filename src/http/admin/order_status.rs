//! Opening, closing and cancelling an order from its page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::ApiError;
use super::super::extract::{order_in_path, state};
use super::form::Form;
use super::order;
use super::order_actions::refusal_words;
use super::page_error::PageError;
use super::sign_in::see_other;
use super::visitor::Staff;
use crate::app::{ChangeOrderStatus, ChangeOrderStatusRefused};
use crate::domain::order::{CancelledReason, StatusChange};
use crate::domain::role::Right;
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
