//! What a write is: a command that decides and writes in one transaction, and how it can end.

use super::error::{StoreError, StoreErrorKind};
use super::tx::Tx;

/// A write that somebody can ask for. `grep "impl WriteCommand"` lists them all.
pub trait WriteCommand: Send + 'static {
    /// What it is called in logs.
    const NAME: &'static str;
    type Done: Send + 'static;
    /// Why it may say no; [`Infallible`](std::convert::Infallible) if it never does.
    type Refused: Send + 'static;

    /// Decides, then writes. It must refuse before its first write, must not depend on what an
    /// earlier run did, since it may be run again, and must call nothing outside the transaction.
    fn run(&self, tx: &Tx<'_>) -> Result<Self::Done, Failed<Self::Refused>>;
}

/// Why one run of a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failed<R> {
    /// The command said no, before any write.
    #[error("{0}")]
    Refused(R),
    /// The store failed; its transaction is rolled back.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a command that was handed to the writer was not done.
#[derive(Debug)]
pub enum WriteError<R> {
    /// It ran and said no.
    Refused(R),
    /// The store failed while it ran; nothing was written.
    Store(StoreError),
    /// Too much is waiting; it was not run.
    QueueFull,
    /// The file is locked, the disk is full, or the book was found damaged; nothing was written.
    Unavailable(StoreErrorKind),
    /// It panicked, or its commit broke a rule of the schema; nothing was written.
    Crashed,
    /// The writer has stopped. Whether it was written is unknown.
    WritesOff,
}

impl<R> Failed<R> {
    /// The failure of a command that is part of another, in the words of that other.
    pub fn map<S>(self, refused: impl FnOnce(R) -> S) -> Failed<S> {
        match self {
            Failed::Refused(why) => Failed::Refused(refused(why)),
            Failed::Store(error) => Failed::Store(error),
        }
    }
}
