//! Answers of the API: the result of a command or of a read as an HTTP response.

use actix_web::HttpResponse;

use super::error::{ApiError, Code};
use super::state::AppState;
use crate::app::{Answer, Idempotent, IdempotentRefused};
use crate::json::ObjectText;
use crate::store::WriteCommand;

/// Runs a command and answers with its result; `refused` explains its refusals.
pub async fn write<C: WriteCommand, R: Fn(&C::Done) -> String + Send + 'static>(
    state: &AppState,
    command: Idempotent<C, R>,
    refused: impl FnOnce(C::Refused) -> ApiError,
) -> Result<HttpResponse, ApiError> {
    run(state, command, refused).await.map(respond)
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
pub fn ok_json(body: String) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}

/// A 200 with a page of a list. `total` is the number of elements on all pages, if requested.
pub fn ok_list(name: &'static str, elements: &[String], total: Option<i64>) -> HttpResponse {
    let mut response = ok_json(ObjectText::default().list(name, elements).end());
    if let Some(total) = total {
        let name = actix_web::http::header::HeaderName::from_static("total-count");
        response.headers_mut().insert(name, total.into());
    }
    response
}

fn respond(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    if answer.replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    response.body(answer.body)
}

fn key_reused() -> ApiError {
    ApiError::new(
        Code::IdempotencyKeyReused,
        "This Idempotency-Key was used for another request. Nothing was done; use a new key.",
    )
}
