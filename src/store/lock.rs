//! One server a file: the lock beside it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::error::StoreError;

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
        StoreError::other(format!("cannot use the lock file {}: {error}", path.display()))
    };
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock { _held: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// `tillbook.db.lock` for `tillbook.db`.
pub fn lock_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}
