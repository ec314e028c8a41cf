//! Read-only connections: the server's pool, and single ones beside a server.

use std::path::Path;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};

use super::migrate;
use super::{open, place};
use crate::domain::Timestamp;
use crate::store::error::StoreError;
use crate::store::tx::Reader;

/// The size of the pool.
const READERS_MAX: u32 = 4;

/// How long a read waits for a connection before it fails as busy.
const READER_WAIT_MS: u64 = 3_000;

/// Opens the server's pool.
pub(super) fn pool(path: &Path) -> Result<r2d2::Pool<SqliteConnectionManager>, StoreError> {
    let manager = SqliteConnectionManager::file(path)
        .with_flags(
            OpenFlags::SQLITE_OPEN_READ_ONLY
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_NOFOLLOW,
        )
        .with_init(|conn| open::set_up_reader(conn).map_err(into_sqlite));
    let pool = r2d2::Pool::builder()
        .max_size(READERS_MAX)
        // All are opened at once and kept: one that is opened later would read the file that has
        // the path by then.
        .min_idle(Some(READERS_MAX))
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(Duration::from_millis(READER_WAIT_MS))
        .test_on_check_out(false)
        .build(manager)?;
    Ok(pool)
}

/// r2d2 expects SQLite's own error type.
fn into_sqlite(error: StoreError) -> rusqlite::Error {
    match error.source.downcast::<rusqlite::Error>() {
        Ok(error) => *error,
        Err(other) => rusqlite::Error::ToSqlConversionFailure(other),
    }
}

/// Opens a read-only connection to one of our files, which must have the current schema.
pub(in crate::store) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let path = &place::locate(path)?;
    refuse_missing(path)?;
    let conn = open::open_reader(path)?;
    migrate::expect_current(&conn)?;
    Ok(conn)
}

pub(super) fn refuse_missing(path: &Path) -> Result<(), StoreError> {
    // A folder is refused when the book's place is looked at, which tells more.
    if path.is_file() || path.is_dir() {
        return Ok(());
    }
    let text = format!("there is no file {}; name your book with --db", path.display());
    Err(StoreError::other(text))
}

/// Runs a read in one transaction.
pub(in crate::store) fn snapshot<T, E: From<StoreError>>(
    conn: &Connection,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    snapshot_at(conn, Timestamp(i64::MIN), read)
}

/// Like [`snapshot`], with the time at which the read judges if a session has expired.
pub(super) fn snapshot_at<T, E: From<StoreError>>(
    conn: &Connection,
    now: Timestamp,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = conn.unchecked_transaction().map_err(StoreError::from)?;
    let result = read(&Reader::at(&transaction, now));
    transaction.finish().map_err(StoreError::from)?;
    result
}
