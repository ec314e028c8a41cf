//! Ending expired order sessions (docs/contract.md, Decision 11).

use std::convert::Infallible;

use super::session_steps::{self, Step};
use crate::domain::ids::CreatedBy;
use crate::store::{Failed, SYSTEM, Tx, WriteCommand};

/// How many sessions one command ends, so that other writes do not wait long.
const EXPIRED_MAX: u32 = 100;

/// Ends the sessions that have expired. Reads show them as expired even before; this adds the
/// step to the order's history. `Done` is true if there may be more.
#[derive(Debug, Clone, Copy)]
pub struct ExpireOrderSessions;

impl WriteCommand for ExpireOrderSessions {
    const NAME: &'static str = "expire_order_sessions";
    type Done = bool;
    type Refused = Infallible;

    fn run(&self, tx: &Tx<'_>) -> Result<bool, Failed<Infallible>> {
        let expired = tx.list_expired_sessions(EXPIRED_MAX)?;
        for session in &expired {
            session_steps::end(tx, session, &CreatedBy(SYSTEM.to_owned()), Step::Expired)?;
        }
        Ok(u32::try_from(expired.len()).is_ok_and(|count| count == EXPIRED_MAX))
    }
}
