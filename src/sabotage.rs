//! Planted faults, to prove that the trials would find such a fault.
//!
//! They exist only in builds with the feature `sabotage`, which are never shipped. In other builds
//! [`is_on`] is the constant `false`, and the compiler removes their code.

/// A fault that can be turned on in a sabotaged build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The writer answers before it commits.
    AnswerBeforeCommit,
    /// The writer's commits do not wait for a sync: `synchronous=NORMAL`.
    CommitWithoutSync,
    /// An operation is decided on the ledger as it was before the transaction that writes it.
    DecideOutsideTransaction,
    /// An operation may name a line twice.
    SkipDuplicateLineCheck,
    /// Idempotency keys are not stored.
    DropKeyRow,
    /// The check at the start finds nothing.
    SkipStartCheck,
    /// A migration keeps its rollback journal in memory only.
    MigrateWithoutJournal,
    /// Rows get the clock's time even if the book has later ones.
    FollowTheClock,
    /// Threads that log wait until there is room.
    WaitForTheLog,
    /// One address may use every connection.
    SkipAddressLimit,
    /// An order's captures are listed for tokens of any account.
    SkipAccountCheck,
    /// Accounts do not take turns: requests are served in the order in which they come.
    ShareOneQueue,
    /// A hook's cursor is moved in a transaction before the one that writes the deliveries.
    MoveCursorFirst,
}

/// Whether this build has the fault and TILLBOOK_FAULT names it.
#[cfg(not(feature = "sabotage"))]
pub const fn is_on(_: Fault) -> bool {
    false
}

/// Whether this build has the fault and TILLBOOK_FAULT names it.
#[cfg(feature = "sabotage")]
pub fn is_on(fault: Fault) -> bool {
    use std::sync::LazyLock;

    static CHOSEN: LazyLock<Option<Fault>> = LazyLock::new(|| {
        let word = std::env::var("TILLBOOK_FAULT").ok()?;
        let (_, fault) = WORDS.iter().find(|(known, _)| *known == word)?;
        Some(*fault)
    });
    *CHOSEN == Some(fault)
}

#[cfg(feature = "sabotage")]
const WORDS: &[(&str, Fault)] = &[
    ("answer-before-commit", Fault::AnswerBeforeCommit),
    ("commit-without-sync", Fault::CommitWithoutSync),
    ("decide-outside-transaction", Fault::DecideOutsideTransaction),
    ("skip-duplicate-line-check", Fault::SkipDuplicateLineCheck),
    ("drop-key-row", Fault::DropKeyRow),
    ("skip-start-check", Fault::SkipStartCheck),
    ("migrate-without-journal", Fault::MigrateWithoutJournal),
    ("follow-the-clock", Fault::FollowTheClock),
    ("wait-for-the-log", Fault::WaitForTheLog),
    ("skip-address-limit", Fault::SkipAddressLimit),
    ("skip-account-check", Fault::SkipAccountCheck),
    ("share-one-queue", Fault::ShareOneQueue),
    ("move-cursor-first", Fault::MoveCursorFirst),
];
