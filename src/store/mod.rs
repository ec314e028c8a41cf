//! The only SQL there is.
//!
//! How the file is shared. One thread owns the one writing connection (`writer`); everybody who
//! wants something written hands it a command and waits for the commit. Another thread moves what
//! was committed from the WAL into the file meanwhile (`checkpoints`). Reads run on pooled
//! connections that can only read, each in one short transaction, on threads that may block. In WAL
//! mode readers never stop the writer and see the last commit before they began. Another process
//! (a subcommand beside the server) may write too, for accounts and clients alone, in one short
//! transaction; the busy timeout covers that. A lock file beside the database keeps a second
//! server away.
//!
//! Store functions are methods of [`Tx`] and [`Reader`], one file a table family.

mod accounts;
mod attempts;
mod checkpoints;
mod clients;
mod comments;
mod condition;
mod draft_lists;
mod drafts;
mod error;
mod events;
mod idempotency;
mod ledgers;
mod list_values;
mod lists;
mod lock;
mod lock_wait;
mod migrate;
mod open;
mod order_lists;
mod order_rows;
mod orders;
mod row;
mod search;
mod start_check;
mod tx;
mod users;
pub mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use checkpoints::Checkpoints;
use lock::lock_soon;
use lock_wait::LockWait;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::OpenFlags;

pub use accounts::AccountRecord;
pub use clients::{AccessRecord, ClientRecord, SigningKey};
pub use comments::CommentRecord;
pub use condition::{Condition, Trouble};
pub use draft_lists::{DraftPage, DraftQuery};
pub use drafts::{DraftEvent, DraftRecord, NewDraft};
pub use error::{StoreError, StoreErrorKind};
pub use events::{ApiEvent, EventBody, EventRecord, NewApiEvent, NewServiceEvent, ServiceEvent};
pub use idempotency::{KeyHash, KeyUse, StoredAnswer};
pub use ledgers::{LedgerRecord, NewStatus};
pub use list_values::{ListValues, ValueFilter};
pub use lists::ListSort;
pub use lock::{FileLock, lock_path, try_lock};
pub use order_lists::{OrderPage, OrderQuery};
pub use orders::{Cancelled, NewOrder, OrderRecord};
pub use start_check::StartCheck;
pub use tx::{Reader, Tx};
pub use users::{Doer, NewSession, SessionRecord, SignInLink, UserRecord};
pub use writer::{Ended, Refusal, WriteCommand, WriteError, Writer, WriterThread};

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::randomness::Randomness;

/// The statements that a capture with a key runs, in their order: what the benchmark compares the
/// writer with is a loop of the very same.
pub mod capture_statements {
    /// The answer that the key stands for.
    pub const FIND_ANSWER: &str = super::idempotency::FIND_ANSWER;
    /// The order's ledger, by its name.
    pub const FIND_LEDGER: &str = super::ledgers::FIND_LEDGER;
    /// The seq that the next event gets.
    pub const NEXT_EVENT_SEQ: &str = super::events::NEXT_EVENT_SEQ;
    /// The event that the operation is.
    pub const INSERT_OPERATION: &str = super::events::INSERT_OPERATION;
    /// The ledger after it, in the same tabs of the list as before.
    pub const UPDATE_SUMS: &str = super::ledgers::UPDATE_SUMS;
    /// The answer under its key.
    pub const INSERT_ANSWER: &str = super::idempotency::INSERT_ANSWER;
}

/// Connections that read.
const READERS_MAX: u32 = 4;

/// How long a read waits for a connection before it is told that the store is busy.
const READER_WAIT_MS: u64 = 3_000;

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
        let (writer, writer_thread) = writer::start(state)?;
        let store = Store { writer, condition, readers: pool(path)?, path: path.into() };
        Ok(OpenStore { store, writer_thread, _lock: lock })
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

/// The version of the SQLite inside.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Runs one command in a transaction of its own, without a server: how the other subcommands
/// write, also while a server uses the file. Makes the file when there is none.
pub fn write_once<C: WriteCommand>(path: &Path, command: &C) -> Result<C::Done, C::Refused>
where
    C::Refused: From<StoreError>,
{
    let mut conn = open::open_writer(path)?;
    // Only the lock's holder brings the schema up to date; a server that has it is about to.
    match try_lock(path)? {
        Some(_lock) => migrate::migrate(&mut conn)?,
        None if migrate::expect_current(&conn).is_ok() => {}
        None => match lock_soon(path)? {
            Some(_lock) => migrate::migrate(&mut conn)?,
            None => migrate::expect_current(&conn)?,
        },
    }
    let now = Clock::System.now().max(Reader::new(&conn).load_last_event_time()?);
    let transaction = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let done = command.run(&Tx::new(&transaction, now, &Randomness::System))?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(done)
}

/// The same for a command that makes no sense in a new book; never makes a file.
pub fn write_once_in_existing<C: WriteCommand>(
    path: &Path,
    command: &C,
) -> Result<C::Done, C::Refused>
where
    C::Refused: From<StoreError>,
{
    refuse_missing(path)?;
    write_once(path, command)
}

/// Reads the file without a server, also while one uses it. Never makes a file.
pub fn read_once<T, E: From<StoreError>>(
    path: &Path,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let conn = open_existing(path)?;
    snapshot(&conn, read)
}

/// A reading connection to a file that is ours and current.
fn open_existing(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    refuse_missing(path)?;
    let conn = open::open_reader(path)?;
    migrate::expect_current(&conn)?;
    Ok(conn)
}

fn refuse_missing(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    let text = format!("there is no file {}; name your book with --db", path.display());
    Err(StoreError::other(text))
}

fn snapshot<T, E: From<StoreError>>(
    conn: &rusqlite::Connection,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = conn.unchecked_transaction().map_err(StoreError::from)?;
    let result = read(&Reader::new(&transaction));
    transaction.finish().map_err(StoreError::from)?;
    result
}

fn pool(path: &Path) -> Result<r2d2::Pool<SqliteConnectionManager>, StoreError> {
    let manager = SqliteConnectionManager::file(path)
        .with_flags(
            OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_NOFOLLOW,
        )
        .with_init(|conn| open::set_up_reader(conn).map_err(into_sqlite));
    let pool = r2d2::Pool::builder()
        .max_size(READERS_MAX)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_millis(READER_WAIT_MS))
        .test_on_check_out(false)
        .build(manager)?;
    Ok(pool)
}

/// r2d2 wants SQLite's own error back.
fn into_sqlite(error: StoreError) -> rusqlite::Error {
    match error.source.downcast::<rusqlite::Error>() {
        Ok(error) => *error,
        Err(other) => rusqlite::Error::ToSqlConversionFailure(other),
    }
}

impl Reader<'_> {
    /// The newest time in the book; the writer's clock never goes below it.
    fn load_last_event_time(&self) -> Result<Timestamp, StoreError> {
        let sql = "select max(
            coalesce((select created_at_ms from events order by event_seq desc limit 1), 0),
            coalesce((select created_at_ms from orders order by order_seq desc limit 1), 0),
            coalesce((select created_at_ms from drafts order by draft_seq desc limit 1), 0))";
        Ok(self.find(sql, [], |row| row.get(0))?.unwrap_or(Timestamp(0)))
    }
}
