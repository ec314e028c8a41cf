//! Carrying out what has expired (docs/contract.md, Decision 13).

use std::convert::Infallible;

use super::session_steps::{self, Step};
use crate::domain::ids::CreatedBy;
use crate::domain::time_to_live::expires_through;
use crate::store::{DueOrder, Failed, SYSTEM, StoreError, Tx, WriteCommand};

/// How many orders and drafts one command removes or closes, so that other writes do not wait long.
const DUE_MAX: u32 = 500;

/// Removes and closes orders and drafts that have expired. Reads leave them out even before.
/// `Done` is true if there may be more.
#[derive(Debug, Clone, Copy)]
pub struct ExpireDue;

impl WriteCommand for ExpireDue {
    const NAME: &'static str = "expire_due";
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        let orders = tx.list_due_orders(DUE_MAX)?;
        for due in &orders {
            if due.has_operations || tx.has_operations(&tx.load_stored_ledger(due.order_seq)?)? {
                tx.close_due_order(due)?;
            } else {
                remove(tx, due)?;
            }
        }
        let left = DUE_MAX - u32::try_from(orders.len()).unwrap_or(DUE_MAX);
        let drafts = tx.list_due_drafts(left)?;
        for due in &drafts {
            tx.remove_due_draft(due)?;
        }
        Ok(u32::try_from(drafts.len()).is_ok_and(|count| count == left))
    }
}

fn remove(tx: &Tx<'_>, due: &DueOrder) -> Result<(), StoreError> {
    let sessions = tx.list_order_sessions(due.order_seq)?;
    let by = CreatedBy(SYSTEM.to_owned());
    for session in sessions.iter().filter(|session| session.is_stored_open) {
        session_steps::end(tx, session, &by, Step::Expired)?;
    }
    tx.remove_due_order(due)
}

/// Notes that a person says that the clock is right, so that what has come due expires.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmClock;

impl WriteCommand for ConfirmClock {
    const NAME: &'static str = "confirm_clock";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        Ok(tx.trust_clock()?)
    }
}

/// Notes the time of the clock, unless it has jumped.
#[derive(Debug, Clone, Copy)]
pub struct FollowClock;

impl WriteCommand for FollowClock {
    const NAME: &'static str = "follow_clock";
    type Done = ();
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<Infallible>> {
        let (trusted, _) = tx.load_next_expiry()?;
        if expires_through(tx.now(), trusted) == tx.now() {
            tx.trust_clock()?;
        }
        Ok(())
    }
}
