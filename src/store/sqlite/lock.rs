//! The lock file beside the database, which allows one server per file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::error::StoreError;

/// The held lock; dropping it releases it. It is an advisory lock on a small file of its own, so
/// the system releases it however the process ends, and it cannot interfere with SQLite's locks.
#[derive(Debug)]
pub struct FileLock {
    _held: File,
}

/// Takes the lock beside `database`; `None` if another process holds it.
pub fn try_lock(database: &Path) -> Result<Option<FileLock>, StoreError> {
    let path = lock_path(database);
    let cannot = |error: std::io::Error| {
        StoreError::other(format!(
            "cannot use the lock file {}: {error}; see that this user may write in its folder",
            path.display()
        ))
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    // Anyone who can open the file could hold the lock and keep the server from starting.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock { _held: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// How often and how many times [`lock_soon`] tries.
const TRY_MS: u64 = 50;
const TRIES: u32 = 40;

/// Takes the lock. Waits up to two seconds, since a subcommand may hold it briefly.
pub(super) fn lock_soon(database: &Path) -> Result<Option<FileLock>, StoreError> {
    for _ in 1..TRIES {
        if let Some(lock) = try_lock(database)? {
            return Ok(Some(lock));
        }
        std::thread::park_timeout(Duration::from_millis(TRY_MS));
    }
    try_lock(database)
}

/// `tillbook.db.lock` for `tillbook.db`.
pub fn lock_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}
