//! Errors of the store, by what the rest of the program must do about them.

use rusqlite::ErrorCode;

/// A failure of the machine or the file, never of a request.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {source}")]
pub struct StoreError {
    pub kind: StoreErrorKind,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failure means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// Another process holds the lock, or all readers are in use. Temporary, so worth a retry.
    #[error("the database is busy")]
    Busy,
    /// The disk has no room for the write. Writes succeed again once it has.
    #[error("the disk is full")]
    DiskFull,
    /// The file is damaged or not a Tillbook file.
    #[error("the database file is damaged or is not a Tillbook file")]
    Corrupt,
    /// A statement violated the schema: a bug here, and nothing was written.
    #[error("the database refused a statement")]
    Constraint,
    /// A row contradicts another or cannot be parsed. No command writes such rows, so this is a bug
    /// or damage. Nothing was written.
    #[error("the book is inconsistent; run `tillbook verify`")]
    Inconsistent,
    /// An I/O error, a file that may not be written, or an unknown error of SQLite: the last write
    /// may or may not be in the file.
    #[error("the database file could not be used")]
    Machine,
    /// The file at the book's path is not the one that the server has open. Nothing was written.
    #[error("{0}")]
    Lost(FileLoss),
    /// Any other failure, explained by its text.
    #[error("the database failed")]
    Other,
}

/// How a book's file was lost while a server had it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileLoss {
    #[error("the book's file was moved away under the server")]
    Moved,
    #[error("the book's file was deleted under the server")]
    Deleted,
    /// Another file has its path.
    #[error("the book's file was replaced under the server")]
    Replaced,
    /// It is the same file, but does not have what the server wrote.
    #[error("the book's file was written over under the server")]
    Overwritten,
    #[error("the -wal file beside the book was deleted or replaced under the server")]
    WalLost,
    #[error("the -shm file beside the book was deleted or replaced under the server")]
    IndexLost,
    /// Another server can start on the book.
    #[error("the .lock file beside the book was deleted or replaced under the server")]
    LockLost,
}

impl FileLoss {
    /// True if the WAL must not be moved into the file: the file belongs to another program now, or
    /// another process may be using the WAL with an index of its own.
    pub fn keeps_wal(self) -> bool {
        matches!(self, Self::Overwritten | Self::IndexLost)
    }
}

impl StoreErrorKind {
    /// True if certainly nothing was written, so that the writer may go on.
    pub fn is_known_outcome(self) -> bool {
        match self {
            Self::Busy | Self::DiskFull | Self::Constraint | Self::Inconsistent | Self::Lost(_) => {
                true
            }
            Self::Corrupt | Self::Machine | Self::Other => false,
        }
    }
}

impl StoreError {
    /// The error of a row that no command would have written. `what` describes the row.
    pub fn inconsistent(what: impl Into<String>) -> StoreError {
        let source: String = what.into();
        StoreError { kind: StoreErrorKind::Inconsistent, source: source.into() }
    }

    /// A failure outside SQLite, for example with the lock file.
    pub fn other(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError { kind: StoreErrorKind::Other, source: source.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let kind = match error.sqlite_error_code() {
            // SQLite reports the last one if a transaction could not begin after many attempts,
            // because another process held a lock on the WAL.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreErrorKind::Busy,
            Some(ErrorCode::DiskFull) => StoreErrorKind::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
            // Statements that SQLite does not run at all, so they wrote nothing.
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown,
            ) => StoreErrorKind::Constraint,
            Some(_) => StoreErrorKind::Machine,
            // Errors of rusqlite itself: a value that the schema rules out, or a missing row.
            None => StoreErrorKind::Inconsistent,
        };
        StoreError { kind, source: Box::new(error) }
    }
}

impl From<r2d2::Error> for StoreError {
    fn from(error: r2d2::Error) -> StoreError {
        StoreError { kind: StoreErrorKind::Busy, source: Box::new(error) }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> StoreError {
        StoreError::other(error)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_lock_that_is_not_to_be_had_is_known_to_have_written_nothing() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED, ffi::SQLITE_PROTOCOL] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(StoreError::from(error).kind, StoreErrorKind::Busy, "{code}");
        }
    }
}
