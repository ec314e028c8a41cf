//! Bounds how many requests with long bodies are carried out at a time, and parses the longest away
//! from the event loop.
//!
//! A parsed body takes many times its bytes, and a body with many lines keeps the writer busy for
//! long. On the event loop, every other request of the same worker would wait until it is parsed.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::error::ApiError;
use super::state::{AppState, state};
use super::turns::{TooManyWait, Turn, Turns};
use crate::domain::ids::AccountId;
use crate::priority;

/// The most bytes of a body that is parsed on the event loop. Operations are much shorter.
pub const SHORT_BODY_BYTES_MAX: usize = 64 << 10;

/// The most bytes of a body that needs no turn. Most operations are shorter.
pub const FREE_BODY_BYTES_MAX: usize = 4 << 10;

/// Waits until the body of a request may be parsed.
pub async fn turn(
    request: &HttpRequest,
    of: fn(&AppState) -> &Arc<Turns>,
) -> Result<Turn, ApiError> {
    // Every handler's first argument has judged the account in the path.
    let account_id = request.match_info().get("aid").and_then(AccountId::parse);
    let account_id = account_id.ok_or_else(|| ApiError::not_found("account"))?;
    of(state(request)?).turn(&account_id).await.map_err(too_many)
}

/// The error of a long request for which no turn can be waited for.
fn too_many(_: TooManyWait) -> ApiError {
    ApiError::unavailable(
        "Too many long requests are being recorded. Nothing was recorded for this one; send it \
         again.",
    )
}

/// Runs work that takes long on a thread that may block.
pub async fn run_aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let aside = move || {
        priority::lower_this_thread();
        work()
    };
    tokio::task::spawn_blocking(aside).await.unwrap_or_else(|why| Err(ApiError::internal(why)))
}
