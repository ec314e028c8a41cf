//! Forgetting the answers of idempotency keys that have run out.

use std::convert::Infallible;

use super::idempotent::KEY_KEPT_MS;
use crate::domain::Timestamp;
use crate::store::{Failed, Tx, WriteCommand};

/// Answers forgotten by one command, so that no other write waits long for it.
const FORGOTTEN_MAX: u32 = 1_000;

/// The newest answers, which no age makes forgotten. A clock that jumps makes all of them old at
/// once, and whoever sends a request again then must not have it done twice.
const KEPT_WHATEVER_THEIR_AGE: u32 = 1_000;

/// Deletes the oldest answers that have run out. Done is whether there may be more.
#[derive(Debug, Clone, Copy)]
pub struct ForgetAnswers;

impl WriteCommand for ForgetAnswers {
    const NAME: &'static str = "forget_answers";
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        let before = Timestamp(tx.now().0 - KEY_KEPT_MS);
        let deleted = tx.delete_answers(before, KEPT_WHATEVER_THEIR_AGE, FORGOTTEN_MAX)?;
        Ok(u32::try_from(deleted).is_ok_and(|deleted| deleted == FORGOTTEN_MAX))
    }
}
