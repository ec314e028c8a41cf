//! The lock file beside the database, which allows one server per file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::place;
use crate::store::error::StoreError;

/// The held lock; dropping it releases it. It is an advisory lock on a small file of its own, so
/// the system releases it however the process ends, and it cannot interfere with SQLite's locks.
#[derive(Debug)]
pub struct FileLock {
    _held: File,
    path: PathBuf,
    /// True if there was no lock file before.
    is_new: bool,
}

impl FileLock {
    /// Passes on the result of opening the book under this lock. If the book was refused, it is
    /// perhaps not a book at all, so a new lock file beside it is removed again.
    pub(super) fn settle<T, E>(&self, opened: Result<T, E>) -> Result<T, E> {
        if opened.is_err() && self.is_new {
            // A file that cannot be removed is empty and harmless.
            drop(std::fs::remove_file(&self.path));
        }
        opened
    }
}

/// Takes the lock beside `database`; `None` if another process holds it or has just released it.
pub fn try_lock(database: &Path) -> Result<Option<FileLock>, StoreError> {
    let path = lock_path(database);
    let cannot = |error: std::io::Error| {
        place::missing_folder(&path, &error).unwrap_or_else(|| {
            StoreError::other(format!(
                "cannot use the lock file {}: {error}; see that this user may write in its folder",
                path.display()
            ))
        })
    };
    let (file, is_new) = open_or_make(&path).map_err(cannot)?;
    match file.try_lock() {
        // The holder before may have removed the file after it was opened here; another process may
        // then hold the lock of a new one.
        Ok(()) if !is_at(&file, &path).map_err(cannot)? => Ok(None),
        Ok(()) => Ok(Some(FileLock { _held: file, path, is_new })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// True if another process holds the lock beside `database`: a server has it open, or for a moment
/// a subcommand. Makes no file. False where this cannot be found out.
pub fn is_locked(database: &Path) -> bool {
    let Ok(file) = OpenOptions::new().write(true).open(lock_path(database)) else { return false };
    matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

/// The lock file, and true if it was made here.
fn open_or_make(path: &Path) -> std::io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    // Anyone who can open the file could hold the lock and keep the server from starting.
    options.write(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made.map(|file| (file, true)),
    }
    Ok((options.create(true).truncate(false).open(path)?, false))
}

/// True if an open file is the one at this path.
fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
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
