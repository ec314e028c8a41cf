//! Parses and checks long bodies away from the event loop, a few at a time.
//!
//! Parsing a long body takes longer than most requests do from beginning to end. On the event loop,
//! every other request of the same worker would wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;

/// The most bytes of a body that is parsed on the event loop. Operations are much shorter.
pub const SHORT_BODY_BYTES_MAX: usize = 64 << 10;

/// Requests with long bodies that are carried out at the same time.
const AT_ONCE_MAX: usize = 2;

/// The most requests with long bodies that wait for a turn. Each keeps its body, of up to 1 MiB.
const WAITING_MAX: usize = 64;

/// The turns of requests with long bodies.
#[derive(Debug)]
pub struct LongBodies {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The right to carry out a request with a long body now.
#[derive(Debug)]
pub struct LongBodyTurn {
    _permit: OwnedSemaphorePermit,
}

impl Default for LongBodies {
    fn default() -> LongBodies {
        LongBodies { turns: Arc::new(Semaphore::new(AT_ONCE_MAX)), waiting: AtomicUsize::new(0) }
    }
}

impl LongBodies {
    /// Waits until a long body may be parsed. Refuses it if too many wait already.
    pub async fn turn(&self) -> Result<LongBodyTurn, ApiError> {
        let _waiting = Waiting::begin(&self.waiting).ok_or_else(too_many)?;
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        // The semaphore is never closed.
        Ok(LongBodyTurn { _permit: permit.map_err(ApiError::internal)? })
    }
}

/// One that waits for a turn, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn begin(count: &AtomicUsize) -> Option<Waiting<'_>> {
        let waiting = Waiting(count);
        (count.fetch_add(1, Ordering::Relaxed) < WAITING_MAX).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn too_many() -> ApiError {
    ApiError::unavailable(
        "Too many long requests are being recorded. Nothing was recorded for this one; send it \
         again.",
    )
}

/// Runs work that takes long on a thread that may block.
pub async fn run_aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|why| Err(ApiError::internal(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_wait() {
        let count = AtomicUsize::new(0);
        let waiting: Vec<Waiting<'_>> =
            (0..WAITING_MAX).map(|_| Waiting::begin(&count).unwrap()).collect();
        assert!(Waiting::begin(&count).is_none());
        assert_eq!(count.load(Ordering::Relaxed), WAITING_MAX);
        drop(waiting);
        assert!(Waiting::begin(&count).is_some());
    }
}
