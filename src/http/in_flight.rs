//! Bounds the bytes of answers that clients have not read yet (docs/reliability.md).
//!
//! A client that asks for large answers and does not read them would make the server keep them all.
//! So the bytes of large answers are counted, for each client and in all, until the last piece has
//! been handed to the connection or the connection has ended.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use super::error::ApiError;
use super::turns::{Turn, TurnLimits, Turns};
use crate::domain::ids::AccountId;

/// Bytes of unread answers that one client may have.
const CLIENT_BYTES_MAX: usize = 32 << 20;
/// Bytes of unread answers that all clients together may have.
const ALL_BYTES_MAX: usize = 128 << 20;
/// Answers up to this length are not counted, so that most requests take no lock for them.
const UNCOUNTED_BYTES_MAX: usize = 64 << 10;
/// Bytes that are handed over at a time.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// Pieces of one answer that are handed over before other requests have a turn.
const PIECES_IN_A_ROW_MAX: u8 = 4;

/// Large answers that are made at the same time. Making one takes several times its length.
const MADE_AT_ONCE: TurnLimits = TurnLimits::any_may_wait(2, 1);
/// Pages of orders in the back office that are made at the same time, for the same reason.
const PAGES_AT_ONCE: TurnLimits = TurnLimits::any_may_wait(4, 3);

/// The bytes of answers that were not read yet.
#[derive(Debug)]
pub struct AnswersInFlight {
    unread: Mutex<Unread>,
    turns: Arc<Turns>,
    page_turns: Arc<Turns>,
}

#[derive(Debug, Default)]
struct Unread {
    all: usize,
    by_client: HashMap<String, usize>,
}

impl Default for AnswersInFlight {
    fn default() -> AnswersInFlight {
        AnswersInFlight {
            unread: Mutex::default(),
            turns: Turns::new(MADE_AT_ONCE),
            page_turns: Turns::new(PAGES_AT_ONCE),
        }
    }
}

impl AnswersInFlight {
    /// Waits until a large answer may be made for the account.
    pub async fn turn(&self, account_id: &AccountId) -> Result<Turn, ApiError> {
        self.turns.turn_for_any(account_id).await
    }

    /// Waits until the page of an order of the account may be made.
    pub async fn page_turn(&self, account_id: &AccountId) -> Result<Turn, ApiError> {
        self.page_turns.turn_for_any(account_id).await
    }

    /// Refuses a request before its answer is made, if the client has no room for any answer.
    pub fn expect_room(&self, client_id: &str) -> Result<(), ApiError> {
        let unread = self.lock();
        let of_client = unread.by_client.get(client_id).copied().unwrap_or_default();
        if CLIENT_BYTES_MAX <= of_client || ALL_BYTES_MAX <= unread.all {
            return Err(too_many());
        }
        Ok(())
    }

    /// Counts the answer to a request that changed nothing; refuses it if there is not enough
    /// room. An answer longer than the limit is accepted if it is the client's only one.
    pub fn hold(self: &Arc<Self>, client_id: &str, text: String) -> Result<Held, ApiError> {
        if text.len() <= UNCOUNTED_BYTES_MAX {
            return Ok(Held { text, counted: None });
        }
        let mut unread = self.lock();
        unread.expect_fits(client_id, text.len())?;
        let counted = self.count(&mut unread, client_id, text.len());
        Ok(Held { text, counted: Some(counted) })
    }

    /// Counts the bytes of an answer that is sent in parts; refuses it if there is not enough room.
    pub fn reserve(self: &Arc<Self>, client_id: &str, bytes: usize) -> Result<Counted, ApiError> {
        let mut unread = self.lock();
        unread.expect_fits(client_id, bytes)?;
        Ok(self.count(&mut unread, client_id, bytes))
    }

    /// Counts the answer to a change that was recorded, and which is therefore never refused.
    pub fn hold_recorded(self: &Arc<Self>, client_id: &str, text: String) -> Held {
        if text.len() <= UNCOUNTED_BYTES_MAX {
            return Held { text, counted: None };
        }
        let counted = self.count(&mut self.lock(), client_id, text.len());
        Held { text, counted: Some(counted) }
    }

    fn count(self: &Arc<Self>, unread: &mut Unread, client_id: &str, bytes: usize) -> Counted {
        unread.add(client_id, bytes);
        Counted { answers: Arc::clone(self), client_id: client_id.to_owned(), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unread {
    fn expect_fits(&self, client_id: &str, bytes: usize) -> Result<(), ApiError> {
        let of_client = self.by_client.get(client_id).copied().unwrap_or_default();
        let fits = |held: usize, max| held == 0 || held + bytes <= max;
        let has_room = fits(of_client, CLIENT_BYTES_MAX) && fits(self.all, ALL_BYTES_MAX);
        if has_room { Ok(()) } else { Err(too_many()) }
    }

    fn add(&mut self, client_id: &str, bytes: usize) {
        self.all += bytes;
        *self.by_client.entry(client_id.to_owned()).or_default() += bytes;
    }
}

/// The bytes of an answer that are handed to the connection in pieces.
#[derive(Debug, Default)]
pub struct Pieces {
    rest: Bytes,
    in_a_row: u8,
}

impl Pieces {
    pub fn of(bytes: Bytes) -> Pieces {
        Pieces { rest: bytes, in_a_row: 0 }
    }

    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Hands over the next piece; `None` if nothing is left. Pauses now and then even if the client
    /// reads fast, since other requests wait for the same event loop.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if self.in_a_row == PIECES_IN_A_ROW_MAX {
            self.in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.in_a_row += 1;
        Poll::Ready(Some(self.rest.split_to(PIECE_BYTES_MAX.min(self.rest.len()))))
    }
}

fn too_many() -> ApiError {
    ApiError::unavailable(
        "Too many large answers were not read yet. Nothing was recorded. Read the answers that you \
         asked for, and then send this again.",
    )
}

/// The bytes of one answer, taken off the count when it is dropped.
#[derive(Debug)]
pub struct Counted {
    answers: Arc<AnswersInFlight>,
    client_id: String,
    bytes: usize,
}

impl Counted {
    /// Counts at least so many bytes from now on.
    pub fn grow_to(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes);
        if 0 < more {
            self.answers.lock().add(&self.client_id, more);
            self.bytes = bytes;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut unread = self.answers.lock();
        unread.all -= self.bytes;
        match unread.by_client.get_mut(&self.client_id) {
            Some(bytes) if self.bytes < *bytes => *bytes -= self.bytes,
            _ => drop(unread.by_client.remove(&self.client_id)),
        }
    }
}

/// The text of an answer, counted if it is large.
#[derive(Debug)]
pub struct Held {
    text: String,
    counted: Option<Counted>,
}

impl Held {
    pub fn into_body(self) -> BoxBody {
        match self.counted {
            None => BoxBody::new(self.text),
            Some(counted) => {
                BoxBody::new(CountedBody { rest: Pieces::of(self.text.into()), _counted: counted })
            }
        }
    }
}

/// A counted answer on its way.
#[derive(Debug)]
struct CountedBody {
    rest: Pieces,
    _counted: Counted,
}

impl MessageBody for CountedBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.rest.poll_next(cx).map(|piece| piece.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_client_has_its_room_and_all_have_theirs() {
        let answers = Arc::new(AnswersInFlight::default());
        let body = || "x".repeat(10 << 20);
        let held: Vec<Held> = (0..3).map(|_| answers.hold("a", body()).unwrap()).collect();
        assert!(answers.hold("a", body()).is_err());
        assert!(answers.expect_room("a").is_ok());
        let recorded = answers.hold_recorded("a", body());
        assert!(answers.expect_room("a").is_err());
        let others: Vec<Held> =
            (0..8).map(|client| answers.hold(&client.to_string(), body()).unwrap()).collect();
        assert!(answers.hold("z", body()).is_err(), "130 MiB in all");
        answers.hold("z", "small".to_owned()).unwrap();
        drop((held, recorded, others));
        assert_eq!(answers.lock().all, 0);
        assert!(answers.lock().by_client.is_empty());
        let long = answers.hold("a", "x".repeat(CLIENT_BYTES_MAX + 1)).unwrap();
        assert!(answers.hold("a", body()).is_err());
        drop(long);
    }

    #[test]
    fn a_long_answer_lets_others_have_their_turn() {
        let length = 5 * PIECE_BYTES_MAX + 1;
        let mut pieces = Pieces::of("x".repeat(length).into());
        let context = Context::from_waker(Waker::noop());
        let (mut handed_over, mut pauses) = (0, 0);
        loop {
            match pieces.poll_next(&context) {
                Poll::Ready(Some(piece)) => handed_over += piece.len(),
                Poll::Ready(None) => break,
                Poll::Pending => pauses += 1,
            }
        }
        assert_eq!((handed_over, pauses), (length, 1));
    }
}
