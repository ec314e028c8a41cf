//! Cancelling a payment session from its order's page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::page::show_problem;
use crate::app::{CancelOrderSession, CancelOrderSessionRefused};
use crate::domain::order_session::SessionStatus;
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{order_href, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::api::order_sessions::session_in_path;
use crate::http::error::ApiError;
use crate::http::extract::order_in_path;
use crate::http::state::state;
use crate::store::WriteError;

/// `POST /admin/{aid}/orders/{order_id}/sessions/{session_id}/cancel`
pub async fn cancel(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManagePayments)?;
    let state = state(&request)?;
    let order = order_in_path(&request)?;
    let href = order_href(state, &staff.account_id, &order);
    let session_id = session_in_path(&request)?;
    let on_behalf_of = staff.on_behalf_of();
    let command = CancelOrderSession { on_behalf_of, order, session_id };
    match state.store.writer.write(command).await {
        Ok(_) => Ok(see_other(&format!("{href}#sessions"))),
        Err(WriteError::Refused(CancelOrderSessionRefused::SessionNotOpen(status))) => {
            let problem = match status {
                SessionStatus::Completed => "The session was paid before it could be cancelled.",
                _ => "The session had already ended.",
            };
            show_problem(&staff, &request, StatusCode::CONFLICT, problem).await
        }
        Err(error) => Err(ApiError::from_write(error, |_| ApiError::not_found("session")).into()),
    }
}
