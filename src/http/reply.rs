//! Answers of the API: the result of a command or of a read as an HTTP response.

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::answer_name::is_answer;
use super::error::{ApiError, Code};
use super::state::AppState;
use crate::app::{Answer, Idempotent, IdempotentRefused};
use crate::auth::access::Actor;
use crate::store::{Reader, WriteCommand};

/// Runs a command and answers with its result; `refused` explains its refusals.
pub async fn write<C: WriteCommand, R: Fn(&C::Done) -> String + Send + 'static>(
    state: &AppState,
    command: Idempotent<C, R>,
    refused: impl FnOnce(C::Refused) -> ApiError,
) -> Result<HttpResponse, ApiError> {
    run(state, command, refused).await.map(respond)
}

/// Runs a command whose `command.render` names its answer, and then reads and renders the answer
/// with `render`. A long answer is never made in the writer's turn or on the event loop.
pub async fn write_and_read<C, N, F>(
    state: &AppState,
    actor: &Actor,
    command: Idempotent<C, N>,
    refused: impl FnOnce(C::Refused) -> ApiError,
    render: F,
) -> Result<HttpResponse, ApiError>
where
    C: WriteCommand,
    N: Fn(&C::Done) -> String + Send + 'static,
    F: FnOnce(&Reader<'_>, &str) -> Result<String, ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let Answer { body: name, replayed } = run(state, command, refused).await?;
    let body = if is_answer(&name) {
        name
    } else {
        let read = state.store.read(move |reader| render(reader, &name)).await;
        read.map_err(recorded_but_unread)?
    };
    let mut response = ok_json(state.answers.hold_recorded(&actor.client_id, body));
    if replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// Reads and renders an answer away from the event loop, and answers with it.
pub async fn read<F>(state: &AppState, actor: &Actor, read: F) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(&Reader<'_>) -> Result<String, ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let body = state.store.read(read).await?;
    Ok(ok_json(state.answers.hold(&actor.client_id, body)?))
}

/// Like [`read`] for a page of a list, whose `read` also returns the number of elements on all
/// pages, if requested.
pub async fn read_list<F>(
    state: &AppState,
    actor: &Actor,
    read: F,
) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(&Reader<'_>) -> Result<(String, Option<i64>), ApiError> + Send + 'static,
{
    state.answers.expect_room(&actor.client_id)?;
    let (body, total) = state.store.read(read).await?;
    let mut response = ok_json(state.answers.hold(&actor.client_id, body)?);
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

/// Runs a command and returns its answer, for callers that respond with something other than JSON;
/// `refused` explains its refusals.
pub async fn run<C: WriteCommand, R: Fn(&C::Done) -> String + Send + 'static>(
    state: &AppState,
    command: Idempotent<C, R>,
    refused: impl FnOnce(C::Refused) -> ApiError,
) -> Result<Answer, ApiError> {
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

fn respond(answer: Answer) -> HttpResponse {
    let mut response = ok_json(answer.body);
    if answer.replayed {
        mark_replayed(&mut response);
    }
    response
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
