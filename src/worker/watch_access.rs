//! Notices that another process has created or disabled a client.

use super::Ticks;
use crate::app::Access;
use crate::store::Store;

/// A disabled client must be locked out within a second; this leaves room for a slow read.
const PERIOD_MS: u64 = 250;

pub(super) fn run(store: &Store, access: &Access, ticks: &Ticks) {
    while ticks.wait(PERIOD_MS) {
        match store.read_blocking(|reader| access.reload(reader)) {
            // Commands that change hooks, or make orders, raise the same version.
            Ok(true) => {
                store.signal.note_hooks_changed();
                store.forget_next_expiry();
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "could not check for changed access; trying again");
            }
        }
    }
}
