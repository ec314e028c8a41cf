//! An order's page, the actions on it, and its printed documents.

mod actions;
mod cards;
pub mod comments;
mod curl;
mod figures;
mod history;
pub mod page;
mod people;
pub mod print;
pub mod read;
pub mod receipt;
mod recorded;
mod sections;
pub mod status;
