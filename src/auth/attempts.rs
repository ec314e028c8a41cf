//! How long somebody who typed wrong passwords waits before another one is compared.

use crate::domain::Timestamp;

/// Wrong passwords that anybody may type without waiting.
const FREE: u32 = 4;
const FIRST_WAIT_MS: i64 = 1_000;
const WAIT_MS_MAX: i64 = 15 * 60 * 1_000;

/// After this long without another, they are forgotten.
pub const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;

/// Wrong passwords in a row for one e-mail, or from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u32,
    pub last_at: Timestamp,
}

impl Attempts {
    /// How long there is still to wait at `now`; 0 for not at all. It doubles with each failure.
    pub fn wait_ms(&self, now: Timestamp) -> i64 {
        if self.failures <= FREE {
            return 0;
        }
        let doublings = (self.failures - FREE - 1).min(16);
        let wait_ms = (FIRST_WAIT_MS << doublings).min(WAIT_MS_MAX);
        match now.0 - self.last_at.0 {
            // The clock was put back, and nobody shall wait for it to come round again.
            passed_ms if passed_ms < 0 => 0,
            passed_ms => (wait_ms - passed_ms).max(0),
        }
    }

    /// With one more at `now`.
    pub fn and_one(self, now: Timestamp) -> Attempts {
        let are_old = REMEMBERED_MS <= now.0 - self.last_at.0;
        let before = if are_old { 0 } else { self.failures };
        Attempts { failures: before.saturating_add(1), last_at: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_failure_makes_wait_and_each_one_doubles_it_up_to_a_quarter_of_an_hour() {
        let at = Timestamp(1_000_000);
        let wait = |failures| Attempts { failures, last_at: at }.wait_ms(at);
        assert_eq!([1, 4, 5, 6, 7].map(wait), [0, 0, 1_000, 2_000, 4_000]);
        assert_eq!([14, 15, 100, u32::MAX].map(wait), [512_000, 900_000, 900_000, 900_000]);
        let six = Attempts { failures: 6, last_at: at };
        let later = |ms| six.wait_ms(Timestamp(at.0 + ms));
        assert_eq!([500, 1_999, 2_000, i64::MAX / 2, -1].map(later), [1_500, 1, 0, 0, 0]);
        assert_eq!(six.and_one(Timestamp(at.0 + REMEMBERED_MS - 1)).failures, 7);
        assert_eq!(six.and_one(Timestamp(at.0 + REMEMBERED_MS)).failures, 1);
    }
}
