//! The demo shop: about 120 orders of the last 90 days, each a small story.
//!
//! The stories are the requests that a website would have sent. They are recorded through the same
//! parsers and commands as real ones, one after the other, with a clock that is set to each moment.
//! No row is inserted directly, so `verify` checks the demo book like any other.

mod catalogue;
mod shop;
mod story;

pub use shop::{ACCOUNT, MakeShopError, make_shop};
