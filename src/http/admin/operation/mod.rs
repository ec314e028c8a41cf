//! The form that records an authorization, a capture, a refund or a cancellation by hand.

pub mod form;
mod page;
mod review;
mod rows;
mod typed;
pub mod words;
