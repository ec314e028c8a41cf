//! Discards a body that its handler did not read, for example after a 401 or a 413.
//!
//! When the reader of a body is dropped, actix-web reads a chunked body for as long as it arrives,
//! and any other body at full speed for a while. While the reader exists it does neither: it stops
//! reading when the bytes are not consumed, and closes the connection once the answer has ended. So
//! the body is kept here for as long as the answer. The rest of the body is discarded up to a
//! limit: first so that the connection can be reused, then so that a client that is still sending
//! can read its answer. Closing a socket with unread bytes resets the connection, which may destroy
//! an answer that is on its way.

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
use super::socket::Flow;

/// How long an answer waits for the rest of its request, and how many bytes that may have. Within
/// both limits the connection is kept.
const REST_TIMEOUT: Duration = Duration::from_millis(100);
const REST_BYTES_MAX: usize = 1 << 20;

/// How long a closing connection stays open after its answer, and how much is still read from it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const DISCARDED_BYTES_MAX: usize = 16 << 20;

/// Discards the rest of bodies. Must wrap all other middleware that may answer.
pub async fn end_unread_body(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let flow = request.conn_data::<Rc<Flow>>().map(Rc::clone);
    let body = SharedBody(Rc::new(RefCell::new(Body { payload, flow, is_over: false })));
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

/// A request's body, shared by its handler and by the code that discards the rest.
#[derive(Clone)]
struct SharedBody(Rc<RefCell<Body>>);

struct Body {
    payload: Payload,
    /// The connection's, which reads on while this body is awaited.
    flow: Option<Rc<Flow>>,
    is_over: bool,
}

/// Why discarding the rest of a body stopped.
#[derive(Debug, PartialEq, Eq)]
enum Rest {
    Over,
    TooLong,
}

impl SharedBody {
    /// Discards what arrives, until the body ends or `room` is used up.
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
        let polled = Pin::new(&mut body.payload).poll_next(cx);
        if let Some(flow) = &body.flow {
            flow.await_body(polled.is_pending());
        }
        let polled = ready!(polled);
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

/// An answer after which the connection closes. It is sent at once, but it ends only when the
/// request has ended, or when the client has had time to read it.
struct LastAnswer {
    answer: BoxBody,
    request: SharedBody,
    room: usize,
    /// Started when the answer has been sent.
    closing: Option<Pin<Box<Sleep>>>,
}

impl LastAnswer {
    fn new(answer: BoxBody, request: SharedBody) -> LastAnswer {
        // An empty answer would end at once, without time for the client to read it.
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
        // Beyond the limit the rest is left unread, and the client may see a reset.
        if this.request.poll_discard(cx, &mut this.room) == Poll::Ready(Rest::Over) {
            return Poll::Ready(None);
        }
        closing.as_mut().poll(cx).map(|()| None)
    }
}
