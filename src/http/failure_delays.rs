//! Slowing down whoever guesses secrets. Successes are never slowed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::digest::sha256;
use crate::domain::Timestamp;

/// How long a failure counts.
const REMEMBERED_MS: i64 = 15 * 60 * 1_000;
const FIRST_DELAY_MS: u64 = 100;
const DELAY_MS_MAX: u64 = 3_000;
/// Names remembered at most; past it all are given up, which costs a guesser more than it gains.
const NAMES_MAX: usize = 10_000;

/// Failures per name: a client's id, an e-mail, an address.
#[derive(Debug, Default)]
pub struct FailureDelays {
    /// By the name's hash, since a guesser may choose names of any length.
    failures: Mutex<HashMap<[u8; 32], Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_at: Timestamp,
}

impl FailureDelays {
    /// Counts a failure under `name`; how long its answer shall wait. The delay doubles with each
    /// failure in a row.
    pub fn fail(&self, name: &str, now: Timestamp) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let name = sha256(name.as_bytes());
        let known = failures.get(&name).filter(|known| now.0 - known.last_at.0 < REMEMBERED_MS);
        let count = known.map_or(0, |known| known.count).saturating_add(1);
        if NAMES_MAX <= failures.len() {
            failures.retain(|_, known| now.0 - known.last_at.0 < REMEMBERED_MS);
        }
        if NAMES_MAX <= failures.len() {
            failures.clear();
        }
        failures.insert(name, Failures { count, last_at: now });
        let doubled = FIRST_DELAY_MS.saturating_mul(1 << count.saturating_sub(1).min(16));
        Duration::from_millis(doubled.min(DELAY_MS_MAX))
    }

    /// Forgets the failures of a name that has now succeeded.
    pub fn succeed(&self, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&sha256(name.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_names_are_tried_few_are_remembered() {
        let delays = FailureDelays::default();
        for nth in 0..=NAMES_MAX * 2 {
            delays.fail(&nth.to_string(), Timestamp(1_000_000));
            assert!(delays.failures.lock().unwrap().len() <= NAMES_MAX);
        }
    }

    #[test]
    fn failures_in_a_row_wait_longer_and_longer() {
        let delays = FailureDelays::default();
        let now = Timestamp(1_000_000);
        let waits = |name: &str| delays.fail(name, now).as_millis();
        assert_eq!([waits("a"), waits("a"), waits("a"), waits("b")], [100, 200, 400, 100]);
        assert_eq!((0..100).map(|_| waits("a")).max(), Some(3_000));
        delays.succeed("a");
        assert_eq!(delays.fail("a", now).as_millis(), 100);
        assert_eq!(delays.fail("b", Timestamp(now.0 + REMEMBERED_MS)).as_millis(), 100);
    }
}
