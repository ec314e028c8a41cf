//! Callbacks of order sessions: their states, and when a try is repeated (docs/contract.md,
//! Decision 11).

/// The longest delay of a first try that a merchant can ask for, in seconds.
pub const DELAY_S_MAX: i64 = 60;

/// The waits between one try and the next, in seconds: 24 hours in all.
const WAITS_S: [i64; 19] = [
    5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 3_600, 3_600, 7_200, 7_200, 7_200, 7_200,
    10_800, 14_400, 17_775,
];

/// The longest time until a waiting callback is due. If it is due later, its time was planned while
/// the clock was wrong, and it counts as due at once.
pub const WAIT_MS_MAX: i64 = 17_775 * 1_000;

/// How long finished callbacks are kept: 30 days.
pub const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// A wait is shortened at random by less than this many thousandths.
pub const JITTER_BOUND: usize = 200;

/// The state of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackState {
    /// For its first or a further try.
    Waiting,
    Delivered,
    /// It was refused, or its last try failed.
    Failed,
}

impl CallbackState {
    pub const ALL: [CallbackState; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(word: &str) -> Option<CallbackState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// The state after a try whose answer had this status, and the wait until the next try if it
/// waits. `status` is `None` if there was no answer, `tries` are all tries so far, and `drawn` is a
/// random number below [`JITTER_BOUND`].
pub fn after_try(status: Option<u16>, tries: u32, drawn: usize) -> (CallbackState, Option<i64>) {
    match status {
        Some(200..=299) => (CallbackState::Delivered, None),
        Some(300..=499) => (CallbackState::Failed, None),
        _ => match wait_ms(tries, drawn) {
            Some(wait_ms) => (CallbackState::Waiting, Some(wait_ms)),
            None => (CallbackState::Failed, None),
        },
    }
}

fn wait_ms(tries: u32, drawn: usize) -> Option<i64> {
    let at = usize::try_from(tries).ok()?.checked_sub(1)?;
    let drawn = i64::try_from(drawn).unwrap_or_default();
    WAITS_S.get(at).map(|wait_s| wait_s * (1_000 - drawn))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_tries_fit_into_a_day() {
        let mut waited_ms = 0;
        for tries in 1..=19 {
            let (state, wait_ms) = after_try(None, tries, 0);
            assert_eq!(state, CallbackState::Waiting, "{tries}");
            assert!(wait_ms.is_some_and(|wait_ms| wait_ms <= WAIT_MS_MAX), "{tries}");
            waited_ms += wait_ms.unwrap_or_default();
        }
        assert_eq!(waited_ms, 24 * 60 * 60 * 1_000);
        assert_eq!(after_try(None, 20, 0), (CallbackState::Failed, None));
        assert_eq!(after_try(None, 1, 199), (CallbackState::Waiting, Some(4_005)));
    }

    #[test]
    fn only_a_missing_answer_or_a_fault_of_the_server_is_tried_again() {
        let state = |status| after_try(Some(status), 1, 0).0;
        for (statuses, expected) in [
            ([200, 204, 299], CallbackState::Delivered),
            ([300, 302, 399], CallbackState::Failed),
            ([400, 410, 429], CallbackState::Failed),
            ([199, 500, 503], CallbackState::Waiting),
        ] {
            for status in statuses {
                assert_eq!(state(status), expected, "{status}");
            }
        }
    }
}
