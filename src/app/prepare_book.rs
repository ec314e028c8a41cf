//! Prepares a database file for a server.

use std::convert::Infallible;

use crate::auth::attempts::{NAMES_MAX, REMEMBERED_MS};
use crate::domain::Timestamp;
use crate::randomness::Randomness;
use crate::store::{Failed, SigningKey, Tx, WriteCommand};

/// Makes a token signing key if the book has no key yet, and deletes failed sign-ins that no longer
/// count. `Done` is every key, newest first.
#[derive(Debug, Clone, Copy)]
pub struct PrepareBook {
    /// By the machine's clock, as the times of failed sign-ins are; the book's own may be ahead.
    pub now: Timestamp,
}

impl WriteCommand for PrepareBook {
    const NAME: &'static str = "prepare_book";
    type Done = Vec<SigningKey>;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<SigningKey>, Failed<Infallible>> {
        tx.delete_old_sign_in_attempts(Timestamp(self.now.0 - REMEMBERED_MS), NAMES_MAX)?;
        let keys = tx.list_signing_keys()?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        // A secret must never come from a seed, not even in the demo.
        let secret = Randomness::System.bytes();
        tx.insert_signing_key(&SigningKey { key_id: Randomness::System.uuid(), secret })?;
        Ok(tx.list_signing_keys()?)
    }
}

/// Marks the file as a demo shop, with the seed it was made from.
#[derive(Debug, Clone, Copy)]
pub struct MarkAsDemo {
    pub seed: i64,
}

impl WriteCommand for MarkAsDemo {
    const NAME: &'static str = "mark_as_demo";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        Ok(tx.update_demo_seed(self.seed)?)
    }
}
