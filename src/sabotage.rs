//! Faults that a trial must find: the control of every harness that says "nothing was wrong".
//!
//! They exist only in a build with the feature `sabotage`, which is never shipped; in every other
//! [`is_on`] is the constant `false`, and the compiler leaves nothing of them.

/// A fault that a sabotaged build can be told to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The writer answers before it commits.
    AnswerBeforeCommit,
    /// The writer's commits wait for no sync: `synchronous=NORMAL`.
    CommitWithoutSync,
    /// An operation is decided on the ledger as it stood before the transaction that writes it.
    DecideOutsideTransaction,
    /// An operation may name a line twice.
    SkipDuplicateLineCheck,
    /// What an idempotency key stands for is not stored.
    DropKeyRow,
    /// The check that a start makes finds nothing.
    SkipStartCheck,
    /// A migration keeps what it would need to undo itself in memory alone.
    MigrateWithoutJournal,
    /// What is written has the time that the clock says, though the book has later ones.
    FollowTheClock,
    /// Whoever has something to log waits until there is room.
    WaitForTheLog,
    /// One address may have every connection.
    SkipAddressLimit,
    /// An order's captures are listed for whoever holds a token of any account.
    SkipAccountCheck,
}

/// Whether this build has that fault, and was told to by the word in TILLBOOK_FAULT.
#[cfg(not(feature = "sabotage"))]
pub const fn is_on(_: Fault) -> bool {
    false
}

/// Whether this build has that fault, and was told to by the word in TILLBOOK_FAULT.
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
];
