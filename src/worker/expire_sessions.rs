//! Ends expired order sessions. Reads show them as expired even before; this adds the step to the
//! order's history.

use super::Ticks;
use crate::app::ExpireOrderSessions;
use crate::store::{Store, StoreError};

/// How often expired sessions are looked for.
const PERIOD_MS: u64 = 60 * 1_000;

pub(super) fn run(store: &Store, ticks: &Ticks) {
    while ticks.wait(PERIOD_MS) {
        // Even an empty write restarts the writer's idle time, after which it makes a checkpoint.
        let any = store.read_blocking::<_, StoreError>(|reader| reader.has_expired_sessions());
        let mut more = any.unwrap_or(false);
        while more {
            more = match store.writer.write_blocking(ExpireOrderSessions) {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(?error, "could not end expired sessions; trying again");
                    false
                }
            };
        }
    }
}
