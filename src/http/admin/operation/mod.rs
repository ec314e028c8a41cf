//! The form that records an authorization, a capture, a refund or a cancellation by hand.

mod boxes;
pub mod form;
mod moves;
mod page;
mod review;
mod rows;
mod subject;
mod typed;
pub mod words;
