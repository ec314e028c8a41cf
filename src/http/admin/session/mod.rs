//! Signing in and out, and the first owner of a new book.

mod kept;
pub mod link;
pub mod setup;
pub mod sign_in;
