//! The rules of the book, pure: no SQL, no HTTP, no clock, no randomness.
//!
//! Everything here takes values and returns values. Documents that are stored exactly as a client
//! sent them pass through as opaque [`KeptJson`]; nothing here reads them.

pub mod amendment;
pub mod boxes;
pub mod callback;
pub mod currency;
pub mod delivery;
pub mod draft;
pub mod email;
pub mod event;
pub mod hook;
pub mod ids;
pub mod item;
pub mod ledger;
pub mod ledger_sums;
pub mod line;
pub mod line_payout;
pub mod line_quantities;
pub mod money;
pub mod operation;
pub mod order;
pub mod order_session;
pub mod order_size;
pub mod payment_status;
pub mod payout_rule;
pub mod quantity;
pub mod recount;
pub mod role;
pub mod scope;
pub mod time_to_live;
pub mod typed_number;

/// JSON text of a client's document, stored and returned as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptJson(pub String);

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);
