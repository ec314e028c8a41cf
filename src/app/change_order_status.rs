//! Opening, closing and cancelling an order.

use super::{OnBehalfOf, WrittenOrder};
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::order::{StatusChange, StatusChangeRejected, decide_status_change};
use crate::domain::order_size::TooLarge;
use crate::store::{Failed, NewApiEvent, NewStatus, Tx, WriteCommand};

/// Changes only the status of an order.
#[derive(Debug, Clone)]
pub struct ChangeOrderStatus {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub change: StatusChange,
    /// The request, as it is shown in the order's history.
    pub event: NewApiEvent,
}

#[derive(Debug)]
pub enum ChangeOrderStatusRefused {
    OrderNotFound,
    Rejected(StatusChangeRejected),
    TooLarge(TooLarge),
}

impl WriteCommand for ChangeOrderStatus {
    const NAME: &'static str = "change_order_status";
    type Done = WrittenOrder;
    type Refused = ChangeOrderStatusRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<WrittenOrder, Failed<ChangeOrderStatusRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let order = found.ok_or(Failed::Refused(ChangeOrderStatusRefused::OrderNotFound))?;
        let status = decide_status_change(order.ledger.status, &order.ledger.lines, self.change)
            .map_err(|why| Failed::Refused(ChangeOrderStatusRefused::Rejected(why)))?;
        let grown = tx.load_order_size(&order)?.grow(self.event.bytes());
        let bytes =
            grown.map_err(|why| Failed::Refused(ChangeOrderStatusRefused::TooLarge(why)))?;
        let cancelled_reason = match self.change {
            StatusChange::Cancel(reason) => reason,
            StatusChange::Open | StatusChange::Close => None,
        };
        let head = tx.append_api_event(&order, created_by, None, &self.event)?;
        tx.remember_order_bytes(&order, &head, bytes)?;
        tx.update_status(NewStatus { status, by: created_by, cancelled_reason }, head)?;
        Ok(WrittenOrder { order_seq: order.order_seq, order_id: order.order_id })
    }
}
