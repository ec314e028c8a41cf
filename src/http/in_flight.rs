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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;

/// Bytes of unread answers that one client may have.
const CLIENT_BYTES_MAX: usize = 32 << 20;
/// Bytes of unread answers that all clients together may have.
const ALL_BYTES_MAX: usize = 128 << 20;
/// Answers up to this length are not counted, so that most requests take no lock for them.
const UNCOUNTED_BYTES_MAX: usize = 64 << 10;
/// Bytes that are handed over at a time.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// Large answers that are made at the same time. Making one takes several times its length.
const MADE_AT_ONCE_MAX: usize = 2;
/// Pages of orders in the back office that are made at the same time, for the same reason.
const PAGES_AT_ONCE_MAX: usize = 4;

/// The bytes of answers that were not read yet.
#[derive(Debug)]
pub struct AnswersInFlight {
    unread: Mutex<Unread>,
    turns: Arc<Semaphore>,
    page_turns: Arc<Semaphore>,
}

/// The right to make a large answer now.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
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
            turns: Arc::new(Semaphore::new(MADE_AT_ONCE_MAX)),
            page_turns: Arc::new(Semaphore::new(PAGES_AT_ONCE_MAX)),
        }
    }
}

impl AnswersInFlight {
    /// Waits until a large answer may be made.
    pub async fn turn(&self) -> Result<Turn, ApiError> {
        Turn::wait(&self.turns).await
    }

    /// Waits until the page of an order may be made.
    pub async fn page_turn(&self) -> Result<Turn, ApiError> {
        Turn::wait(&self.page_turns).await
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

impl Turn {
    async fn wait(turns: &Arc<Semaphore>) -> Result<Turn, ApiError> {
        let permit = Arc::clone(turns).acquire_owned().await;
        // The semaphores are never closed.
        Ok(Turn { _permit: permit.map_err(ApiError::internal)? })
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

/// Takes the next piece of an answer that is handed over; `None` if nothing is left.
pub fn take_piece(rest: &mut Bytes) -> Option<Bytes> {
    let piece = PIECE_BYTES_MAX.min(rest.len());
    (0 < piece).then(|| rest.split_to(piece))
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
                BoxBody::new(CountedBody { rest: self.text.into(), _counted: counted })
            }
        }
    }
}

/// A counted answer on its way.
#[derive(Debug)]
struct CountedBody {
    rest: Bytes,
    _counted: Counted,
}

impl MessageBody for CountedBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(take_piece(&mut self.rest).map(Ok))
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
    fn two_large_answers_and_four_pages_of_orders_are_made_at_a_time() {
        type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Turn, ApiError>> + 'a>>;
        type Wait<'a> = &'a dyn Fn() -> Waiting<'a>;
        let answers = AnswersInFlight::default();
        let answer = || -> Waiting<'_> { Box::pin(answers.turn()) };
        let page = || -> Waiting<'_> { Box::pin(answers.page_turn()) };
        let kinds: [(Wait<'_>, usize); 2] = [(&answer, 2), (&page, 4)];
        let mut context = Context::from_waker(Waker::noop());
        for (wait, most) in kinds {
            let mut made = Vec::new();
            for _ in 0..most {
                let turn = wait().as_mut().poll(&mut context);
                assert!(matches!(&turn, Poll::Ready(Ok(_))), "{turn:?}");
                made.push(turn);
            }
            let mut next = wait();
            assert!(next.as_mut().poll(&mut context).is_pending(), "one more than {most}");
            made.pop();
            assert!(matches!(next.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
        }
    }
}
