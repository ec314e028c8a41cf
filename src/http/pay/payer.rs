//! The caller of the test page, who holds the secret of a session's address.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::error::{ApiError, Code};
use crate::http::extract::path_segment;
use crate::http::state::{AppState, state};
use crate::store::OrderSessionRecord;

/// The holder of a session's secret. An unknown secret costs one read.
pub struct Payer {
    pub token: String,
}

impl FromRequest for Payer {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Payer, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = state(&request)?;
            let token = path_segment(&request, "token").ok_or_else(not_found)?;
            let sought = token.clone();
            let read = state.store.read(move |reader| reader.find_session_of_token(&sought));
            let session = read.await?.ok_or_else(not_found)?;
            if !serves(state, &session) {
                return Err(not_found());
            }
            Ok(Payer { token })
        })
    }
}

/// True if this server has a test page for the session's account.
fn serves(state: &AppState, session: &OrderSessionRecord) -> bool {
    state.test_gateway || session.account_id.is_test()
}

/// The answer to an unknown secret.
pub fn not_found() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "This payment link is not valid. Go back to the shop and start the payment again.",
    )
}
