//! Waiting for the lock that another process holds on the book, and no longer than there is time.
//!
//! SQLite waits by itself, but a wait that has begun cannot be cut short. So the writer has it wait
//! in slices and looks between them whether the server is being stopped: then whoever waits is
//! told that nothing was recorded, instead of everybody waiting their turn for a lock that may
//! never be let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::open::BUSY_TIMEOUT_MS;
use crate::store::error::StoreError;

/// How long SQLite waits at once. A command beside the server holds the lock for less.
const SLICE_MS: u64 = 250;

/// How the writer's connection waits; cheap to clone.
#[derive(Clone)]
pub(super) struct LockWait {
    hurried: Arc<AtomicBool>,
}

impl LockWait {
    /// Makes a connection wait so.
    pub fn of(conn: &Connection) -> Result<LockWait, StoreError> {
        conn.busy_timeout(Duration::from_millis(SLICE_MS))?;
        Ok(LockWait { hurried: Arc::default() })
    }

    /// From now on a transaction that cannot begin within a slice does not begin.
    pub fn hurry(&self) {
        self.hurried.store(true, Ordering::Release);
    }

    /// Begins a transaction that writes.
    pub fn begin(&self, conn: &Connection) -> Result<(), StoreError> {
        for _ in 1..BUSY_TIMEOUT_MS / SLICE_MS {
            match conn.execute_batch("begin immediate") {
                // Not the other ways to be busy, in which SQLite has waited for long by itself.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    if self.hurried.load(Ordering::Acquire) {
                        return Err(error.into());
                    }
                }
                begun => return Ok(begun?),
            }
        }
        Ok(conn.execute_batch("begin immediate")?)
    }
}
