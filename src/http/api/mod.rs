//! The JSON API: one file per resource. Bodies are parsed and rendered in `wire`.

pub mod comments;
pub mod deliveries;
pub mod drafts;
pub mod events;
pub mod hooks;
pub mod operations;
pub mod order_sessions;
pub mod order_status;
pub mod order_update;
pub mod orders;
pub mod payout_rules;
pub mod receipt;
pub mod service;
pub mod token;

mod draft_refusals;
