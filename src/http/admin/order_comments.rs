//! Comments on an order, added and deleted from its page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::super::api::comments;
use super::super::error::ApiError;
use super::super::extract::{order_in_path, path_segment, state};
use super::form::Form;
use super::order;
use super::page_error::PageError;
use super::sign_in::see_other;
use super::visitor::Staff;
use crate::app::{CommentChange, CommentOrder};
use crate::auth::client_secret::sha256;
use crate::auth::role::Right;
use crate::domain::KeptJson;
use crate::json::Tree;
use crate::store::NewApiEvent;

/// Characters of a comment that is written on the page.
pub const COMMENT_CHARS_MAX: usize = 2_000;

/// `POST /admin/{aid}/orders/{order_id}/comments`
pub async fn create(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::Comment)?;
    // A browser ends the lines of a text area with two characters.
    let text = form.text("comment").replace("\r\n", "\n");
    let problem = match text.chars().count() {
        _ if text.trim().is_empty() => "Write a comment before you add it.",
        count if COMMENT_CHARS_MAX < count => "The comment is too long; 2,000 characters fit.",
        _ => "",
    };
    if !problem.is_empty() {
        let mut page = order::page(&staff, &request, problem).await?;
        *page.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(page);
    }
    let document = comments::parse(&Tree::object([("comment", Tree::text(text))]))?;
    change(&staff, &request, CommentChange::Add(document)).await
}

/// `POST /admin/{aid}/orders/{order_id}/comments/{comment_id}/delete`
pub async fn delete(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::Comment)?;
    let id = path_segment(&request, "comment_id").unwrap_or_default();
    change(&staff, &request, CommentChange::Delete(id)).await
}

async fn change(
    staff: &Staff,
    request: &HttpRequest,
    change: CommentChange,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let body = match &change {
        CommentChange::Add(document) => Some(document.clone()),
        CommentChange::Delete(_) => None,
    };
    let event = NewApiEvent {
        method: "POST",
        path: request.path().to_owned(),
        body_sha256: body.as_ref().map(|KeptJson(text)| sha256(text.as_bytes())),
        body,
    };
    let order = order_in_path(request)?;
    let command = CommentOrder { on_behalf_of: staff.on_behalf_of(), order, change, event };
    let written = state.store.writer.write(command).await;
    let order = written.map_err(|error| ApiError::from_write(error, comments::refused))?;
    let base = format!("{}/admin/{}/orders", state.links.base_path(), staff.account_id);
    Ok(see_other(&format!("{base}/{}#events", super::path_segment(order.order_id.as_str()))))
}
