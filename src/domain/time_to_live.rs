//! How long an order or a draft lives (docs/contract.md, Decision 13).

use super::Timestamp;

/// The highest value of the option, which is ten years.
pub const TIME_TO_LIVE_MAX_S: i64 = 315_360_000;

/// If the clock is further than this ahead of the time up to which it is trusted, nothing expires
/// until a person confirms it.
pub const CLOCK_AHEAD_MS_MAX: i64 = 60 * 60 * 1_000;

/// `options.order_time_to_live`: whole seconds from 1 to [`TIME_TO_LIVE_MAX_S`], counted from the
/// creation of the order or draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeToLive(i64);

impl TimeToLive {
    /// `None` if the seconds are out of range.
    pub fn new(seconds: i64) -> Option<TimeToLive> {
        (1..=TIME_TO_LIVE_MAX_S).contains(&seconds).then_some(TimeToLive(seconds))
    }

    pub fn seconds(self) -> i64 {
        self.0
    }

    /// The first moment at which something that was created then has expired.
    pub fn expires_at(self, created_at: Timestamp) -> Timestamp {
        Timestamp(created_at.0.saturating_add(self.0 * 1_000))
    }
}

/// The latest time at which something may be due to expire at `now`, if the clock was right at
/// `trusted`.
pub fn expires_through(now: Timestamp, trusted: Timestamp) -> Timestamp {
    let is_ahead = CLOCK_AHEAD_MS_MAX < now.0.saturating_sub(trusted.0);
    if is_ahead { trusted } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_one_second_to_ten_years() {
        for (seconds, is_valid) in
            [(0, false), (1, true), (315_360_000, true), (315_360_001, false), (-1, false)]
        {
            assert_eq!(TimeToLive::new(seconds).is_some(), is_valid, "{seconds}");
        }
        let life = TimeToLive::new(2).unwrap();
        assert_eq!(life.expires_at(Timestamp(500)), Timestamp(2_500));
        assert_eq!(life.expires_at(Timestamp(i64::MAX)), Timestamp(i64::MAX));
    }

    #[test]
    fn a_clock_that_is_more_than_an_hour_ahead_expires_nothing_more() {
        let trusted = Timestamp(10_000_000);
        for (ahead_ms, through) in [
            (0, 10_000_000),
            (CLOCK_AHEAD_MS_MAX, 10_000_000 + CLOCK_AHEAD_MS_MAX),
            (CLOCK_AHEAD_MS_MAX + 1, 10_000_000),
            (-1, 9_999_999),
        ] {
            let now = Timestamp(trusted.0 + ahead_ms);
            assert_eq!(expires_through(now, trusted), Timestamp(through), "{ahead_ms}");
        }
    }
}
