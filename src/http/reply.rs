//! Answers of the API: the result of a command or of a read as an HTTP response.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::error::{ApiError, Code};
use super::state::AppState;
use crate::app::{Idempotent, IdempotentRefused, Once};
use crate::auth::access::Actor;
use crate::domain::ids::AccountId;
use crate::store::{AnswerName, Reader, StoreError, WriteCommand};

/// Answers a request that was carried out before: reads what `name` names and renders it again.
pub async fn read_again<F>(
    state: &AppState,
    actor: &Actor,
    name: AnswerName,
    render: F,
) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static,
{
    let read = read_named(state, &actor.account_id, name, render, |text| text);
    let mut response = ok_json(read.await?);
    mark_replayed(&mut response);
    Ok(response)
}

/// Runs a command, and then reads and renders the answer that `command.name` names with `render`.
/// A long answer is never made in the writer's turn or on the event loop.
pub async fn write_and_read<C, F>(
    state: &AppState,
    actor: &Actor,
    command: Idempotent<C>,
    refused: impl FnOnce(C::Refused) -> ApiError,
    render: F,
) -> Result<HttpResponse, ApiError>
where
    C: WriteCommand,
    F: FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let name = command.name;
    let (name, replayed) = match run(state, command, refused).await? {
        Once::Now(done) => (name(&done), false),
        Once::Before(name) => (name, true),
    };
    let (answers, client_id) = (Arc::clone(&state.answers), actor.client_id.clone());
    let hold = move |text| answers.hold_recorded(&client_id, text);
    let held = read_named(state, &actor.account_id, name, render, hold).await?;
    let mut response = ok_json(held.into_body());
    if replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// The body of the answer that a key names. `hold` is given it on the thread that makes it, so that
/// answers do not pile up before they are counted.
async fn read_named<T, F, H>(
    state: &AppState,
    account_id: &AccountId,
    name: AnswerName,
    render: F,
    hold: H,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static,
    H: FnOnce(String) -> T + Send + 'static,
{
    match name {
        AnswerName::Text(body) if body.starts_with('{') => Ok(hold(body)),
        AnswerName::Text(_) => {
            let why = "a key stores neither an answer nor the name of one";
            Err(StoreError::inconsistent(why).into())
        }
        name => {
            let read = state.read(account_id, move |reader| render(reader, &name).map(hold));
            read.await.map_err(recorded_but_unread)
        }
    }
}

/// Reads and renders an answer away from the event loop, and answers with it.
pub async fn read<F>(state: &AppState, actor: &Actor, read: F) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(&Reader<'_>) -> Result<String, ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let (answers, client_id) = (Arc::clone(&state.answers), actor.client_id.clone());
    // Counted where it is made, so that answers do not pile up before they are counted.
    let made = move |reader: &Reader<'_>| answers.hold(&client_id, read(reader)?);
    let held = state.read(&actor.account_id, made).await?;
    Ok(ok_json(held.into_body()))
}

/// Like [`read`] for a page of a list with short elements, whose `read` also returns the number of
/// elements on all pages, if requested.
pub async fn read_page<F>(
    state: &AppState,
    actor: &Actor,
    read: F,
) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(&Reader<'_>) -> Result<(String, Option<i64>), ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let (body, total) = state.read(&actor.account_id, read).await?;
    let held = state.answers.hold(&actor.client_id, body)?;
    let mut response = ok_json(held.into_body());
    if let Some(total) = total {
        let name = HeaderName::from_static("total-count");
        response.headers_mut().insert(name, total.into());
    }
    Ok(response)
}

/// The error of an answer that cannot be read although the change was recorded.
fn recorded_but_unread(error: ApiError) -> ApiError {
    match error.code {
        Code::Unavailable => ApiError::unavailable(
            "The change was recorded, but its answer cannot be read at the moment. Look at the \
             order, or send the request again with the same Idempotency-Key.",
        ),
        _ => error,
    }
}

/// Runs a command; `refused` explains its refusals.
pub async fn run<C: WriteCommand>(
    state: &AppState,
    command: Idempotent<C>,
    refused: impl FnOnce(C::Refused) -> ApiError,
) -> Result<Once<C::Done>, ApiError> {
    let written = state.store.writer.write(command).await;
    written.map_err(|error| {
        ApiError::from_write(error, |why| match why {
            IdempotentRefused::KeyReused => key_reused(),
            IdempotentRefused::Command(why) => refused(why),
        })
    })
}

/// A 200 with a JSON body.
pub fn ok_json(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

fn mark_replayed(response: &mut HttpResponse) {
    let name = HeaderName::from_static("idempotency-replayed");
    response.headers_mut().insert(name, HeaderValue::from_static("true"));
}

fn key_reused() -> ApiError {
    ApiError::new(
        Code::IdempotencyKeyReused,
        "This Idempotency-Key has already recorded another request, and nothing was done now. To \
         repeat that request, send exactly the same one; use a new key only for a new operation.",
    )
}
