//! Explains why an order or a draft may not grow further (docs/contract.md, Decision 3).

use super::error::{ApiError, Code};
use crate::domain::order_size::{BYTES_MAX, EVENTS_MAX, EVENTS_WITH_OPERATIONS_MAX, TooLarge};

/// The 409 of a change that would make an order too large.
pub fn order_too_large(why: TooLarge) -> ApiError {
    too_large("order", why, EVENTS_MAX)
}

/// The 409 of a payment operation that would make an order too large.
pub fn order_too_large_for_operation(why: TooLarge) -> ApiError {
    too_large("order", why, EVENTS_WITH_OPERATIONS_MAX)
}

/// The 409 of a change that would make a draft too large.
pub fn draft_too_large(why: TooLarge) -> ApiError {
    too_large("draft", why, EVENTS_MAX)
}

fn too_large(what: &str, why: TooLarge, events_max: i64) -> ApiError {
    let message = match why {
        TooLarge::Bytes => format!(
            "With this, the {what} would have more than {} MiB of fields, comments and history. \
             Nothing was recorded; send less, or make a new {what}.",
            BYTES_MAX >> 20
        ),
        TooLarge::Events => format!(
            "The {what} has {events_max} events or more. Nothing was recorded; make a new {what}."
        ),
    };
    ApiError::new(Code::OrderTooLarge, message)
}
