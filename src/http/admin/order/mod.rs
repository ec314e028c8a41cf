//! An order's page, the actions on it, and its printed documents.

mod actions;
pub mod cancel_session;
mod cards;
pub mod comments;
mod curl;
mod figures;
mod history;
mod order_sessions;
pub mod page;
mod people;
pub mod print;
pub mod read;
pub mod receipt;
mod recorded;
mod sections;
pub mod status;
