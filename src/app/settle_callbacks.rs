//! Recording how tries of callbacks ended, and deleting old ones (docs/contract.md, Decision 11).

use std::convert::Infallible;

use crate::domain::Timestamp;
use crate::domain::callback::KEPT_MS;
use crate::store::{Failed, SettledCallback, Tx, WriteCommand};

/// How many rows one command deletes, so that other writes do not wait long.
const FORGOTTEN_MAX: u32 = 500;

/// Records the ends of tries.
#[derive(Debug, Clone)]
pub struct SettleCallbacks {
    pub tries: Vec<SettledCallback>,
}

impl WriteCommand for SettleCallbacks {
    const NAME: &'static str = "settle_callbacks";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        for one in &self.tries {
            tx.settle_callback(one)?;
        }
        Ok(())
    }
}

/// Deletes finished callbacks that are too old. `Done` is true if there may be more.
#[derive(Debug, Clone, Copy)]
pub struct ForgetCallbacks;

impl WriteCommand for ForgetCallbacks {
    const NAME: &'static str = "forget_callbacks";
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        let deleted = tx.delete_callbacks(Timestamp(tx.now().0 - KEPT_MS), FORGOTTEN_MAX)?;
        Ok(u32::try_from(deleted).is_ok_and(|deleted| deleted == FORGOTTEN_MAX))
    }
}
