//! Deliveries of webhooks: their states, when a try is repeated, and when a hook is paused
//! (docs/contract.md, Decision 10).

use super::Timestamp;
use super::hook::PausedBecause;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The waits between one try and the next. The first try is made at once.
const WAITS_MS: [i64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];

/// The most tries of a delivery.
pub const TRIES_MAX: u32 = 10;

/// The longest wait that a receiver's Retry-After can ask for.
const RETRY_AFTER_MS_MAX: i64 = 24 * HOUR_MS;

/// The longest time until a waiting delivery is due. If a delivery is due later, its time was
/// planned while the clock was wrong, and it counts as due at once.
pub const WAIT_MS_MAX: i64 = 29 * HOUR_MS;

/// A wait is changed at random by at most this many thousandths, up or down.
const JITTER_THOUSANDTHS: i64 = 200;

/// A number drawn for the jitter is below this.
pub const JITTER_BOUND: usize = 201;

/// A hook is paused after this long without any success, if at least this many deliveries failed.
const FAILING_MS_MAX: i64 = 75 * HOUR_MS;
const FAILING_COUNT_MIN: i64 = 10;

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// For its first or a further try.
    Waiting,
    Delivered,
    /// The last try failed.
    Failed,
    /// The hook was resumed without the deliveries that it had missed.
    Skipped,
}

impl DeliveryState {
    pub const ALL: [DeliveryState; 4] =
        [Self::Waiting, Self::Delivered, Self::Failed, Self::Skipped];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    pub fn parse(word: &str) -> Option<DeliveryState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryEnd {
    /// The receiver answered 2xx.
    Success,
    /// The receiver answered 410: it wants no more deliveries.
    Gone,
    Failure {
        /// The wait that the receiver asked for, in milliseconds; only of a 429 or 503.
        retry_after_ms: Option<i64>,
    },
}

/// The end of a try whose answer had this status, and this Retry-After in seconds.
pub fn judge_status(status: u16, retry_after_s: Option<i64>) -> TryEnd {
    match status {
        200..=299 => TryEnd::Success,
        410 => TryEnd::Gone,
        429 | 503 => {
            let asked_ms = retry_after_s.map(|seconds| seconds.saturating_mul(SECOND_MS));
            let retry_after_ms = asked_ms.map(|ms| ms.clamp(0, RETRY_AFTER_MS_MAX));
            TryEnd::Failure { retry_after_ms }
        }
        _ => TryEnd::Failure { retry_after_ms: None },
    }
}

/// How long to wait after a failed try until the next one; `None` if it was the last. `tries` are
/// all tries so far, and `drawn` is a random number below [`JITTER_BOUND`].
pub fn wait_ms(tries: u32, retry_after_ms: Option<i64>, drawn: usize) -> Option<i64> {
    let at = usize::try_from(tries).ok()?.checked_sub(1)?;
    let planned = *WAITS_MS.get(at)?;
    let drawn = i64::try_from(drawn).unwrap_or_default();
    let thousandths = 1_000 - JITTER_THOUSANDTHS + 2 * drawn;
    let jittered = planned * thousandths / 1_000;
    // A receiver that asks for less than is planned is not tried sooner.
    Some(retry_after_ms.map_or(jittered, |asked| asked.max(jittered)))
}

/// The successes and failures of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookHealth {
    /// The first failed try since the last success.
    pub failing_since: Option<Timestamp>,
    /// How many deliveries failed their first try since then.
    pub failing_count: i64,
}

impl HookHealth {
    /// The health after a try that ended at `now`. `tries` counts that try.
    pub fn after(self, end: TryEnd, tries: u32, now: Timestamp) -> HookHealth {
        match end {
            TryEnd::Success => HookHealth::default(),
            TryEnd::Gone | TryEnd::Failure { .. } => HookHealth {
                failing_since: self.failing_since.or(Some(now)),
                failing_count: self.failing_count + i64::from(tries == 1),
            },
        }
    }

    /// Why the hook must be paused after a try that left it in this health, if it must.
    pub fn pause(self, end: TryEnd, now: Timestamp) -> Option<PausedBecause> {
        let since = self.failing_since.unwrap_or(now);
        match end {
            TryEnd::Success => None,
            TryEnd::Gone => Some(PausedBecause::Gone),
            TryEnd::Failure { .. } => (FAILING_MS_MAX <= now.0 - since.0
                && FAILING_COUNT_MIN <= self.failing_count)
                .then_some(PausedBecause::Failing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: TryEnd = TryEnd::Failure { retry_after_ms: None };

    #[test]
    fn ten_tries_come_later_and_later_with_a_fifth_of_jitter() {
        let waits = |drawn| (1..=10).map(|tries| wait_ms(tries, None, drawn)).collect::<Vec<_>>();
        let planned: Vec<Option<i64>> = WAITS_MS.iter().copied().map(Some).chain([None]).collect();
        assert_eq!(waits(100), planned);
        assert_eq!(waits(0)[0], Some(4_000));
        assert_eq!(waits(JITTER_BOUND - 1)[0], Some(6_000));
        let longest = waits(JITTER_BOUND - 1).into_iter().flatten().max();
        assert!(longest.is_some_and(|wait| wait < WAIT_MS_MAX));
        assert_eq!(usize::try_from(TRIES_MAX), Ok(WAITS_MS.len() + 1));
    }

    #[test]
    fn retry_after_is_followed_up_to_a_day_and_never_brings_a_try_forward() {
        let wait = |status, seconds| match judge_status(status, Some(seconds)) {
            TryEnd::Failure { retry_after_ms } => wait_ms(1, retry_after_ms, 100),
            TryEnd::Success | TryEnd::Gone => None,
        };
        assert_eq!(wait(503, 60), Some(60_000));
        assert_eq!(wait(429, i64::MAX), Some(24 * HOUR_MS));
        assert_eq!(wait(503, 1), Some(5_000));
        assert_eq!(wait(503, -1), Some(5_000));
        assert_eq!(wait(500, 60), Some(5_000));
    }

    #[test]
    fn only_2xx_is_a_success_and_only_410_is_final() {
        for (status, end) in [
            (200, TryEnd::Success),
            (299, TryEnd::Success),
            (199, FAILED),
            (301, FAILED),
            (404, FAILED),
            (410, TryEnd::Gone),
            (500, FAILED),
        ] {
            assert_eq!(judge_status(status, None), end, "{status}");
        }
    }

    #[test]
    fn a_hook_is_paused_after_75_hours_of_ten_failed_deliveries() {
        let mut health = HookHealth::default();
        for _ in 0..9 {
            health = health.after(FAILED, 1, Timestamp(1_000));
        }
        let late = Timestamp(1_000 + FAILING_MS_MAX);
        // A further try of the same delivery is not another delivery.
        health = health.after(FAILED, 2, late);
        assert_eq!(health.pause(FAILED, late), None);
        health = health.after(FAILED, 1, late);
        assert_eq!(health.pause(FAILED, Timestamp(late.0 - 1)), None);
        assert_eq!(health.pause(FAILED, late), Some(PausedBecause::Failing));
        assert_eq!(health.after(TryEnd::Success, 1, late), HookHealth::default());
        let gone = HookHealth::default().after(TryEnd::Gone, 1, late);
        assert_eq!(gone.pause(TryEnd::Gone, late), Some(PausedBecause::Gone));
    }
}
