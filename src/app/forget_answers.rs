//! Deleting the stored answers of idempotency keys that have expired.

use std::convert::Infallible;

use super::idempotent::KEY_KEPT_MS;
use crate::domain::Timestamp;
use crate::store::{Failed, Tx, WriteCommand};

/// How many answers one command deletes, so that other writes do not wait long.
const FORGOTTEN_MAX: u32 = 1_000;

/// How many of the newest answers are kept at any age. If the clock jumps, all answers look old at
/// once, and a request that is then repeated must still not be carried out twice.
const KEPT_WHATEVER_THEIR_AGE: u32 = 1_000;

/// Deletes the oldest expired answers. `Done` is true if there may be more.
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
