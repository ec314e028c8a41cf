//! The socket of a connection, which decides how much actix-web may read ahead.
//!
//! actix-web decodes every request that it has read, before it looks at the first, and each takes
//! about seven kilobytes while it waits. A client that sends requests without reading the answers
//! would make it keep thousands. So a connection passes on a few requests at a time, and nothing
//! until the previous answer is completely written, unless the request's own body is awaited.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind::ConnectionAborted;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::bare_answer;
use super::head_counter::{FirstLine, HeadCounter};
use super::unfinished::{Unfinished, UnfinishedRequests};

/// Requests that actix-web may decode at a time.
const TURN_HEADS_MAX: usize = 4;
/// Bytes of an unfinished head that are not counted.
const UNCOUNTED_HEAD_BYTES_MAX: usize = 8 << 10;
/// Bytes that the longest head has.
const HEAD_BYTES: usize = 128 << 10;
/// Bytes after which a turn of reading ends, so that one connection does not occupy its worker.
const TURN_BYTES_MAX: usize = 16 << 10;
/// Bytes of an answer that are copied for writing at a time.
const CHUNK_BYTES_MAX: usize = 8 << 10;
/// Bytes of answers after which actix-web writes.
pub const WRITE_BYTES: usize = 16 << 10;
/// Bytes read and thrown away when a connection closes. A socket closed with unread bytes resets
/// the connection, which may destroy an answer that is on its way.
const DISCARDED_BYTES_MAX: usize = 64 << 10;

/// The activity of a connection, shared by its socket, its watch and the middleware.
#[derive(Debug, Default)]
pub struct Flow {
    /// Requests that began, requests that ended, and writes that the client made room for.
    activity: Cell<u64>,
    /// Requests whose handler runs.
    handling: Cell<u64>,
    /// Requests whose answer is not yet completely in actix-web's buffer.
    unanswered: Cell<u64>,
    /// Bytes passed on since the last request began, while no request was in progress.
    head_bytes: Cell<usize>,
    /// A handler waits for more of its request's body.
    body_awaited: Cell<bool>,
    /// The client does not read its answers, so the kernel accepts no more bytes.
    write_blocked: Cell<bool>,
    /// The first line of the head that arrives.
    first_line: Cell<FirstLine>,
    /// Wakes the connection whose reading was refused although bytes were there.
    refused: RefCell<Option<Waker>>,
}

impl Flow {
    /// Changes with every sign that the client is alive.
    pub fn activity(&self) -> u64 {
        self.activity.get()
    }

    /// True while a handler runs, when the client can only wait.
    pub fn is_handling(&self) -> bool {
        0 < self.handling.get()
    }

    /// Begins a request.
    pub fn begin(self: &Rc<Self>) -> (Handling, Unanswered) {
        self.note_activity();
        self.body_awaited.set(false);
        self.head_bytes.set(0);
        self.handling.set(self.handling.get() + 1);
        self.unanswered.set(self.unanswered.get() + 1);
        (Handling(Rc::clone(self)), Unanswered(Rc::clone(self)))
    }

    /// Records whether a handler waits for the body of the request in progress.
    pub fn await_body(&self, is_awaited: bool) {
        self.body_awaited.set(is_awaited);
        if is_awaited {
            self.wake();
        }
    }

    fn may_read(&self) -> bool {
        !self.write_blocked.get() && (self.unanswered.get() == 0 || self.body_awaited.get())
    }

    fn note_activity(&self) {
        self.activity.set(self.activity.get().wrapping_add(1));
    }

    fn wake(&self) {
        if let Some(waker) = self.refused.take() {
            waker.wake();
        }
    }
}

/// A request whose handler runs. Dropped when the handler has answered or was abandoned.
#[derive(Debug)]
pub struct Handling(Rc<Flow>);

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.note_activity();
        self.0.handling.set(self.0.handling.get() - 1);
    }
}

/// A request whose answer is not complete. Dropped with the answer's body.
#[derive(Debug)]
pub struct Unanswered(Rc<Flow>);

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.unanswered.set(self.0.unanswered.get() - 1);
        self.0.wake();
    }
}

/// The body of an answer, in pieces.
///
/// actix-web copies each piece whole before it writes it, so pieces are kept short.
#[derive(Debug)]
pub struct Answer {
    body: BoxBody,
    /// The rest of the last piece that `body` gave.
    rest: Bytes,
    _unanswered: Option<Unanswered>,
}

impl Answer {
    pub fn new(body: BoxBody, unanswered: Option<Unanswered>) -> Answer {
        Answer { body, rest: Bytes::new(), _unanswered: unanswered }
    }
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                other => return other,
            }
        }
        let piece = CHUNK_BYTES_MAX.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(piece))))
    }
}

/// A connection's stream. It is read in turns: in each, actix-web reads until the stream has
/// nothing more for the moment, and then decodes the bytes.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    flow: Rc<Flow>,
    heads: HeadCounter,
    turn: Turn,
    /// Bytes that were received and not passed on yet.
    held: Vec<u8>,
    requests: Arc<UnfinishedRequests>,
    /// The rest of an answer that is written in place of actix-web's.
    rewritten: Vec<u8>,
    /// Set while a long head arrives, and until its request is answered.
    long_head: Option<Unfinished>,
}

/// The heads and bytes passed on in this turn.
#[derive(Debug, Default)]
struct Turn {
    heads: usize,
    bytes: usize,
}

impl Turn {
    fn is_over(&self) -> bool {
        TURN_HEADS_MAX <= self.heads || TURN_BYTES_MAX <= self.bytes
    }
}

impl Socket {
    /// The socket of a new connection, with the client's address.
    pub fn open(
        stream: TcpStream,
        requests: &Arc<UnfinishedRequests>,
    ) -> (Socket, Option<SocketAddr>) {
        let socket = Socket {
            stream,
            flow: Rc::default(),
            heads: HeadCounter::default(),
            turn: Turn::default(),
            held: Vec::new(),
            requests: Arc::clone(requests),
            rewritten: Vec::new(),
            long_head: None,
        };
        let peer = socket.peer();
        (socket, peer)
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub fn flow(&self) -> &Rc<Flow> {
        &self.flow
    }

    /// The client's address; `None` if it has left.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    /// Ends a turn without passing anything on. Unless bytes are there already, the kernel wakes
    /// the connection when some arrive; otherwise the flow does when reading may go on.
    fn refuse(&mut self, cx: &mut Context<'_>) {
        self.turn = Turn::default();
        if !self.held.is_empty() || self.stream.poll_read_ready(cx).is_ready() {
            self.flow.refused.replace(Some(cx.waker().clone()));
        }
    }

    /// Counts bytes that were passed on and may belong to a head. Fails without room for a head.
    fn count_head(&mut self, bytes: usize) -> std::io::Result<()> {
        let is_body = self.flow.unanswered.get() != 0;
        let arrived = self.flow.head_bytes.get() + if is_body { 0 } else { bytes };
        self.flow.head_bytes.set(arrived);
        // What follows the end of a head in the same turn may be a body, whose request begins after
        // the turn.
        let may_be_body = 0 < self.turn.heads;
        match &mut self.long_head {
            _ if may_be_body || arrived <= UNCOUNTED_HEAD_BYTES_MAX => {}
            Some(head) => head.note_bytes(),
            None => {
                let peer = self.peer().map(|peer| peer.ip().into());
                let begun = self.requests.try_begin(peer, HEAD_BYTES).ok_or(ConnectionAborted)?;
                self.long_head = Some(begun);
            }
        }
        Ok(())
    }

    /// True if the connection must end, because others need the room of its long head.
    fn is_ended(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(head) = &mut self.long_head else { return false };
        let is_long = UNCOUNTED_HEAD_BYTES_MAX < self.flow.head_bytes.get();
        if !is_long && self.flow.unanswered.get() == 0 {
            self.long_head = None;
            return false;
        }
        head.poll_ended(cx).is_ready()
    }

    /// Writes bytes of actix-web, or in place of an answer without a body one with the shape of all
    /// errors.
    fn poll_write_rewritten(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if self.rewritten.is_empty() && self.flow.unanswered.get() == 0 {
            match bare_answer::rewrite(bytes, self.flow.first_line.get().bytes) {
                Some(found) if found.start == 0 => self.rewritten = found.text.into_bytes(),
                Some(found) => return self.poll_stream(cx, &bytes[..found.start]),
                None => {}
            }
        }
        if self.rewritten.is_empty() {
            return self.poll_stream(cx, bytes);
        }
        while !self.rewritten.is_empty() {
            let own = std::mem::take(&mut self.rewritten);
            let written = self.poll_stream(cx, &own);
            let done = if let Poll::Ready(Ok(done)) = written { done } else { 0 };
            self.rewritten = own[done..].to_vec();
            if done == 0 {
                // Zero bytes tell actix-web that the client has left.
                return written;
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// Passes on as many of the held bytes as fit.
    fn give_held(&mut self, buffer: &mut ReadBuf<'_>) {
        let fits = self.held.len().min(buffer.remaining());
        buffer.put_slice(&self.held[..fits]);
        self.held.drain(..fits);
        if self.held.is_empty() {
            self.held = Vec::new();
        }
    }

    /// Of the bytes that were put into `buffer` after `start`, takes back those beyond this turn.
    fn end_turn_in(&mut self, buffer: &mut ReadBuf<'_>, start: usize) {
        let given = &buffer.filled()[start..];
        let end = self.heads.count(given, TURN_HEADS_MAX - self.turn.heads, &mut self.turn.heads);
        self.turn.bytes += end;
        if end < given.len() {
            let mut beyond = given[end..].to_vec();
            beyond.append(&mut self.held);
            self.held = beyond;
            buffer.set_filled(start + end);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        if this.is_ended(cx) {
            return Poll::Ready(Err(ConnectionAborted.into()));
        }
        if !this.flow.may_read() {
            this.refuse(cx);
            return Poll::Pending;
        }
        if this.turn.is_over() {
            this.turn = Turn::default();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let start = buffer.filled().len();
        if this.held.is_empty() {
            let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
            if !matches!(polled, Poll::Ready(Ok(()))) {
                this.turn = Turn::default();
                return polled;
            }
        } else {
            this.give_held(buffer);
        }
        this.end_turn_in(buffer, start);
        let line = this.flow.first_line.get();
        let is_new = this.flow.head_bytes.get() == 0;
        this.flow.first_line.set(line.grown(&buffer.filled()[start..], is_new));
        Poll::Ready(this.count_head(buffer.filled().len() - start))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = self.poll_write_rewritten(cx, bytes);
        match &written {
            Poll::Ready(_) => self.flow.note_activity(),
            Poll::Pending => self.flow.write_blocked.set(true),
        }
        written
    }

    /// actix-web flushes after all its bytes were accepted.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.flow.write_blocked.replace(false) {
            self.flow.wake();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let mut discarded = 0;
        let mut unread = [0; 4 << 10];
        while let Ok(bytes @ 1..) = self.stream.try_read(&mut unread)
            && discarded < DISCARDED_BYTES_MAX
        {
            discarded += bytes;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
