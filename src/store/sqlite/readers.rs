//! Connections that read: the server's pool of them, and one alone beside a server.

use std::path::Path;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};

use super::migrate;
use super::open;
use crate::store::error::StoreError;
use crate::store::tx::Reader;

/// Connections that read.
const READERS_MAX: u32 = 4;

/// How long a read waits for a connection before it is told that the store is busy.
const READER_WAIT_MS: u64 = 3_000;

/// The server's reading connections.
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

/// A reading connection to a file that is ours and current.
pub(in crate::store) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    refuse_missing(path)?;
    let conn = open::open_reader(path)?;
    migrate::expect_current(&conn)?;
    Ok(conn)
}

/// An error when there is no such file.
pub(super) fn refuse_missing(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    let text = format!("there is no file {}; name your book with --db", path.display());
    Err(StoreError::other(text))
}

/// Reads in one transaction.
pub(in crate::store) fn snapshot<T, E: From<StoreError>>(
    conn: &Connection,
    read: impl FnOnce(&Reader<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = conn.unchecked_transaction().map_err(StoreError::from)?;
    let result = read(&Reader::new(&transaction));
    transaction.finish().map_err(StoreError::from)?;
    result
}
