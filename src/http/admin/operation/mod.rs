//! The form that records an authorization, a capture, a refund or a cancellation by hand.

pub mod form;
mod line_fields;
mod moves;
mod page;
mod review;
mod rows;
mod subject;
mod typed;
pub mod words;
