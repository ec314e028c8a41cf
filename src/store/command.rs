//! Write commands: each decides and writes in one transaction.

use super::error::{StoreError, StoreErrorKind};
use super::tx::Tx;
use crate::domain::ids::AccountId;

/// A write that callers can ask for. `grep "impl WriteCommand"` lists them all.
pub trait WriteCommand: Send + 'static {
    /// The command's name in logs.
    const NAME: &'static str;
    type Done: Send + 'static;
    /// Why the command may refuse; [`Infallible`](std::convert::Infallible) if it never does.
    type Refused: Send + 'static;

    /// The account whose client or user asks for this; `None` for work of the server's own.
    /// Accounts take turns.
    fn account(&self) -> Option<&AccountId> {
        None
    }

    /// Decides, then writes. It must refuse before its first write, must not depend on an earlier
    /// run, since it may be run again, and must call nothing outside the transaction.
    fn run(&self, tx: &Tx<'_>) -> Result<Self::Done, Failed<Self::Refused>>;
}

/// Why a run of a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failed<R> {
    /// The command refused before its first write.
    #[error("{0}")]
    Refused(R),
    /// The store failed; the transaction must be rolled back.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the writer did not carry out a command.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<R> {
    /// The command ran and refused.
    #[error("{0}")]
    Refused(R),
    /// The store failed while the command ran. Nothing was written.
    #[error(transparent)]
    Store(StoreError),
    /// Too many commands are waiting. It was not run.
    #[error("too many changes are waiting to be written")]
    QueueFull,
    /// The file is locked, the disk is full, or the database was found damaged. Nothing was
    /// written.
    #[error("{0}")]
    Unavailable(StoreErrorKind),
    /// The command panicked, or its commit violated the schema. Nothing was written.
    #[error("the change failed inside Tillbook, which is a bug")]
    Crashed,
    /// The writer has stopped. Whether the command was written is unknown.
    #[error("the book's file can no longer be written")]
    WritesOff,
}

impl<R> Failed<R> {
    /// Turns the refusal of an inner command into one of the outer command.
    pub fn map<S>(self, refused: impl FnOnce(R) -> S) -> Failed<S> {
        match self {
            Failed::Refused(why) => Failed::Refused(refused(why)),
            Failed::Store(error) => Failed::Store(error),
        }
    }
}
