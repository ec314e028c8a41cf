//! Parses and checks long bodies away from the event loop, a few at a time.
//!
//! Parsing a long body takes longer than most requests do from beginning to end. On the event loop,
//! every other request of the same worker would wait for it.

use super::error::ApiError;
use super::turns::{TooManyWait, TurnLimits};
use crate::priority;

/// The most bytes of a body that is parsed on the event loop. Operations are much shorter.
pub const SHORT_BODY_BYTES_MAX: usize = 64 << 10;

/// The turns of requests with long bodies. Each that waits keeps its body, of up to 1 MiB.
pub const LIMITS: TurnLimits =
    TurnLimits { at_once: 2, of_one: 1, waiting_of_one: 32, waiting: 64 };

/// The error of a long request for which no turn can be waited for.
pub fn too_many(_: TooManyWait) -> ApiError {
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
