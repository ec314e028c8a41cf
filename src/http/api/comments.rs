//! Comments on an order, by those who work on it.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{ApiError, Problem};
use super::super::extract::{
    BODY_BYTES_MAX, Sent, ShoppingWriter, on_behalf_of, order_in_path, path_segment, state, write,
};
use super::super::shape::{Shape, clean, optional, required};
use super::{order_view, query};
use crate::app::{CommentChange, CommentOrder, CommentOrderRefused};
use crate::auth::access::Actor;
use crate::domain::KeptJson;
use crate::json::{ObjectText, Tree};
use crate::store::{CommentRecord, OrderRecord};

const COMMENT: Shape = Shape::Object(&[
    required("comment", Shape::Text),
    optional("id", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
]);

/// `POST /orders/{order_id}/comments`: adds a comment; answers the order.
pub async fn create(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let comment = CommentChange::Add(parse(&sent.body)?);
    change(&actor, &request, &sent, comment).await
}

/// `DELETE /orders/{order_id}/comments/{comment_id}`: deletes one; answers the order.
pub async fn delete(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    let id = path_segment(&request, "comment_id").unwrap_or_default();
    change(&actor, &request, &sent, CommentChange::Delete(id)).await
}

/// The comment in a body, or everything that is wrong with it.
pub fn parse(body: &Tree) -> Result<KeptJson, ApiError> {
    let mut problems = Vec::new();
    let kept = clean(body, COMMENT, "", &mut problems);
    let text = kept.member("comment").and_then(Tree::as_text);
    if text.is_some_and(|text| text.trim().is_empty()) {
        problems.push(Problem::new("/comment", "bad_value", "There is nothing in the comment."));
    }
    if problems.is_empty() {
        Ok(KeptJson(kept.to_string()))
    } else {
        Err(ApiError::invalid(problems))
    }
}

/// One comment's JSON text.
pub fn render(comment: &CommentRecord) -> String {
    let mut object = ObjectText::default();
    object
        .text("id", &comment.id)
        .text("created_at", &crate::clock::rfc3339(comment.created_at))
        .text("created_by", &comment.created_by.0)
        .members_of(&comment.document.0)
        .end()
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<BODY_BYTES_MAX>,
    change: CommentChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = query::include_events(request)?;
    let command = CommentOrder {
        on_behalf_of: on_behalf_of(actor),
        order: order_in_path(request)?,
        change,
        event: sent.event(),
    };
    let links = state.links.clone();
    let render = move |order: &OrderRecord| order_view::render(&links, order, include);
    write(state, sent.once(actor, command, render), refused).await
}

/// Why the comments stay as they are.
pub fn refused(why: CommentOrderRefused) -> ApiError {
    match why {
        CommentOrderRefused::OrderNotFound => ApiError::not_found("order"),
        CommentOrderRefused::CommentNotFound => ApiError::not_found("comment"),
    }
}
