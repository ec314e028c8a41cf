//! Opens connections with every setting set, and reads the important ones back.
//!
//! The settings follow SQLite's documentation and our crash trials: `synchronous=FULL` makes an
//! answered capture survive a power cut in WAL mode, and `recursive_triggers` makes `insert or
//! replace` run the triggers that protect the append-only tables.

use std::ffi::OsString;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::migrate::refuse_newer;
use super::place;
use crate::sabotage::{self, Fault};
use crate::store::error::{StoreError, StoreErrorKind};

/// "TLBK": the SQLite application id of a Tillbook file, which migration 0001 writes.
const APPLICATION_ID: i32 = 0x544c_424b;

/// "TILL": the application id of files made by builds before the first release. Their schemas were
/// numbered from 1 too, so an application id of their own keeps the two numberings apart.
const UNRELEASED_APPLICATION_ID: i32 = 0x5449_4c4c;

/// Earlier versions can corrupt a WAL that two connections write or checkpoint at once.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// This version was withdrawn by its authors.
const SQLITE_VERSION_WITHDRAWN: i32 = 3_052_000;

/// How long a connection waits for another process's lock.
pub(super) const BUSY_TIMEOUT_MS: u64 = 5_000;
/// When the WAL has this many pages (256 MiB), the writer empties it itself. Only thousands of
/// captures a second get there. With a quarter of it, the writer's checkpoints came four times as
/// often and caused most of the slowest answers: see benches/README.md.
pub(super) const WAL_PAGES_MAX: i32 = 65_536;

const STATEMENTS_CACHED_MAX: usize = 128;
/// The answers that earlier versions stored under keys, of whole orders, had to fit.
const VALUE_BYTES_MAX: i32 = 64 << 20;
const SQL_BYTES_MAX: i32 = 64 << 10;
const VARIABLES_MAX: i32 = 1_000;

/// Opens the writing connection. Creates a missing file, readable only by its owner.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    check_sqlite_version(rusqlite::version_number())?;
    make_file_private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn = open(path, flags)?;
    // By default SQLite moves a WAL into the file on closing, even one of a different file. This is
    // held back until the file is known to be ours.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // These come before the first setting that changes the file.
    refuse_foreign(&conn, path)?;
    refuse_cut(&conn, path)?;
    refuse_newer(&conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    conn.pragma_update(None, "journal_mode", "wal")?;
    let (synchronous, read_back) = match sabotage::is_on(Fault::CommitWithoutSync) {
        false => ("full", "2"),
        true => ("normal", "1"),
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES_MAX)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // What is erased must not stay in the file on pages that are no longer used.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "cache_size", -16_000)?;
    expect_setting(&conn, "journal_mode", "wal")?;
    expect_setting(&conn, "synchronous", read_back)?;
    expect_setting(&conn, "foreign_keys", "1")?;
    expect_setting(&conn, "recursive_triggers", "1")?;
    Ok(conn)
}

/// Opens a read-only connection to one of our files.
pub(in crate::store) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    match open_to_read(path, path, flags) {
        // In a folder that this user may not write to, SQLite cannot make the files that readers of
        // a WAL share. Without a WAL no process writes, and the book is only this one file.
        Err(error) if error.kind == StoreErrorKind::Machine && !has_wal(path) => {
            let alone = file_alone(path)?;
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            open_to_read(Path::new(&alone), path, flags).map_err(|_| error)
        }
        opened => opened,
    }
}

/// Opens the file `path` under a name for SQLite.
fn open_to_read(name: &Path, path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let conn = open(name, flags)?;
    refuse_foreign(&conn, path)?;
    refuse_cut(&conn, path)?;
    set_up_reader(&conn)?;
    Ok(conn)
}

/// The settings of every read-only connection, pooled or not.
pub(super) fn set_up_reader(conn: &Connection) -> Result<(), StoreError> {
    set_up(conn)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -6_000)?;
    Ok(())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    #[expect(clippy::disallowed_methods, reason = "this is where connections are opened")]
    let conn = Connection::open_with_flags(path, flags)?;
    set_up(&conn)?;
    Ok(conn)
}

fn set_up(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Makes plans independent of parameter values; otherwise SQLite plans a statement again for new
    // values.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    conn.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX)?;
    conn.set_limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER, VARIABLES_MAX)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "recursive_triggers", true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

fn expect_setting(conn: &Connection, name: &str, expected: &str) -> Result<(), StoreError> {
    let found = conn.pragma_query_value(None, name, |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => other.as_str()?.to_owned(),
        })
    })?;
    if found == expected {
        return Ok(());
    }
    let text = format!("SQLite keeps {name} at {found}; the book needs {expected}");
    Err(StoreError::other(text))
}

fn check_sqlite_version(version: i32) -> Result<(), StoreError> {
    if SQLITE_VERSION_MIN <= version && version != SQLITE_VERSION_WITHDRAWN {
        return Ok(());
    }
    let text = format!("SQLite {version} can lose data; build Tillbook with 3.51.3 or newer");
    Err(StoreError::other(text))
}

/// Refuses a file that is neither empty nor a Tillbook file of a released schema.
fn refuse_foreign(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let application_id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id == UNRELEASED_APPLICATION_ID {
        let text = format!(
            "{} was made by an unreleased build of Tillbook, and this version cannot bring it up \
             to date. The file was not changed. Keep it and open it with the build that made it, \
             or start a new book by naming another file with --db.",
            path.display()
        );
        return Err(StoreError::other(text));
    }
    let objects: i64 = conn
        .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
        .map_err(schema_unreadable)?;
    if application_id == APPLICATION_ID || (application_id == 0 && objects == 0) {
        return Ok(());
    }
    let mut text = format!("{} is not a Tillbook file", path.display());
    if 0 < wal_bytes(path) {
        text.push_str(", or the -wal file beside it belongs to another file");
    }
    Err(StoreError { kind: StoreErrorKind::Corrupt, source: text.into() })
}

/// A schema that SQLite cannot read is damaged, since this version knows every valid format.
fn schema_unreadable(error: rusqlite::Error) -> StoreError {
    let error = StoreError::from(error);
    match error.kind {
        StoreErrorKind::Constraint => StoreError { kind: StoreErrorKind::Corrupt, ..error },
        _ => error,
    }
}

/// SQLite reads the missing part of a cut last page as zeros. An interrupted checkpoint may also
/// leave a cut page, but then the WAL still has the whole page.
fn refuse_cut(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let page_bytes: u32 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let bytes = std::fs::metadata(path)?.len();
    if bytes.is_multiple_of(page_bytes.into()) || 0 < wal_bytes(path) {
        return Ok(());
    }
    let text = format!("{} is cut off: its last page is incomplete", path.display());
    Err(StoreError { kind: StoreErrorKind::Corrupt, source: text.into() })
}

/// SQLite's URI for a file that nothing changes, so that it is read without files beside it.
fn file_alone(path: &Path) -> Result<String, StoreError> {
    let whole = std::fs::canonicalize(path)?;
    let bytes = whole.as_os_str().as_encoded_bytes();
    let escaped: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    Ok(format!("file:{}?immutable=1", escaped.replace("%2f", "/")))
}

fn has_wal(path: &Path) -> bool {
    let mut wal = OsString::from(path);
    wal.push("-wal");
    // A file that cannot be seen may be there.
    Path::new(&wal).try_exists().unwrap_or(true)
}

/// The size of the WAL beside a file; 0 without a WAL.
pub(in crate::store) fn wal_bytes(path: &Path) -> u64 {
    let mut wal = OsString::from(path);
    wal.push("-wal");
    std::fs::metadata(wal).map_or(0, |file| file.len())
}

/// Creates a missing file with mode 0600. SQLite gives its files beside it the same mode.
fn make_file_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(place::missing_folder(path, &error).unwrap_or_else(|| {
            StoreError::other(format!(
                "cannot make the file {}: {error}; see that this user may write in its folder",
                path.display()
            ))
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_versions_that_lose_data_are_refused() {
        assert!(check_sqlite_version(rusqlite::version_number()).is_ok());
        assert!(check_sqlite_version(3_051_003).is_ok());
        assert!(check_sqlite_version(3_051_002).is_err());
        assert!(check_sqlite_version(3_052_000).is_err());
    }
}
