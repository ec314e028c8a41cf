//! What can go wrong with the file, in the words that the rest of the program acts on.

use rusqlite::ErrorCode;

/// A failure of the machine or the file, never of a request.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {source}")]
pub struct StoreError {
    pub kind: StoreErrorKind,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a failure means for whoever met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// Somebody else holds the lock, or all readers are in use. It passes.
    #[error("the database is busy")]
    Busy,
    /// No room to write. It passes when there is room again.
    #[error("the disk is full")]
    DiskFull,
    /// The file is not what it should be.
    #[error("the database file is damaged or not one of Tillbook's")]
    Corrupt,
    /// A statement broke a rule of the schema: a bug here, and nothing was written.
    #[error("the database refused a statement")]
    Constraint,
    /// A row says what no command of ours ever writes. Nothing was written because of it.
    #[error("the book is inconsistent; run `tillbook verify`")]
    Inconsistent,
    /// An I/O error, a file that may not be written, or an error of SQLite that is not known here:
    /// what was being written may or may not be there.
    #[error("the database's file could not be used")]
    Machine,
    /// Anything else that stands in the way, in words of its own.
    #[error("the database failed")]
    Other,
}

impl StoreErrorKind {
    /// Whether the writer may go on after this: it is known that nothing was written.
    pub fn is_known_outcome(self) -> bool {
        match self {
            Self::Busy | Self::DiskFull | Self::Constraint | Self::Inconsistent => true,
            Self::Corrupt | Self::Machine | Self::Other => false,
        }
    }
}

impl StoreError {
    /// A row that says what no command of ours ever writes.
    pub fn inconsistent(what: impl Into<String>) -> StoreError {
        let source: String = what.into();
        StoreError { kind: StoreErrorKind::Inconsistent, source: source.into() }
    }

    /// A failure outside SQLite, as of the lock file.
    pub fn other(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError { kind: StoreErrorKind::Other, source: source.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let kind = match error.sqlite_error_code() {
            // The last is what SQLite says when a transaction could not begin, however often it
            // tried, because another process held a lock of the WAL.
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreErrorKind::Busy,
            Some(ErrorCode::DiskFull) => StoreErrorKind::DiskFull,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
            // Statements that SQLite would not run at all: nothing of them was written.
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown,
            ) => StoreErrorKind::Constraint,
            Some(_) => StoreErrorKind::Machine,
            // An error of the binding: a value that the schema rules out, a row that is missing.
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
