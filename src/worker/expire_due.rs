//! Removes and closes orders and drafts that have expired, and watches that the clock does not jump
//! (docs/contract.md, Decision 13).

use super::Ticks;
use crate::app::{ExpireDue, FollowClock};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use crate::domain::time_to_live::CLOCK_AHEAD_MS_MAX;
use crate::store::{Reader, Store, StoreError};

/// How often what has expired is looked for.
const PERIOD_MS: u64 = 60 * 1_000;

/// How often the clock's time is written, while anything is going to expire.
const CLOCK_PERIOD_MS: i64 = 10 * 60 * 1_000;

pub(super) fn run(store: &Store, ticks: &Ticks) {
    loop {
        sweep(store);
        if !ticks.wait(PERIOD_MS) {
            return;
        }
    }
}

/// Carries out what has expired. Without anything to do it writes nothing.
pub fn sweep(store: &Store) {
    let read =
        |reader: &Reader<'_>| Ok::<_, StoreError>((reader.load_next_expiry()?, reader.now()));
    let ((trusted, next), now) = match store.read_blocking(read) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "could not look for expired orders; trying again");
            return;
        }
    };
    let due = next.filter(|next| *next <= now);
    let ahead_ms = now.0.saturating_sub(trusted.0);
    let waits = due.filter(|_| CLOCK_AHEAD_MS_MAX < ahead_ms).map(|_| trusted);
    if store.condition.note_expiry_waits(waits) {
        tell(trusted, now);
    }
    if due.is_some_and(|due| waits.is_none() || due <= trusted) {
        expire(store);
    }
    let is_late = !(0..CLOCK_PERIOD_MS).contains(&ahead_ms);
    if next.is_some() && is_late && ahead_ms <= CLOCK_AHEAD_MS_MAX {
        write(store.writer.write_blocking(FollowClock).map(|()| false));
    }
}

fn expire(store: &Store) {
    while write(store.writer.write_blocking(ExpireDue)) {}
}

/// True if there is more to write.
fn write<E: std::fmt::Debug>(written: Result<bool, E>) -> bool {
    written.unwrap_or_else(|error| {
        tracing::warn!(?error, "could not remove expired orders; trying again");
        false
    })
}

fn tell(trusted: Timestamp, now: Timestamp) {
    tracing::warn!(
        trusted = rfc3339(trusted),
        now = rfc3339(now),
        "the clock is more than an hour ahead of when it was last looked at, so no order expires; \
         if it is right, run `tillbook confirm-clock`"
    );
}
