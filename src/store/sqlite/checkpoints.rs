//! Moving the WAL into the file beside the writer, so that commits need not wait for it.
//!
//! A checkpoint writes every page that commits have changed and syncs the file: tens of
//! milliseconds in which the writer, doing it itself, would answer nobody. A thread with a
//! connection of its own does most of it, PASSIVE, which waits for nobody and keeps nobody
//! waiting. It can never finish while commits go on, so the writer still takes its turn when the
//! WAL has grown to [`open::WAL_PAGES_MAX`], and the WAL begins anew. What is left to move by then
//! is what was committed meanwhile, and everybody waits for it. SQLite is sound with this from
//! 3.51.3 on, which `open` insists on.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::open;
use crate::store::error::StoreError;

/// How long commits gather before they are moved together.
const GATHER_MS: u64 = 100;

/// The thread, as the writer knows it.
pub(super) struct Checkpoints {
    committed: SyncSender<()>,
    failed: Arc<OnceLock<String>>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread for a file. A WAL that a process has left behind is emptied first: in one
    /// that is larger than what this process has put there, SQLite would have to enlarge its index
    /// of the WAL, and on a full disk that is a failure whose outcome nobody knows.
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

    /// Says that there is something to move. Waits for nobody.
    pub fn note_commit(&self) {
        // One that waits already stands for this commit too.
        self.committed.try_send(()).unwrap_or_default();
    }

    /// Why a checkpoint failed so that nothing more may be written; `None` while none did.
    pub fn failure(&self) -> Option<&String> {
        self.failed.get()
    }

    /// Ends the thread and waits until it has.
    pub fn stop(self) {
        drop(self.committed);
        self.thread.thread().unpark();
        // One that panicked has moved nothing more, and the writer's own checkpoint follows.
        drop(self.thread.join());
    }
}

/// Moves the WAL into the file. Waits for nobody, so that a command that comes now does not either.
/// An error says why nothing more may be written.
pub(super) fn passive(conn: &Connection) -> Result<(), StoreError> {
    checkpoint(conn, "pragma wal_checkpoint(passive)")
}

/// The same when the server starts or stops, and leaves the WAL empty. A process that reads or
/// writes may keep it from that, and then it is the next start that moves what is left.
pub(super) fn empty(conn: &Connection) -> Result<(), StoreError> {
    checkpoint(conn, "pragma wal_checkpoint(truncate)")
}

/// A lock that was held, or a full disk, passes; the next one makes it good.
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
        // As the file and its WAL are when their process is killed.
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
