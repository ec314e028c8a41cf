//! The short texts that an idempotency key stores in place of a long answer: what the answer is of
//! (docs/contract.md, Decisions 3 and 4). The answer is rendered from the book again.

use super::error::ApiError;
use crate::domain::ids::{DraftSeq, EventSeq, OrderSeq};

/// The orders that an answer consists of.
pub fn of_orders(order_seqs: &[OrderSeq]) -> String {
    let numbers: Vec<String> = order_seqs.iter().map(|seq| seq.0.to_string()).collect();
    format!("orders {}", numbers.join(" "))
}

/// The event that an answer consists of.
pub fn of_event(event_seq: EventSeq) -> String {
    format!("event {}", event_seq.0)
}

/// The draft that an answer consists of.
pub fn of_draft(draft_seq: DraftSeq) -> String {
    format!("draft {}", draft_seq.0)
}

/// True if a stored text is the answer itself, as it is for operations and for keys that were
/// stored before answers had names.
pub fn is_answer(stored: &str) -> bool {
    stored.starts_with('{')
}

pub fn orders(name: &str) -> Result<Vec<OrderSeq>, ApiError> {
    Ok(numbers(name, "orders ")?.into_iter().map(OrderSeq).collect())
}

pub fn order(name: &str) -> Result<OrderSeq, ApiError> {
    orders(name)?.first().copied().ok_or_else(unreadable)
}

pub fn event(name: &str) -> Result<EventSeq, ApiError> {
    numbers(name, "event ")?.first().copied().map(EventSeq).ok_or_else(unreadable)
}

pub fn draft(name: &str) -> Result<DraftSeq, ApiError> {
    numbers(name, "draft ")?.first().copied().map(DraftSeq).ok_or_else(unreadable)
}

fn numbers(name: &str, word: &str) -> Result<Vec<i64>, ApiError> {
    let listed = name.strip_prefix(word).ok_or_else(unreadable)?;
    let numbers: Result<Vec<i64>, _> = listed.split_whitespace().map(str::parse).collect();
    numbers.map_err(|_| unreadable())
}

fn unreadable() -> ApiError {
    ApiError::internal("the name of an answer that a key stores cannot be read")
}
