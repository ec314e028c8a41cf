//! Erasing words from the search indexes after their order or draft was changed or removed
//! (docs/contract.md, Decisions 5 and 13).

use std::convert::Infallible;

use crate::store::{Failed, Tx, WriteCommand};

/// How many pages of an index one command rewrites, so that other writes do not wait long.
const PAGES_MAX: i64 = 250;

/// Rewrites a part of each search index that still has deleted words. `Done` is true if there may
/// be more of them.
#[derive(Debug, Clone, Copy)]
pub struct EraseDeletedWords;

impl WriteCommand for EraseDeletedWords {
    const NAME: &'static str = "erase_deleted_words";
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        tx.erase_deleted_words(PAGES_MAX)?;
        Ok(tx.has_deleted_words()?)
    }
}
