//! Deletes stored answers, and deliveries of webhooks, that are past their retention time.

use super::Ticks;
use crate::app::{ForgetAnswers, ForgetCallbacks, ForgetDeliveries};
use crate::domain::ids::HookSeq;
use crate::store::{Store, StoreError};

/// How often old answers are deleted.
const ANSWERS_PERIOD_MS: u64 = 60 * 60 * 1_000;

/// How often old deliveries are deleted. There may be thousands of new ones per second.
const DELIVERIES_PERIOD_MS: u64 = 60 * 1_000;

pub(super) fn run(store: &Store, ticks: &Ticks) {
    let mut waited_ms = ANSWERS_PERIOD_MS;
    loop {
        if ANSWERS_PERIOD_MS <= waited_ms {
            waited_ms = 0;
            forget_answers(store);
        }
        forget_callbacks(store);
        forget_deliveries(store, ticks);
        if !ticks.wait(DELIVERIES_PERIOD_MS) {
            return;
        }
        waited_ms += DELIVERIES_PERIOD_MS;
    }
}

fn forget_answers(store: &Store) {
    loop {
        match store.writer.write_blocking(ForgetAnswers) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(?error, "could not delete expired answers; trying again");
                return;
            }
        }
    }
}

fn forget_callbacks(store: &Store) {
    // A write that changes nothing would still be a commit.
    match store.read_blocking::<_, StoreError>(|reader| reader.has_old_callbacks()) {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::warn!(%error, "could not look for old callbacks; trying again");
            return;
        }
    }
    loop {
        match store.writer.write_blocking(ForgetCallbacks) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(?error, "could not delete old callbacks; trying again");
                return;
            }
        }
    }
}

fn forget_deliveries(store: &Store, ticks: &Ticks) {
    // Most books have no hooks, and a write that changes nothing would still be a commit.
    match store.read_blocking::<_, StoreError>(|reader| reader.find_hook_from(HookSeq(0))) {
        Ok(Some(_)) => {}
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "could not look for old deliveries; trying again");
            return;
        }
    }
    let mut hook_seq = None;
    loop {
        match store.writer.write_blocking(ForgetDeliveries { hook_seq }) {
            Ok(Some(next)) => hook_seq = Some(next),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(?error, "could not delete old deliveries; trying again");
                return;
            }
        }
        if !ticks.wait(0) {
            return;
        }
    }
}
