//! What is SQLite's own: the session and its statements, opening and migrating the file, its locks,
//! checkpoints, the batch writer, and the check of a start.
//!
//! The table families beside this folder say what is stored; this says how one file is shared. One
//! thread owns the one writing connection (`writer`); everybody who wants something written hands
//! it a command and waits for the commit. Another thread moves what was committed from the WAL into
//! the file meanwhile (`checkpoints`). Reads run on pooled connections that can only read, each in
//! one short transaction, on threads that may block. In WAL mode readers never stop the writer and
//! see the last commit before they began. Another process (a subcommand beside the server) may
//! write too, for accounts and clients alone, in one short transaction; the busy timeout covers
//! that. A lock file beside the database keeps a second server away.

mod book;
mod checkpoints;
mod lock;
mod lock_wait;
mod migrate;
mod once;
pub(super) mod open;
pub(super) mod readers;
pub(super) mod session;
mod start_check;
mod writer;

pub use book::{OpenError, OpenStore, Store};
pub use lock::{FileLock, lock_path, try_lock};
pub use once::{read_once, write_once, write_once_in_existing};
pub use start_check::StartCheck;
pub use writer::{Ended, Writer, WriterThread};

/// The version of the SQLite inside.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
