//! The back office: pages rendered on the server. Every form works without JavaScript.
//!
//! One folder per family of pages: the list of orders, an order, an operation's form, webhooks,
//! payouts, signing in.
//! Pages use the same commands and queries as the API. A rule that only a page has belongs in the
//! domain.

pub mod accounts;
pub mod form;
pub mod frame;
pub mod hook;
pub mod list;
pub mod once;
pub mod operation;
pub mod order;
pub mod page_error;
pub mod paused_hooks;
pub mod payout;
pub mod reply;
pub mod session;
pub mod unknown_host;
pub mod visitor;
pub mod words;
