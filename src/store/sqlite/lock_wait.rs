//! Waits for another process's lock on the database, but not after the server was told to stop.
//!
//! SQLite can wait for a lock, but its wait cannot be interrupted. So the writer lets it wait in
//! slices and checks between them whether the server is stopping. If it is, waiting callers are
//! told at once that nothing was recorded, instead of each waiting for a lock that may never be
//! released.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::open::BUSY_TIMEOUT_MS;
use crate::store::error::StoreError;

/// How long SQLite waits at a time. Subcommands hold the lock for less.
const SLICE_MS: u64 = 250;

/// The way in which the writer's connection waits; cheap to clone.
#[derive(Clone)]
pub(super) struct LockWait {
    is_stopping: Arc<AtomicBool>,
}

impl LockWait {
    /// Sets the connection to wait in slices.
    pub fn of(conn: &Connection) -> Result<LockWait, StoreError> {
        conn.busy_timeout(Duration::from_millis(SLICE_MS))?;
        Ok(LockWait { is_stopping: Arc::default() })
    }

    /// From now on, gives up after one slice.
    pub fn stop_waiting(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    /// Begins a write transaction.
    pub fn begin(&self, conn: &Connection) -> Result<(), StoreError> {
        for _ in 1..BUSY_TIMEOUT_MS / SLICE_MS {
            match conn.execute_batch("begin immediate") {
                // Other busy codes are not retried: SQLite has already waited long for those.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    if self.is_stopping.load(Ordering::Acquire) {
                        return Err(error.into());
                    }
                }
                begun => return Ok(begun?),
            }
        }
        Ok(conn.execute_batch("begin immediate")?)
    }
}
