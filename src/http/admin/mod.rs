//! The back office: pages rendered here, every form working without any script.
//!
//! One folder per family of pages: the list of orders, an order, an operation's form, signing in.
//! A page uses the same commands and reads as the API. A rule of its own would mean that the rule
//! is missing in the domain.

pub mod accounts;
pub mod form;
pub mod frame;
pub mod list;
pub mod operation;
pub mod order;
pub mod page_error;
pub mod reply;
pub mod session;
pub mod unknown_host;
pub mod visitor;
pub mod words;
