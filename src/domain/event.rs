//! The state that services report about an order, and the order's combined state.

use std::collections::HashMap;

/// The outcome of a step, as a service reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    Error,
    Failure,
    Success,
    Pending,
}

impl EventState {
    pub const ALL: [EventState; 4] = [Self::Error, Self::Failure, Self::Success, Self::Pending];

    pub fn parse(word: &str) -> Option<EventState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Success => "success",
            Self::Pending => "pending",
        }
    }
}

/// The combined state of all services, from `(service, state)`, oldest first: `failure` if any
/// event was ever an error or a failure; `pending` without events, or if the latest event of a
/// service is pending; else `success` (docs/contract.md, Facts 5).
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
