//! Moves committed pages from the WAL into the file beside the writer, so that commits need not
//! wait for it.
//!
//! A checkpoint writes every changed page and syncs the file. That takes tens of milliseconds, and
//! if the writer did it, all callers would wait. A thread with its own connection does most of it
//! with PASSIVE checkpoints, which block no one. A passive checkpoint never catches up while
//! commits go on, so when the WAL reaches [`open::WAL_PAGES_MAX`] the writer does the rest itself,
//! and the WAL starts over. SQLite does this safely since 3.51.3, which `open` requires.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::open;
use crate::store::error::StoreError;

/// How long the thread waits after a commit, so that several commits are moved together.
const GATHER_MS: u64 = 100;

/// The writer's handle to the thread.
pub(super) struct Checkpoints {
    committed: SyncSender<()>,
    failed: Arc<OnceLock<String>>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread for a file. First it empties a WAL that an earlier process left behind: if
    /// that WAL is larger than what this process wrote, SQLite would have to enlarge the WAL's
    /// index, and on a full disk that fails with an unknown outcome.
    pub fn start(path: &Path) -> Result<Checkpoints, StoreError> {
        let conn = open::open_writer(path)?;
        if 0 < open::wal_bytes(path) {
            empty(&conn)?;
        }
        let (committed, commits) = sync_channel(1);
        let failed = Arc::new(OnceLock::new());
        let failure = failed.clone();
        let thread = std::thread::Builder::new().name("checkpoints".into());
        let thread = thread.spawn(move || run(&conn, &commits, &failure))?;
        Ok(Checkpoints { committed, failed, thread })
    }

    /// Tells the thread that there is something to move. Does not block.
    pub fn note_commit(&self) {
        // If a message is waiting already, it covers this commit too.
        self.committed.try_send(()).unwrap_or_default();
    }

    /// The failure of a checkpoint after which nothing more may be written, if there was one.
    pub fn failure(&self) -> Option<&String> {
        self.failed.get()
    }

    /// Stops the thread and waits for its end.
    pub fn stop(self) {
        drop(self.committed);
        self.thread.thread().unpark();
        // If it panicked, pages are left in the WAL; the writer's own checkpoint follows anyway.
        drop(self.thread.join());
    }
}

/// Moves the WAL into the file without waiting for others, so that new commands are not delayed. An
/// error means that nothing more may be written.
pub(super) fn passive(conn: &Connection) -> Result<(), StoreError> {
    checkpoint(conn, "pragma wal_checkpoint(passive)")
}

/// Moves the WAL into the file and empties it, when the server starts or stops. If another process
/// is using the file, the WAL may stay, and the next start moves the rest.
pub(super) fn empty(conn: &Connection) -> Result<(), StoreError> {
    checkpoint(conn, "pragma wal_checkpoint(truncate)")
}

/// A held lock or a full disk is temporary, and the next checkpoint catches up, so neither is an
/// error.
fn checkpoint(conn: &Connection, sql: &str) -> Result<(), StoreError> {
    match conn.query_row(sql, [], |_| Ok(())).map_err(StoreError::from) {
        Err(error) if !error.kind.is_known_outcome() => Err(error),
        _ => Ok(()),
    }
}

fn run(conn: &Connection, commits: &Receiver<()>, failure: &OnceLock<String>) {
    while commits.recv().is_ok() {
        std::thread::park_timeout(Duration::from_millis(GATHER_MS));
        if let Err(why) = passive(conn) {
            failure.get_or_init(|| why.to_string());
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    #[test]
    fn what_was_committed_is_moved_into_the_file_beside_the_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("book.db");
        let mut conn = open::open_writer(&path).unwrap();
        let checkpoints = Checkpoints::start(&path).unwrap();
        migrate::migrate(&mut conn).unwrap();
        checkpoints.note_commit();
        checkpoints.stop();
        let left = "pragma wal_checkpoint(noop)";
        let (frames, moved): (i64, i64) =
            conn.query_row(left, [], |row| Ok((row.get(1)?, row.get(2)?))).unwrap();
        assert!(0 < frames && frames == moved, "{moved} of {frames} pages were moved");
    }

    #[test]
    fn what_a_process_has_left_in_the_wal_is_moved_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (path, left) = (dir.path().join("book.db"), dir.path().join("left.db"));
        let mut conn = open::open_writer(&path).unwrap();
        migrate::migrate(&mut conn).unwrap();
        // The state of the file and its WAL after their process was killed.
        for end in ["", "-wal"] {
            let of = |path: &Path| format!("{}{end}", path.display());
            std::fs::copy(of(&path), of(&left)).unwrap();
        }
        assert!(0 < open::wal_bytes(&left));
        let checkpoints = Checkpoints::start(&left).unwrap();
        assert_eq!(open::wal_bytes(&left), 0);
        checkpoints.stop();
        let mut conn = open::open_writer(&left).unwrap();
        migrate::migrate(&mut conn).unwrap();
    }
}
