//! The demo shop: about 120 orders of the last 90 days, each a small story.
//!
//! The stories are written as the requests that a website would have sent, and are recorded
//! through the same parsers and commands as real ones, one after the other, under a clock that is
//! set to each moment. Nothing is inserted behind the book's back, so `verify` holds it to the
//! same sums as any other.

mod catalogue;
mod shop;
mod story;

pub use shop::{ACCOUNT, MakeShopError, make_shop};
