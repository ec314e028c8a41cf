//! Deletes stored answers that are past their retention time.

use super::Ticks;
use crate::app::ForgetAnswers;
use crate::store::Store;

const PERIOD_MS: u64 = 60 * 60 * 1_000;

pub(super) fn run(store: &Store, ticks: &Ticks) {
    loop {
        match store.writer.write_blocking(ForgetAnswers) {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(?error, "could not delete expired answers; trying again"),
        }
        if !ticks.wait(PERIOD_MS) {
            return;
        }
    }
}
