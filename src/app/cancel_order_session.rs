//! Cancelling an order session (docs/contract.md, Decision 11).

use super::OnBehalfOf;
use super::session_steps::{self, Step};
use crate::domain::ids::{AccountId, OrderName, ResourceId, SessionSeq};
use crate::domain::order_session::SessionStatus;
use crate::store::{Failed, Tx, WriteCommand};

/// Ends an open session, so that it can no longer be paid.
#[derive(Debug, Clone)]
pub struct CancelOrderSession {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub session_id: ResourceId,
}

#[derive(Debug)]
pub enum CancelOrderSessionRefused {
    OrderNotFound,
    SessionNotFound,
    /// The session has ended, with this status.
    SessionNotOpen(SessionStatus),
}

impl WriteCommand for CancelOrderSession {
    const NAME: &'static str = "cancel_order_session";
    type Done = SessionSeq;
    type Refused = CancelOrderSessionRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<SessionSeq, Failed<CancelOrderSessionRefused>> {
        use CancelOrderSessionRefused as Refused;
        let found = tx.find_ledger(&self.on_behalf_of.account_id, &self.order)?;
        let order = found.ok_or(Failed::Refused(Refused::OrderNotFound))?;
        let found = tx.find_order_session(order.order_seq, &self.session_id)?;
        let session = found.ok_or(Failed::Refused(Refused::SessionNotFound))?;
        if session.status != SessionStatus::Open {
            return Err(Failed::Refused(Refused::SessionNotOpen(session.status)));
        }
        session_steps::end(tx, &session, &self.on_behalf_of.created_by, Step::Cancelled)?;
        Ok(session.session_seq)
    }
}
