//! An open book: the file's lock, its one writer and its pool of readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use r2d2_sqlite::SqliteConnectionManager;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use super::lock::{FileLock, lock_soon};
use super::lock_wait::LockWait;
use super::readers::{pool, snapshot};
use super::start_check::StartCheck;
use super::writer::{self, Ended, Started, Writer, WriterThread};
use super::{migrate, open};
use crate::clock::Clock;
use crate::randomness::Randomness;
use crate::store::condition::Condition;
use crate::store::error::StoreError;
use crate::store::tx::Reader;

/// An open book: one writer, many readers.
#[derive(Clone)]
pub struct Store {
    pub writer: Writer,
    pub condition: Arc<Condition>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    path: Arc<Path>,
}

/// An open book and what must outlive it: the writer's thread and the lock.
pub struct OpenStore {
    pub store: Store,
    pub writer_thread: WriterThread,
    /// Ends when the writer's thread does, with the reason if it was a failure.
    pub writer_ended: oneshot::Receiver<Ended>,
    _lock: FileLock,
}

/// Why a file could not be opened to serve from it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another Tillbook serves {0}; stop it, or name another file with --db")]
    AlreadyServed(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens the file to serve from it: takes the lock, brings the schema up to date and starts
    /// the writer. Makes the file when there is none.
    pub fn open(path: &Path, clock: Clock, randomness: Randomness) -> Result<OpenStore, OpenError> {
        let lock = lock_soon(path)?.ok_or_else(|| OpenError::AlreadyServed(path.to_owned()))?;
        let mut conn = open::open_writer(path)?;
        migrate::migrate(&mut conn)?;
        let last_event_at = Reader::new(&conn).load_last_event_time()?;
        let commit = |conn: &rusqlite::Connection| conn.execute_batch("commit");
        let condition = Arc::new(Condition::of(path));
        let lock_wait = LockWait::of(&conn)?;
        let state = writer::WriterState {
            conn,
            lock_wait,
            clock,
            randomness,
            last_event_at,
            commit,
            condition: condition.clone(),
            checkpoints: Checkpoints::start(path)?,
        };
        let Started { writer, thread, ended } = writer::start(state)?;
        let store = Store { writer, condition, readers: pool(path)?, path: path.into() };
        Ok(OpenStore { store, writer_thread: thread, writer_ended: ended, _lock: lock })
    }

    /// The check that every start makes once it serves.
    pub fn start_check(&self) -> Result<StartCheck, StoreError> {
        StartCheck::open(&self.path)
    }

    /// Reads in one transaction, on the calling thread, which may block.
    pub fn read_blocking<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let conn = self.readers.get().map_err(StoreError::from)?;
        snapshot(&conn, read)
    }

    /// Reads in one transaction, on a thread that may block.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, E> + Send + 'static,
    {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || store.read_blocking(read)).await {
            Ok(result) => result,
            Err(panicked) => Err(StoreError::other(panicked).into()),
        }
    }
}
