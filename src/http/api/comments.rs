//! Adds and deletes comments on an order.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::{name_written, render_written};
use crate::app::{CommentChange, CommentOrder, CommentOrderRefused};
use crate::auth::access::Actor;
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::ApiError;
use crate::http::extract::{Sent, ShoppingWriter, on_behalf_of, order_in_path, path_segment};
use crate::http::order_size::order_too_large;
use crate::http::reply::write_and_read;
use crate::http::state::state;
use crate::wire::{comment_request, list_query};

/// `POST /orders/{order_id}/comments`: adds a comment; answers with the order.
pub async fn create(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let comment = CommentChange::Add(comment_request::parse(&sent.body)?);
    change(&actor, &request, &sent, comment).await
}

/// `DELETE /orders/{order_id}/comments/{comment_id}`: deletes one; answers with the order.
pub async fn delete(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    let id = path_segment(&request, "comment_id").unwrap_or_default();
    change(&actor, &request, &sent, CommentChange::Delete(id)).await
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<BODY_BYTES_MAX>,
    change: CommentChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = list_query::include_events(request.query_string())?;
    let command = CommentOrder {
        on_behalf_of: on_behalf_of(actor),
        order: order_in_path(request)?,
        change,
        event: sent.event(),
    };
    let render = render_written(state.links.clone(), actor.account_id.clone(), include);
    write_and_read(state, actor, sent.once(actor, command, name_written), refused, render).await
}

/// Explains why a comment was not added or deleted.
pub fn refused(why: CommentOrderRefused) -> ApiError {
    match why {
        CommentOrderRefused::OrderNotFound => ApiError::not_found("order"),
        CommentOrderRefused::CommentNotFound => ApiError::not_found("comment"),
        CommentOrderRefused::TooLarge(why) => order_too_large(why),
    }
}
