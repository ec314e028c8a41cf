//! What becomes of a body that its handler did not read, as after a 401 or a 413.
//!
//! Left to itself actix-web swallows a chunked body whose reader is gone for as long as it comes,
//! and any other at full speed for a while. While the reader lives it does neither: it holds back
//! what nobody takes, and closes once the answer has ended. So the body is kept alive here beside
//! the answer. What is left of it is thrown away up to a limit, first so that the connection can
//! be used again, then so that a client that is still sending gets to read its answer; closing
//! with unread bytes resets the connection, which may eat an answer under way.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage};
use futures_core::Stream;
use tokio::time::{Sleep, sleep, timeout};

use super::last_request;

/// How long an answer waits for the rest of its request, and how much that may be. Within these a
/// connection is kept.
const REST_TIMEOUT: Duration = Duration::from_millis(100);
const REST_BYTES_MAX: usize = 1 << 20;

/// How long a connection stays open after its answer, and how much is still taken from it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const DISCARDED_BYTES_MAX: usize = 16 << 20;

/// Ends bodies that nobody reads. It stands outside everything that answers.
pub async fn end_unread_body(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let body = SharedBody(Rc::new(RefCell::new(Body { payload, is_over: false })));
    request.set_payload(Payload::Stream { payload: Box::pin(body.clone()) });
    let mut answered = next.call(request).await?.map_into_boxed_body();
    let mut room = REST_BYTES_MAX;
    let rest = poll_fn(|cx| body.poll_discard(cx, &mut room));
    if timeout(REST_TIMEOUT, rest).await == Ok(Rest::Over) {
        return Ok(answered);
    }
    last_request::end_after(&mut answered);
    Ok(answered.map_body(|_, answer| BoxBody::new(LastAnswer::new(answer, body))))
}

/// A request's body, for its handler and for whoever throws away what that left.
#[derive(Clone)]
struct SharedBody(Rc<RefCell<Body>>);

struct Body {
    payload: Payload,
    is_over: bool,
}

/// What became of the rest of a body.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    Over,
    TooLong,
}

impl SharedBody {
    /// Throws away what comes, until the body or the room for it is over.
    fn poll_discard(&self, cx: &mut Context<'_>, room: &mut usize) -> Poll<Rest> {
        while 0 < *room {
            match ready!(self.poll_body(cx)) {
                Some(Ok(bytes)) => *room = room.saturating_sub(bytes.len()),
                Some(Err(_)) | None => return Poll::Ready(Rest::Over),
            }
        }
        Poll::Ready(Rest::TooLong)
    }

    fn poll_body(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let mut body = self.0.borrow_mut();
        if body.is_over {
            return Poll::Ready(None);
        }
        let polled = ready!(Pin::new(&mut body.payload).poll_next(cx));
        body.is_over = !matches!(polled, Some(Ok(_)));
        Poll::Ready(polled)
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_body(cx)
    }
}

/// An answer after which the connection ends. All of it is sent at once, but it is over only when
/// the request is, or when the client had the time to read it.
struct LastAnswer {
    answer: BoxBody,
    request: SharedBody,
    room: usize,
    /// Runs from when the answer was sent.
    closing: Option<Pin<Box<Sleep>>>,
}

impl LastAnswer {
    fn new(answer: BoxBody, request: SharedBody) -> LastAnswer {
        // One without a body would be over at once, with no time to be read.
        let is_empty = matches!(answer.size(), BodySize::None | BodySize::Sized(0));
        let answer = if is_empty { BoxBody::new("\n") } else { answer };
        LastAnswer { answer, request, room: DISCARDED_BYTES_MAX, closing: None }
    }
}

impl MessageBody for LastAnswer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if this.closing.is_none()
            && let Some(sent) = ready!(Pin::new(&mut this.answer).poll_next(cx))
        {
            return Poll::Ready(Some(sent));
        }
        let closing = this.closing.get_or_insert_with(|| Box::pin(sleep(CLOSE_TIMEOUT)));
        // Past its limit the body is left where it is, and the client with it.
        if this.request.poll_discard(cx, &mut this.room) == Poll::Ready(Rest::Over) {
            return Poll::Ready(None);
        }
        closing.as_mut().poll(cx).map(|()| None)
    }
}
