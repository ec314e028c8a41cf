//! Recording what a service reports about an order.

use super::OnBehalfOf;
use crate::domain::ids::{AccountId, EventSeq, OrderName};
use crate::domain::order_size::TooLarge;
use crate::store::{Failed, NewServiceEvent, Tx, WriteCommand};

/// Appends a service's step to an order. The order's status does not matter: the step has happened.
#[derive(Debug, Clone)]
pub struct AddServiceEvent {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub event: NewServiceEvent,
}

#[derive(Debug)]
pub enum AddServiceEventRefused {
    OrderNotFound,
    TooLarge(TooLarge),
}

impl WriteCommand for AddServiceEvent {
    const NAME: &'static str = "add_service_event";
    type Done = EventSeq;
    type Refused = AddServiceEventRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<EventSeq, Failed<AddServiceEventRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let order = found.ok_or(Failed::Refused(AddServiceEventRefused::OrderNotFound))?;
        let grown = tx.load_order_size(&order)?.grow(self.event.bytes());
        let bytes = grown.map_err(|why| Failed::Refused(AddServiceEventRefused::TooLarge(why)))?;
        let head = tx.append_service_event(&order, created_by, &self.event)?;
        tx.remember_order_bytes(&order, &head, bytes)?;
        let event_seq = head.event_seq();
        tx.update_last_event(head)?;
        Ok(event_seq)
    }
}
