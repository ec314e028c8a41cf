//! Reads a request's body, up to a number of bytes and within a deadline.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use actix_web::web::{Bytes, BytesMut};
use futures_core::Stream;

use super::unfinished::Unfinished;
use crate::http::error::{ApiError, Code};
use crate::http::state::state;
use crate::wire::problem::Problem;

/// The most bytes of a body, unless it may contain a whole order.
pub const BODY_BYTES_MAX: usize = 128 << 10;

/// The most bytes of a body that contains a whole order.
pub const ORDER_BODY_BYTES_MAX: usize = 1 << 20;

/// The most bytes of the body of a payout rule. Short, because a page has up to a thousand rules.
pub const PAYOUT_RULE_BODY_BYTES_MAX: usize = 16 << 10;

/// The most bytes of a form of the back office. A form has the lines of an order.
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
    let state = state(request)?;
    let begin = async |bytes| {
        let address = state.callers.find(request).address;
        state.unfinished.begin(address, bytes).await
    };
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let lengths = Lengths { declared: declared.and_then(|text| text.parse().ok()), bytes_max };
    let body = tokio::time::timeout(time, collect(payload, lengths, judge, begin)).await;
    body.unwrap_or_else(|_| {
        Err(ApiError::new(
            Code::RequestTimeout,
            format!("The body did not arrive within {time:?}; send it again."),
        ))
    })
}

/// The declared length of a body, if it has one, and the largest that is allowed.
#[derive(Clone, Copy)]
struct Lengths {
    declared: Option<usize>,
    bytes_max: usize,
}

/// Reads pieces until the body ends. A body that does not arrive in one piece waits for room first:
/// `begin` counts it.
async fn collect(
    mut payload: Payload,
    Lengths { declared, bytes_max }: Lengths,
    judge: impl Fn() -> Result<(), ApiError>,
    begin: impl AsyncFn(usize) -> Unfinished,
) -> Result<Bytes, ApiError> {
    let Some(first) = next_piece(&mut payload, None).await? else { return Ok(Bytes::new()) };
    if bytes_max < first.len().max(declared.unwrap_or_default()) {
        return Err(body_too_large(bytes_max));
    }
    judge()?;
    // Most bodies arrive in one piece, which is neither copied nor counted.
    let mut next = None;
    if declared.is_none_or(|bytes| bytes <= first.len()) {
        next = next_piece(&mut payload, None).await?;
        if next.is_none() {
            return Ok(first);
        }
    }
    let mut unfinished = begin(declared.unwrap_or(bytes_max)).await;
    let mut all = BytesMut::with_capacity(declared.unwrap_or_default());
    all.extend_from_slice(&first);
    drop(first);
    loop {
        let piece = match next.take() {
            None => next_piece(&mut payload, Some(&mut unfinished)).await?,
            next => next,
        };
        let Some(piece) = piece else { return Ok(all.freeze()) };
        if bytes_max < all.len() + piece.len() {
            return Err(body_too_large(bytes_max));
        }
        unfinished.note_bytes();
        all.extend_from_slice(&piece);
    }
}

/// The next piece of a body; `None` at its end. An error if the body was ended to make room for
/// other requests.
async fn next_piece(
    payload: &mut Payload,
    mut unfinished: Option<&mut Unfinished>,
) -> Result<Option<Bytes>, ApiError> {
    poll_fn(|cx| {
        if unfinished.as_mut().is_some_and(|one| one.poll_ended(cx).is_ready()) {
            return Poll::Ready(Err(stalled()));
        }
        let piece = Pin::new(&mut *payload).poll_next(cx);
        piece.map(|piece| piece.transpose().map_err(|_| ended_early()))
    })
    .await
}

fn ended_early() -> ApiError {
    let message = "The body is incomplete or its chunks are malformed. Send the whole body again.";
    ApiError::invalid(vec![Problem::new("", "invalid_json", message)])
}

fn stalled() -> ApiError {
    ApiError::unavailable(
        "The body stopped arriving while other requests waited for its room. Nothing was recorded; \
         send it again.",
    )
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
