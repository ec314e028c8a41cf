//! One server a file: the lock beside it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::store::error::StoreError;

/// Held as long as it lives. It is an advisory lock on its own small file, so it goes with the
/// process however that ends, and never meets SQLite's own locks.
#[derive(Debug)]
pub struct FileLock {
    _held: File,
}

/// Takes the lock beside `database`; `None` when another process has it.
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
    // Whoever can open the file could hold the lock and keep the server from starting.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock { _held: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Tries for the lock.
const TRY_MS: u64 = 50;
const TRIES: u32 = 40;

/// Takes the lock, waiting up to two seconds for a command that has it for a moment.
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
