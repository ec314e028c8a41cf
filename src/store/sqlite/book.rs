//! An open database: the lock, the one writer and the pool of readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoints::Checkpoints;
use super::lock::{FileLock, lock_soon};
use super::lock_wait::LockWait;
use super::open_file::{FileWatch, OpenFile};
use super::readers::{pool, snapshot_at};
use super::start_check::StartCheck;
use super::writer::{self, Ended, Started, Writer, WriterThread};
use super::{migrate, open, place};
use crate::clock::Clock;
use crate::priority;
use crate::randomness::Randomness;
use crate::store::clock_jumps::Times;
use crate::store::commit_signal::CommitSignal;
use crate::store::condition::Condition;
use crate::store::error::StoreError;
use crate::store::known_sizes::KnownSizes;
use crate::store::next_expiry::NextExpiry;
use crate::store::tx::Reader;

/// An open database with one writer and several readers.
#[derive(Clone)]
pub struct Store {
    pub writer: Writer,
    pub condition: Arc<Condition>,
    /// Tells the reader of the journal about commits.
    pub signal: Arc<CommitSignal>,
    next_expiry: Arc<NextExpiry>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    clock: Clock,
    file: Arc<OpenFile>,
}

/// An open database, with its writer's thread and its lock.
pub struct OpenStore {
    pub store: Store,
    pub writer_thread: WriterThread,
    /// Resolves when the writer's thread ends, with the reason if it failed.
    pub writer_ended: oneshot::Receiver<Ended>,
    /// Must outlive the writer's thread.
    pub lock: FileLock,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another Tillbook serves {0}; stop it, or name another file with --db")]
    AlreadyServed(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn open_and_migrate(path: &Path) -> Result<Connection, StoreError> {
    let mut conn = open::open_writer(path)?;
    migrate::migrate(&mut conn)?;
    Ok(conn)
}

impl Store {
    /// Opens a file to serve from it: takes the lock, migrates the schema and starts the writer.
    /// Creates the file if it is missing.
    pub fn open(path: &Path, clock: Clock, randomness: Randomness) -> Result<OpenStore, OpenError> {
        let path = &place::locate(path)?;
        let lock = lock_soon(path)?.ok_or_else(|| OpenError::AlreadyServed(path.to_owned()))?;
        let conn = lock.settle(open_and_migrate(path))?;
        let times = Times::since(Reader::new(&conn).load_last_event_time()?);
        let jump = Reader::new(&conn).load_last_clock_jump()?;
        let commit = |conn: &Connection| conn.execute_batch("commit");
        let condition = Arc::new(Condition::of(path, &clock));
        jump.into_iter().for_each(|jump| condition.note_told_clock_jump(jump));
        let signal: Arc<CommitSignal> = Arc::default();
        let lock_wait = LockWait::of(&conn)?;
        let checkpoints = Checkpoints::start(path)?;
        let readers = pool(path)?;
        let file = OpenFile::of(path);
        let next_expiry: Arc<NextExpiry> = Arc::default();
        let state = writer::WriterState {
            conn,
            lock_wait,
            clock: clock.clone(),
            randomness,
            times,
            known_sizes: KnownSizes::default(),
            next_expiry: next_expiry.clone(),
            commit,
            condition: condition.clone(),
            signal: signal.clone(),
            checkpoints,
            file: file.clone(),
        };
        let Started { writer, thread, ended } = writer::start(state)?;
        let file = file.into();
        let store = Store { writer, condition, signal, next_expiry, readers, clock, file };
        Ok(OpenStore { store, writer_thread: thread, writer_ended: ended, lock })
    }

    /// Opens the check that every server runs after its start.
    pub fn start_check(&self) -> Result<StartCheck, StoreError> {
        StartCheck::open(self.file.path())
    }

    /// Opens the watch over the book's files.
    pub fn file_watch(&self) -> Result<FileWatch, StoreError> {
        FileWatch::open(&self.file, &self.condition)
    }

    /// Makes the writer look up again when something expires: another process may have written.
    pub fn forget_next_expiry(&self) {
        self.next_expiry.forget();
    }

    /// Reads in one transaction on the calling thread, which may block.
    pub fn read_blocking<T, E: From<StoreError>>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let conn = self.readers.get().map_err(StoreError::from)?;
        snapshot_at(&conn, self.clock.now(), read)
    }

    /// Reads in one transaction on a thread that may block.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, E> + Send + 'static,
    {
        let store = self.clone();
        let read_aside = move || {
            priority::lower_this_thread();
            store.read_blocking(read)
        };
        match tokio::task::spawn_blocking(read_aside).await {
            Ok(result) => result,
            Err(panicked) => Err(StoreError::other(panicked).into()),
        }
    }
}
