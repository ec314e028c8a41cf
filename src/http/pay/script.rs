//! The test page for scripts.

use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use super::payer::{Payer, not_found};
use super::read::{NOT_RECORDED, load};
use crate::app::{AnswerCheckout, AnswerCheckoutRefused, RecordOperationRefused};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::Sent;
use crate::http::reply::ok_json;
use crate::http::state::{AppState, state};
use crate::store::WriteError;
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
    let command = AnswerCheckout { token: payer.token.clone(), outcome, test_gateway };
    let answered = match state.store.writer.write(command).await {
        Ok(answered) => answered,
        Err(WriteError::Refused(AnswerCheckoutRefused::Operation(why))) => {
            return Err(refused(state, payer.token, &why).await?);
        }
        Err(error) => return Err(ApiError::from_write(error, |_| not_found())),
    };
    let read = state.store.read(move |reader| reader.load_order_session(answered.session_seq));
    Ok(ok_json(session_view::render_outcome(&read.await?)?))
}

/// The refusal in the page's words. The API's own refusal of the operation is for the merchant, and
/// shows who made other payments of the order.
async fn refused(
    state: &AppState,
    token: String,
    why: &RecordOperationRefused,
) -> Result<ApiError, ApiError> {
    let code = match why {
        RecordOperationRefused::OrderNotFound => return Ok(not_found()),
        RecordOperationRefused::OrderCancelled => Code::OrderCancelled,
        RecordOperationRefused::OrderNotOpen => Code::OrderNotOpen,
        RecordOperationRefused::TooLarge(_) => Code::OrderTooLarge,
        RecordOperationRefused::References(_)
        | RecordOperationRefused::SumOutOfRange
        | RecordOperationRefused::AmountsExceedRemaining(_) => Code::AmountExceedsRemaining,
    };
    let obstacle = state.store.read(move |reader| load(reader, &token)).await?.obstacle;
    let message = if obstacle.is_empty() { NOT_RECORDED.to_owned() } else { obstacle };
    Ok(ApiError::new(code, message))
}
