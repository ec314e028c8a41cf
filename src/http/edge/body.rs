//! Reads a request's body, up to a number of bytes and within a deadline.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use actix_web::web::{Bytes, BytesMut};
use futures_core::Stream;

use crate::http::error::{ApiError, Code};
use crate::wire::problem::Problem;

/// Bytes of a body, at most, unless it may contain a whole order.
pub const BODY_BYTES_MAX: usize = 128 << 10;

/// Bytes of a body that contains a whole order, at most.
pub const ORDER_BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of a form of the back office, at most. A form has the lines of an order.
pub const FORM_BYTES_MAX: usize = 512 << 10;

/// How long a body may take to arrive. Part of the server's app data.
#[derive(Debug, Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// Reads a body. A compressed one is refused, since nothing here decompresses it.
pub async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    bytes_max: usize,
) -> Result<Bytes, ApiError> {
    read_body_if(request, payload, bytes_max, || Ok(())).await
}

/// Reads a body that `judge` may refuse, before it arrives if its length is declared, and else when
/// its first bytes arrive. An empty body is not judged.
pub async fn read_body_if(
    request: &HttpRequest,
    payload: Payload,
    bytes_max: usize,
    judge: impl Fn() -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    if request.headers().get(CONTENT_LENGTH).is_some_and(|length| length != "0") {
        judge()?;
    }
    if !request.headers().get_all(CONTENT_ENCODING).all(is_identity) {
        return Err(unsupported("A compressed body", "send it uncompressed"));
    }
    let time = request.app_data::<BodyTimeout>();
    let time = time.ok_or_else(|| ApiError::internal("a body was read without its deadline"))?.0;
    let body = tokio::time::timeout(time, collect(payload, bytes_max, judge)).await;
    body.unwrap_or_else(|_| {
        Err(ApiError::new(
            Code::RequestTimeout,
            format!("The body did not arrive within {time:?}; send it again."),
        ))
    })
}

async fn collect(
    mut payload: Payload,
    bytes_max: usize,
    judge: impl Fn() -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    // Most bodies arrive in one piece, which is not copied.
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(arrived) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
        let Ok(bytes) = arrived else {
            let message = "The body ended before it was complete; send it again.";
            return Err(ApiError::invalid(vec![Problem::new("", "invalid_json", message)]));
        };
        if bytes_max < first.len().max(all.len()) + bytes.len() {
            return Err(body_too_large(bytes_max));
        }
        if first.is_empty() {
            judge()?;
            first = bytes;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&bytes);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// True for `Content-Encoding: identity`, which means no encoding.
fn is_identity(header: &HeaderValue) -> bool {
    let codings = header.to_str().unwrap_or("?").split(',').map(str::trim);
    codings.filter(|coding| !coding.is_empty()).all(|c| c.eq_ignore_ascii_case("identity"))
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
