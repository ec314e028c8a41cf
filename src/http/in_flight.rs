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

/// Bytes of unread answers that one client may have.
const CLIENT_BYTES_MAX: usize = 32 << 20;
/// Bytes of unread answers that all clients together may have.
const ALL_BYTES_MAX: usize = 128 << 20;
/// Answers up to this length are not counted, so that most requests take no lock for them.
const UNCOUNTED_BYTES_MAX: usize = 64 << 10;
/// Bytes that are handed over at a time.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// The bytes of answers that were not read yet.
#[derive(Debug, Default)]
pub struct AnswersInFlight {
    unread: Mutex<Unread>,
}

#[derive(Debug, Default)]
struct Unread {
    all: usize,
    by_client: HashMap<String, usize>,
}

impl AnswersInFlight {
    /// Refuses a request before its answer is made, if the client has no room for any answer.
    pub fn expect_room(&self, client_id: &str) -> Result<(), ApiError> {
        let unread = self.lock();
        let of_client = unread.by_client.get(client_id).copied().unwrap_or_default();
        if CLIENT_BYTES_MAX <= of_client || ALL_BYTES_MAX <= unread.all {
            return Err(too_many());
        }
        Ok(())
    }

    /// Counts an answer that nothing was changed for; refuses it if there is no room. An answer
    /// longer than the limit has room while the client has no other.
    pub fn hold(self: &Arc<Self>, client_id: &str, body: String) -> Result<BoxBody, ApiError> {
        if body.len() <= UNCOUNTED_BYTES_MAX {
            return Ok(BoxBody::new(body));
        }
        let mut unread = self.lock();
        let of_client = unread.by_client.get(client_id).copied().unwrap_or_default();
        let fits = |held: usize, max| held == 0 || held + body.len() <= max;
        if !fits(of_client, CLIENT_BYTES_MAX) || !fits(unread.all, ALL_BYTES_MAX) {
            return Err(too_many());
        }
        Ok(self.count(&mut unread, client_id, body))
    }

    /// Counts the answer to a change that was recorded, and which is therefore never refused.
    pub fn hold_recorded(self: &Arc<Self>, client_id: &str, body: String) -> BoxBody {
        if body.len() <= UNCOUNTED_BYTES_MAX {
            return BoxBody::new(body);
        }
        self.count(&mut self.lock(), client_id, body)
    }

    fn count(self: &Arc<Self>, unread: &mut Unread, client_id: &str, body: String) -> BoxBody {
        let bytes = body.len();
        unread.all += bytes;
        *unread.by_client.entry(client_id.to_owned()).or_default() += bytes;
        let counted = Counted { answers: Arc::clone(self), client_id: client_id.to_owned(), bytes };
        BoxBody::new(Held { rest: body.into(), _counted: counted })
    }

    fn lock(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
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
struct Counted {
    answers: Arc<AnswersInFlight>,
    client_id: String,
    bytes: usize,
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

/// A counted answer.
#[derive(Debug)]
struct Held {
    rest: Bytes,
    _counted: Counted,
}

impl MessageBody for Held {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.rest.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = PIECE_BYTES_MAX.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_room_and_all_have_theirs() {
        let answers = Arc::new(AnswersInFlight::default());
        let body = || "x".repeat(10 << 20);
        let held: Vec<BoxBody> = (0..3).map(|_| answers.hold("a", body()).unwrap()).collect();
        assert!(answers.hold("a", body()).is_err());
        assert!(answers.expect_room("a").is_ok());
        let recorded = answers.hold_recorded("a", body());
        assert!(answers.expect_room("a").is_err());
        let others: Vec<BoxBody> =
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
}
