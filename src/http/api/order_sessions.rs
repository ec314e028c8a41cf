//! Makes, shows and cancels the sessions of an order (docs/contract.md, Decision 11).

use actix_web::{HttpRequest, HttpResponse};

use super::hooks::judge_url_at;
use super::operations::{exceeded, reference_problem};
use super::orders::expect_order;
use crate::app::{
    CancelOrderSession, CancelOrderSessionRefused, CreateOrderSession, CreateOrderSessionRefused,
};
use crate::domain::ids::{AccountId, OrderName, OrderSeq, ResourceId, SessionSeq};
use crate::domain::operation::OperationKind;
use crate::domain::order_session::OPEN_SESSIONS_MAX;
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{
    Sent, ShoppingReader, ShoppingWriter, on_behalf_of, order_in_path, path_segment,
};
use crate::http::order_size::order_too_large;
use crate::http::reply::{read, write_and_read};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::{AnswerName, OrderSessionRecord, Reader};
use crate::wire::links::Links;
use crate::wire::problem::Problem;
use crate::wire::{session_request, session_view};

/// `POST /orders/{order_id}/sessions`
pub async fn create(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = session_request::parse(sent.body.clone())?;
    if let Some(url) = asked.callback_url() {
        judge_url_at(state, "/url/callback_url", url)?;
    }
    let command = CreateOrderSession {
        request: asked,
        on_behalf_of: on_behalf_of(&actor),
        order: order_in_path(&request)?,
        test_gateway: state.test_gateway,
    };
    let render = render_written(state.links.clone());
    write_and_read(state, &actor, sent.once(&actor, command, name), refused, render).await
}

/// `GET /orders/{order_id}/sessions`: all sessions, oldest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (links, order) = (state.links.clone(), order_in_path(&request)?);
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let order_seq = find_order_seq(reader, &account_id, &order)?;
        let sessions = reader.list_order_sessions(order_seq)?;
        let callbacks = reader.list_session_callbacks(order_seq)?;
        let text = |session: &OrderSessionRecord| {
            session_view::render(&links, session, callbacks.get(&session.session_seq))
        };
        let sessions: Vec<String> = sessions.iter().map(text).collect();
        Ok(ObjectText::default().list("sessions", &sessions).end())
    })
    .await
}

/// `GET /orders/{order_id}/sessions/{session_id}`
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (links, order) = (state.links.clone(), order_in_path(&request)?);
    let (account_id, id) = (actor.account_id.clone(), session_in_path(&request)?);
    read(state, &actor, move |reader| {
        let order_seq = find_order_seq(reader, &account_id, &order)?;
        let session = reader.find_order_session(order_seq, &id)?;
        let session = session.ok_or_else(|| ApiError::not_found("session"))?;
        let callback = reader.find_session_callback(session.session_seq)?;
        Ok(session_view::render(&links, &session, callback.as_ref()))
    })
    .await
}

/// `POST /orders/{order_id}/sessions/{session_id}/cancel`
pub async fn cancel(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    sent.expect_object()?;
    let command = CancelOrderSession {
        on_behalf_of: on_behalf_of(&actor),
        order: order_in_path(&request)?,
        session_id: session_in_path(&request)?,
    };
    let render = render_written(state.links.clone());
    write_and_read(state, &actor, sent.once(&actor, command, name), not_cancelled, render).await
}

/// The id of the session in the path.
pub fn session_in_path(request: &HttpRequest) -> Result<ResourceId, ApiError> {
    let id = path_segment(request, "session_id");
    id.as_deref().and_then(ResourceId::parse).ok_or_else(|| ApiError::not_found("session"))
}

fn find_order_seq(
    reader: &Reader<'_>,
    account_id: &AccountId,
    order: &OrderName,
) -> Result<OrderSeq, ApiError> {
    let found = reader.find_order_seq(account_id, order)?;
    found.ok_or_else(|| ApiError::not_found("order"))
}

fn name(session_seq: &SessionSeq) -> AnswerName {
    AnswerName::Session(*session_seq)
}

/// Renders the session that the answer of a change names.
fn render_written(
    links: Links,
) -> impl FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static {
    move |reader, name| {
        let session = reader.load_order_session(name.session()?)?;
        expect_order(reader, session.order_seq)?;
        let callback = reader.find_session_callback(session.session_seq)?;
        Ok(session_view::render(&links, &session, callback.as_ref()))
    }
}

fn refused(why: CreateOrderSessionRefused) -> ApiError {
    let (code, message) = match why {
        CreateOrderSessionRefused::OrderNotFound => return ApiError::not_found("order"),
        CreateOrderSessionRefused::References(problems) => {
            return ApiError::invalid(problems.iter().map(reference_problem).collect());
        }
        CreateOrderSessionRefused::TotalOutOfRange => {
            let message = "The items must add up to at least 1, and to no more than an amount can \
                           hold.";
            return ApiError::invalid(vec![Problem::new("/items", "amount_out_of_range", message)]);
        }
        CreateOrderSessionRefused::AmountsExceedRemaining(lines) => {
            return exceeded(OperationKind::Authorization, &lines);
        }
        CreateOrderSessionRefused::TooLarge(why) => return order_too_large(why),
        CreateOrderSessionRefused::NoCheckout => (
            Code::NoCheckout,
            "This account has no payment page. Name your own with `tillbook account edit ACCOUNT \
             --checkout-url 'https://shop.example/pay/{session_id}'`, or, to try things without \
             moving money, start the server with --test-gateway."
                .to_owned(),
        ),
        CreateOrderSessionRefused::OrderNotOpen => {
            (Code::OrderNotOpen, "Only an open order can be paid in a session.".to_owned())
        }
        CreateOrderSessionRefused::TooManySessions => (
            Code::TooManySessions,
            format!(
                "The order has {OPEN_SESSIONS_MAX} open sessions; cancel those that are not needed."
            ),
        ),
    };
    ApiError::new(code, message)
}

fn not_cancelled(why: CancelOrderSessionRefused) -> ApiError {
    match why {
        CancelOrderSessionRefused::OrderNotFound => ApiError::not_found("order"),
        CancelOrderSessionRefused::SessionNotFound => ApiError::not_found("session"),
        CancelOrderSessionRefused::SessionNotOpen(status) => ApiError::new(
            Code::SessionNotOpen,
            format!("The session is {} and cannot be cancelled.", status.as_str()),
        ),
    }
}
