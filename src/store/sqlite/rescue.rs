//! Saves the records of a file that was lost while a server had it open.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::limits::Limit;

use super::checkpoints;
use super::open_file::{OpenFile, beside_path};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use crate::store::error::{FileLoss, StoreError};

/// How many of the newest events are listed when the file was written over.
const EVENTS_LISTED_MAX: u32 = 10_000;

/// Saves the book beside its path, as far as the open connection can read it, and returns the new
/// file. Afterwards the WAL has nothing that SQLite would apply to another file at the path.
pub(super) fn save(
    conn: &Connection,
    file: &OpenFile,
    loss: FileLoss,
    now: Timestamp,
) -> Result<PathBuf, StoreError> {
    let rescued = rescued_path(file, now);
    match loss {
        FileLoss::Overwritten => {
            let listed = beside_path(&rescued, ".jsonl");
            list_newest_events(conn, &listed)?;
            move_wal_aside(file.path(), &rescued)?;
            Ok(listed)
        }
        _ => {
            copy_book(conn, &rescued)?;
            if !loss.keeps_wal() {
                checkpoints::empty(conn)?;
            }
            Ok(rescued)
        }
    }
}

/// `book.db.rescued-20261128T134502Z`, beside the path, or beside the moved file if the path's
/// folder is gone.
fn rescued_path(file: &OpenFile, now: Timestamp) -> PathBuf {
    let is_there = file.path().parent().is_some_and(Path::is_dir);
    let moved = if is_there { None } else { file.moved_to() };
    let at = moved.as_deref().unwrap_or(file.path());
    let time: String = rfc3339(now).chars().filter(char::is_ascii_alphanumeric).collect();
    // Without the milliseconds.
    beside_path(at, &format!(".rescued-{}Z", time.get(..15).unwrap_or_default()))
}

fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes a whole copy, which has everything that was committed.
fn copy_book(conn: &Connection, to: &Path) -> Result<(), StoreError> {
    create_private(to)?;
    // SQLite attaches the copy while it writes it.
    let attached_max = conn.limit(Limit::SQLITE_LIMIT_ATTACHED)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
    let copied = conn.execute("vacuum into ?1", [to.to_string_lossy()]);
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, attached_max)?;
    copied?;
    Ok(File::open(to)?.sync_all()?)
}

/// Lists the newest events, newest first, one JSON object per line. After the file was written
/// over, only the pages that this connection holds in memory are sure to be right, and those are
/// the newest; so the list ends at the first row that cannot be read.
fn list_newest_events(conn: &Connection, to: &Path) -> Result<(), StoreError> {
    let sql = "select json_object('event_seq', event_seq, 'created_at_ms', created_at_ms,
            'account_seq', account_seq, 'order_id', order_id, 'version', events.version,
            'kind', kind, 'id', coalesce(operation_id, id), 'success', success, 'amount', amount,
            'currency', currency, 'created_by', created_by, 'document', coalesce(document, body))
        from events join ledgers using (order_seq) left join request_bodies using (event_seq)
        order by event_seq desc limit ?1";
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([EVENTS_LISTED_MAX])?;
    let mut list = BufWriter::new(create_private(to)?);
    while let Ok(Some(row)) = rows.next() {
        let Ok(line) = row.get::<_, String>(0) else { break };
        writeln!(list, "{line}")?;
    }
    list.flush()?;
    Ok(list.get_ref().sync_all()?)
}

/// If the WAL stayed, the next start would apply it to the file that was written over the book.
fn move_wal_aside(path: &Path, rescued: &Path) -> Result<(), StoreError> {
    match std::fs::rename(beside_path(path, "-wal"), beside_path(rescued, "-wal")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
