//! Reads a request's body, up to a number of bytes and within a deadline.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;

use crate::http::error::{ApiError, Code};
use crate::wire::problem::Problem;

/// Bytes of a body, at most, unless it may contain a whole order.
pub const BODY_BYTES_MAX: usize = 128 << 10;

/// Bytes of a body that contains a whole order, at most.
pub const ORDER_BODY_BYTES_MAX: usize = 1 << 20;

/// How long a body may take to arrive. Part of the server's app data.
#[derive(Debug, Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// Reads a body. A compressed one is refused, since nothing here decompresses it.
pub async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    bytes_max: usize,
) -> Result<actix_web::web::Bytes, ApiError> {
    if request.headers().contains_key("content-encoding") {
        return Err(unsupported("A compressed body", "send it uncompressed"));
    }
    let time = request.app_data::<BodyTimeout>();
    let time = time.ok_or_else(|| ApiError::internal("a body was read without its deadline"))?.0;
    let body =
        actix_web::body::to_bytes_limited(actix_web::body::BodyStream::new(payload), bytes_max);
    match tokio::time::timeout(time, body).await {
        Err(_) => Err(ApiError::new(
            Code::RequestTimeout,
            format!("The body did not arrive within {time:?}; send it again."),
        )),
        Ok(Err(_)) => Err(body_too_large(bytes_max)),
        Ok(Ok(Err(_))) => Err(ApiError::invalid(vec![Problem::new(
            "",
            "invalid_json",
            "The body ended before it was complete; send it again.",
        )])),
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// The error of a body that is longer than `bytes_max`.
pub fn body_too_large(bytes_max: usize) -> ApiError {
    let message = format!("The body is longer than {bytes_max} bytes; send a shorter one.");
    ApiError::new(Code::BodyTooLarge, message)
}

/// The error of a body in a form that is not supported.
pub fn unsupported(what: &str, instead: &str) -> ApiError {
    ApiError::new(Code::UnsupportedMediaType, format!("{what} is not supported; {instead}."))
}
