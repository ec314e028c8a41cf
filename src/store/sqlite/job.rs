//! A command in the writer's queue: runs it, and answers its caller.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::domain::ids::AccountId;
use crate::store::command::{Failed, WriteCommand, WriteError};
use crate::store::error::StoreErrorKind;
use crate::store::tx::Tx;

pub(super) type Answer<C> =
    oneshot::Receiver<Result<<C as WriteCommand>::Done, WriteError<<C as WriteCommand>::Refused>>>;

/// What a run of a command did to its transaction.
pub(super) enum Ran {
    /// The command was done, or refused before its first write.
    Clean,
    Failed(Failure),
}

/// Why the transaction cannot be committed.
pub(super) enum Failure {
    Store(StoreErrorKind, String),
    Panicked,
    /// SQLite ended the transaction by itself, as it does when the disk is full.
    RolledBackAlready,
}

/// How the transaction of a job ended.
#[derive(Clone, Copy)]
pub(super) enum Settled {
    Committed,
    /// The run of this job forced the rollback.
    RolledBack,
    Unavailable(StoreErrorKind),
    Unknown,
}

/// A command in the queue, with its type erased. [`Task`] is the only kind.
pub(super) trait Job: Send {
    /// The account that the command belongs to.
    fn account(&self) -> Option<&AccountId>;
    fn run(&mut self, tx: &Tx<'_>) -> Ran;
    /// Answers the caller, if it is still there.
    fn settle(self: Box<Self>, settled: Settled);
}

/// A command in the queue and its caller, who waits for `reply`.
pub(super) struct Task<C: WriteCommand> {
    pub command: C,
    pub reply: oneshot::Sender<Result<C::Done, WriteError<C::Refused>>>,
    /// The result of the last run; `None` before the first, and if it panicked.
    pub outcome: Option<Result<C::Done, Failed<C::Refused>>>,
}

impl<C: WriteCommand> Job for Task<C> {
    fn account(&self) -> Option<&AccountId> {
        self.command.account()
    }

    fn run(&mut self, tx: &Tx<'_>) -> Ran {
        self.outcome = catch_unwind(AssertUnwindSafe(|| self.command.run(tx))).ok();
        let Some(outcome) = &self.outcome else {
            return Ran::Failed(Failure::Panicked);
        };
        match outcome {
            Err(Failed::Store(error)) => Ran::Failed(Failure::Store(error.kind, error.to_string())),
            Ok(_) | Err(Failed::Refused(_)) => Ran::Clean,
        }
    }

    fn settle(self: Box<Self>, settled: Settled) {
        let answer = match (settled, self.outcome) {
            (Settled::Committed, Some(Ok(done))) => Ok(done),
            (Settled::Committed | Settled::RolledBack, Some(Err(why))) => Err(failed(why)),
            (Settled::RolledBack | Settled::Committed, _) => Err(WriteError::Crashed),
            (Settled::Unavailable(StoreErrorKind::Constraint), _) => Err(WriteError::Crashed),
            (Settled::Unavailable(kind), _) => Err(WriteError::Unavailable(kind)),
            (Settled::Unknown, _) => Err(WriteError::WritesOff),
        };
        // Sending fails if the caller has gone; the commit is not undone.
        drop(self.reply.send(answer));
    }
}

/// Busy and disk full pass, so the caller may try again. Any other failure is a bug or damage and
/// keeps its cause for the log.
fn failed<R>(failed: Failed<R>) -> WriteError<R> {
    match failed {
        Failed::Refused(why) => WriteError::Refused(why),
        Failed::Store(error) => match error.kind {
            StoreErrorKind::Busy | StoreErrorKind::DiskFull => WriteError::Unavailable(error.kind),
            StoreErrorKind::Corrupt
            | StoreErrorKind::Constraint
            | StoreErrorKind::Inconsistent
            | StoreErrorKind::Machine
            | StoreErrorKind::Lost(_)
            | StoreErrorKind::Other => WriteError::Store(error),
        },
    }
}
