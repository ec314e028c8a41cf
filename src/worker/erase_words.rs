//! Erases from the search indexes the words of orders and drafts that were changed or removed.

use super::Ticks;
use crate::app::EraseDeletedWords;
use crate::store::{Store, StoreError};

/// How often deleted words are looked for. Erasing them rewrites the whole index.
const PERIOD_MS: u64 = 24 * 60 * 60 * 1_000;

/// How many writes one round takes at most. Orders that are made during a round make it longer.
const WRITES_MAX: u32 = 10_000;

pub(super) fn run(store: &Store, ticks: &Ticks) {
    loop {
        erase(store, || ticks.wait(0));
        if !ticks.wait(PERIOD_MS) {
            return;
        }
    }
}

/// Erases the words that are deleted now.
pub fn erase_words(store: &Store) {
    erase(store, || true);
}

fn erase(store: &Store, goes_on: impl Fn() -> bool) {
    // A write that changes nothing would still be a commit.
    let mut has_more =
        match store.read_blocking::<_, StoreError>(|reader| reader.has_deleted_words()) {
            Ok(has_deleted) => has_deleted,
            Err(error) => {
                tracing::warn!(%error, "could not look for deleted words; trying again tomorrow");
                return;
            }
        };
    let mut writes = 0;
    while has_more && writes < WRITES_MAX && goes_on() {
        writes += 1;
        has_more = store.writer.write_blocking(EraseDeletedWords).unwrap_or_else(|error| {
            tracing::warn!(?error, "could not erase deleted words; trying again tomorrow");
            false
        });
    }
}
