//! The only SQL there is.
//!
//! Store functions are methods of [`Tx`] and [`Reader`], one file a table family. What is SQLite's
//! own (opening the file, its one writer, its readers) is in `sqlite`.

mod accounts;
mod attempts;
mod clients;
mod command;
mod comments;
mod condition;
mod draft_lists;
mod drafts;
mod error;
mod events;
mod idempotency;
mod items;
mod ledgers;
mod list_values;
mod lists;
mod order_head;
mod order_lists;
mod order_rows;
mod orders;
mod row;
mod search;
mod sqlite;
mod tx;
mod users;
pub mod verify;

pub use accounts::AccountRecord;
pub use clients::{AccessRecord, ClientRecord, SigningKey};
pub use command::{Failed, WriteCommand, WriteError};
pub use comments::CommentRecord;
pub use condition::{Condition, Trouble};
pub use draft_lists::{DraftPage, DraftQuery};
pub use drafts::{DraftEvent, DraftRecord, NewDraft};
pub use error::{StoreError, StoreErrorKind};
pub use events::{ApiEvent, EventBody, EventRecord, NewApiEvent, NewServiceEvent, ServiceEvent};
pub use idempotency::{KeyHash, KeyUse, StoredAnswer};
pub use ledgers::{LedgerRecord, NewStatus};
pub use list_values::{ListValues, ValueFilter};
pub use lists::ListSort;
pub use order_head::NewHead;
pub use order_lists::{OrderPage, OrderQuery};
pub use orders::{Cancelled, NewOrder, OrderRecord};
pub use sqlite::{
    Ended, FileLock, OpenError, OpenStore, StartCheck, Store, Writer, WriterThread, lock_path,
    read_once, sqlite_version, try_lock, write_once, write_once_in_existing,
};
pub use tx::{Reader, Tx};
pub use users::{Doer, NewSession, NewUser, SessionRecord, SignInLink, UserRecord};

/// The statements that a capture with a key runs, in their order: what the benchmark compares the
/// writer with is a loop of the very same.
pub mod capture_statements {
    /// The answer that the key stands for.
    pub const FIND_ANSWER: &str = super::idempotency::FIND_ANSWER;
    /// The order's ledger, by its name.
    pub const FIND_LEDGER: &str = super::ledgers::FIND_LEDGER;
    /// The seq that the next event gets.
    pub const NEXT_EVENT_SEQ: &str = super::events::NEXT_EVENT_SEQ;
    /// The event that the operation is.
    pub const INSERT_OPERATION: &str = super::events::INSERT_OPERATION;
    /// The ledger after it, in the same tabs of the list as before.
    pub const UPDATE_SUMS: &str = super::ledgers::UPDATE_SUMS;
    /// The answer under its key.
    pub const INSERT_ANSWER: &str = super::idempotency::INSERT_ANSWER;
}
