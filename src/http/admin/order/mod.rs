//! The page of an order, what can be done on it, and what is printed from it.

mod actions;
mod cards;
pub mod comments;
mod curl;
mod figures;
pub mod page;
mod people;
pub mod print;
pub mod read;
mod recorded;
mod sections;
pub mod status;
mod story;
