//! What is said about an order: the state of each service, and of all together.

use std::collections::HashMap;

/// How a service says that a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    Error,
    Failure,
    Success,
    Pending,
}

impl EventState {
    /// All of them.
    pub const ALL: [EventState; 4] = [Self::Error, Self::Failure, Self::Success, Self::Pending];

    /// The state whose word this is.
    pub fn parse(word: &str) -> Option<EventState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Success => "success",
            Self::Pending => "pending",
        }
    }
}

/// The state of all services together, from `(service, state)` oldest first: `failure` if any
/// event says error or failure, ever; `pending` without events, or when a service's latest is
/// pending; else `success` (docs/contract.md, Facts 5).
pub fn roll_up<'a>(events: impl IntoIterator<Item = (&'a str, EventState)>) -> EventState {
    let mut latest = HashMap::new();
    for (service, state) in events {
        if matches!(state, EventState::Error | EventState::Failure) {
            return EventState::Failure;
        }
        latest.insert(service, state);
    }
    let waits = latest.is_empty() || latest.values().any(|state| *state == EventState::Pending);
    if waits { EventState::Pending } else { EventState::Success }
}

#[cfg(test)]
mod tests {
    use super::EventState::*;
    use super::*;

    #[test]
    fn one_failure_outlives_later_success_and_pending_counts_while_it_is_the_latest() {
        assert_eq!(roll_up([]), Pending);
        assert_eq!(roll_up([("payment", Success)]), Success);
        assert_eq!(roll_up([("payment", Failure), ("payment", Success)]), Failure);
        assert_eq!(roll_up([("kitchen", Error)]), Failure);
        assert_eq!(roll_up([("kitchen", Pending), ("payment", Success)]), Pending);
        assert_eq!(roll_up([("kitchen", Pending), ("kitchen", Success)]), Success);
    }
}
