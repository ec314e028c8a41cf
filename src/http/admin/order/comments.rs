//! Comments on an order, added and deleted from its page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::page::{Refused, show_refused};
use crate::app::{CommentChange, CommentOrder, Idempotent};
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::role::Right;
use crate::http::admin::form::{self, Form};
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{order_href, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::api::comments;
use crate::http::api::orders::name_written;
use crate::http::error::ApiError;
use crate::http::extract::{order_in_path, path_segment};
use crate::http::reply::run;
use crate::http::state::state;
use crate::json::Tree;
use crate::store::{KeyUse, NewApiEvent};
use crate::wire::comment_request;

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
    let text = match read_text(&form) {
        Ok(text) => text,
        Err(problem) => {
            let refused = Refused { problem, comment: form.text("comment") };
            return show_refused(&staff, &request, StatusCode::BAD_REQUEST, refused).await;
        }
    };
    let key = key_use(&staff, &request, &form, &text);
    let document = comment_request::parse(&Tree::object([("comment", Tree::text(text))]))
        .map_err(ApiError::from)?;
    let command = command(&staff, &request, CommentChange::Add(document))?;
    write(&staff, &request, Idempotent { command, key, name: name_written }).await
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
    let command = command(&staff, &request, CommentChange::Delete(id))?;
    write(&staff, &request, Idempotent { command, key: None, name: name_written }).await
}

fn read_text(form: &Form) -> Result<String, &'static str> {
    // Browsers send CRLF line ends in a text area, which would count as two characters each.
    let text = form.text("comment").replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err("Write a comment before you add it.");
    }
    if COMMENT_CHARS_MAX < text.chars().count() {
        return Err("The comment is too long: at most 2,000 characters.");
    }
    Ok(text)
}

/// The key that keeps a form that is sent twice from adding two comments. It includes the text, so
/// that going back and writing something else adds another comment. `None` for a form without a
/// valid key.
fn key_use(staff: &Staff, request: &HttpRequest, form: &Form, text: &str) -> Option<KeyUse> {
    let words = BASE64_URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()));
    let key = form.text("key");
    form::is_key(key).then(|| KeyUse {
        hash: staff.key_hash(&format!("{key} {words}")),
        fingerprint: sha256(request.path().as_bytes()),
    })
}

fn command(
    staff: &Staff,
    request: &HttpRequest,
    change: CommentChange,
) -> Result<CommentOrder, PageError> {
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
    Ok(CommentOrder { on_behalf_of: staff.on_behalf_of(), order, change, event })
}

async fn write(
    staff: &Staff,
    request: &HttpRequest,
    command: Idempotent<CommentOrder>,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let href = order_href(state, &staff.account_id, &command.command.order);
    run(state, command, comments::refused).await?;
    Ok(see_other(&format!("{href}#events")))
}
