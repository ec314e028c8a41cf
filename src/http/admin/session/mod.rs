//! Signing in and out, and the first owner of a new book.

pub mod setup;
pub mod sign_in;
