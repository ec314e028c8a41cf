//! The parts of the store that are about SQLite itself: connections and their statements, opening
//! and migrating the file, locks, checkpoints, the batch writer, and the check after a start.
//!
//! How one file is shared: one thread owns the only writing connection (`writer`). To write,
//! callers hand it a command and wait for the commit. Another thread meanwhile moves committed
//! pages from the WAL into the file (`checkpoints`). Reads run on pooled, read-only connections,
//! each in one short transaction, on threads that may block. In WAL mode readers never block the
//! writer, and each sees the last commit before it began. A subcommand in another process may also
//! write, but only accounts, clients and users, in one short transaction; the busy timeout covers
//! that. A lock file beside the database keeps a second server away.

mod book;
mod checkpoints;
mod job;
mod lanes;
mod lock;
mod lock_wait;
mod migrate;
mod once;
pub(super) mod open;
mod open_file;
mod place;
pub(super) mod readers;
mod rescue;
pub(super) mod session;
mod start_check;
mod writer;

pub use book::{OpenError, OpenStore, Store};
pub use lock::{FileLock, is_locked, lock_path, try_lock};
pub use once::{read_once, write_once, write_once_in_existing};
pub use open_file::FileWatch;
pub use start_check::StartCheck;
pub use writer::{Ended, Writer, WriterThread};

/// The version of the bundled SQLite.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
