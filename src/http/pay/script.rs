//! The test page for scripts.

use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::payer::{Payer, not_found};
use crate::app::{AnswerCheckout, AnswerCheckoutRefused};
use crate::domain::operation::OperationKind;
use crate::http::api::operations;
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::ApiError;
use crate::http::extract::Sent;
use crate::http::reply::ok_json;
use crate::http::state::state;
use crate::wire::{outcome_request, session_view};

/// `POST /pay/{token}/outcome`, body `{"outcome"}`: as if the payer had pressed that button. A
/// session that has ended stays as it is.
pub async fn answer(
    payer: Payer,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    // Not an argument: arguments are made at the same time, and a wrong body might be reported
    // before an unknown token.
    let sent = Sent::<BODY_BYTES_MAX>::from_request(&request, &mut payload.into_inner()).await?;
    let outcome = outcome_request::parse(&sent.body)?;
    let test_gateway = state.test_gateway;
    let command = AnswerCheckout { token: payer.token, outcome, test_gateway };
    let answered = state.store.writer.write(command).await;
    let answered = answered.map_err(|error| ApiError::from_write(error, refused))?;
    let read = state.store.read(move |reader| reader.load_order_session(answered.session_seq));
    Ok(ok_json(session_view::render_outcome(&read.await?)?))
}

fn refused(why: AnswerCheckoutRefused) -> ApiError {
    match why {
        AnswerCheckoutRefused::NotFound => not_found(),
        AnswerCheckoutRefused::Operation(why) => {
            operations::refused(OperationKind::Authorization, why)
        }
    }
}
