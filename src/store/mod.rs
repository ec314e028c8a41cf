//! All of Tillbook's SQL.
//!
//! Store functions are methods of [`Tx`] and [`Reader`], one file per table family. The parts about
//! SQLite itself (opening the file, its one writer, its readers) are in `sqlite`.

mod accounts;
mod answer_name;
mod attempts;
mod callbacks;
mod clients;
mod clock_jumps;
mod command;
mod comments;
mod commit_signal;
mod condition;
mod deliveries;
mod delivery_retention;
mod draft_lists;
mod drafts;
mod error;
mod event_rows;
mod events;
mod expired;
mod expiries;
mod expiry_strays;
mod hook_strays;
mod hooks;
mod idempotency;
mod items;
mod journal;
mod known_sizes;
mod ledger_row;
mod ledgers;
mod list_sql;
mod list_values;
mod lists;
mod next_expiry;
mod order_head;
mod order_items;
mod order_lists;
mod order_names;
mod order_rows;
mod order_sessions;
mod order_sizes;
mod order_summaries;
mod orders;
mod payout_documents;
mod payout_rules;
mod payout_sums;
mod row;
mod search;
mod session_strays;
mod single_events;
mod sqlite;
mod tx;
mod users;
pub mod verify;
mod verify_payouts;
mod words;

pub use accounts::AccountRecord;
pub use answer_name::AnswerName;
pub use callbacks::{DueCallback, SessionCallback, SettledCallback};
pub use clients::{AccessRecord, ClientRecord, SigningKey};
pub use clock_jumps::ClockJump;
pub use command::{Failed, WriteCommand, WriteError};
pub use comments::CommentRecord;
pub use commit_signal::CommitSignal;
pub use condition::{Condition, Saved, Trouble};
pub use deliveries::{
    Backlog, DeliveryRecord, DueDelivery, LastTry, NewDelivery, ReplayRange, SettledTry,
};
pub use delivery_retention::Retention;
pub use draft_lists::DraftQuery;
pub use drafts::{DraftEvent, DraftRecord, NewDraft};
pub use error::{FileLoss, StoreError, StoreErrorKind};
pub use event_rows::Bodies;
pub use events::{ApiEvent, EventBody, EventRecord, NewApiEvent, NewServiceEvent, ServiceEvent};
pub use expiries::{DueDraft, DueOrder, OrderExpiry, SYSTEM};
pub use hooks::{HookQuery, HookRecord, HookSettings, PreviousSecret};
pub use idempotency::{KeyHash, KeyUse, StoredAnswer};
pub use journal::{Counted, JournalChange, JournalEntry, JournalRow};
pub use ledgers::{LedgerRecord, NewStatus};
pub use list_values::{ListValues, ValueFilter};
pub use lists::ListSort;
pub use order_head::NewHead;
pub use order_lists::{OrderPage, OrderQuery};
pub use order_sessions::{Checkout, NewOrderSession, OrderSessionRecord, SessionTransaction};
pub use order_summaries::OrderSummary;
pub use orders::{Cancelled, NewOrder, OrderFields, OrderRecord};
pub use payout_documents::{EntryFault, EntryProblem, copy_rule, read_shares};
pub use payout_rules::{NewPayoutRule, PayoutRuleQuery, PayoutRuleRecord};
pub use payout_sums::{PayoutSum, SumLimits};
pub use search::{SearchText, SearchTextProblem, people_texts};
pub use sqlite::{
    Ended, FileLock, FileWatch, OpenError, OpenStore, StartCheck, Store, Writer, WriterThread,
    is_locked, lock_path, read_once, sqlite_version, try_lock, write_once, write_once_in_existing,
};
pub use tx::{Reader, Tx};
pub use users::{
    Doer, NewSession, NewUser, SessionRecord, SignInLink, USER_SESSIONS_MAX, UserRecord,
};

/// The statements of a capture with a key, in their order. Public only for
/// `benches/tillbook/writer/raw.rs`, which runs them in a bare loop for comparison.
pub mod capture_statements {
    pub const FIND_ANSWER: &str = super::idempotency::FIND_ANSWER;
    pub const FIND_LEDGER: &str = super::ledgers::FIND_LEDGER;
    pub const INSERT_OPERATION: &str = super::events::INSERT_OPERATION;
    /// Updates a ledger whose order stays in the same lists.
    pub const UPDATE_SUMS: &str = super::ledgers::UPDATE_SUMS;
    pub const INSERT_ANSWER: &str = super::idempotency::INSERT_ANSWER;
}
