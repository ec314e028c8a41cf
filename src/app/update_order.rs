//! Changing an order's descriptive fields. Lines and money stay as they are.

use super::OnBehalfOf;
use super::findable::index_order;
use super::order_change::{ChangeProblem, ChangedOrder, OrderChange, apply};
use crate::domain::KeptJson;
use crate::domain::ids::OrderName;
use crate::json::Tree;
use crate::store::{Failed, LedgerRecord, NewApiEvent, OrderRecord, StoreError, Tx, WriteCommand};

/// Changes the fields that were sent. The order may have any status.
#[derive(Debug, Clone)]
pub struct UpdateOrder {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub change: OrderChange,
    /// `options.multiple_authorizations`, if it was sent.
    pub multiple_authorizations: Option<bool>,
    /// The request, as it is shown in the order's history.
    pub event: NewApiEvent,
}

#[derive(Debug)]
pub enum UpdateOrderRefused {
    OrderNotFound,
    /// The request is invalid. 400.
    Problems(Vec<ChangeProblem>),
    /// `multiple_authorizations` cannot change once there are payment operations.
    HasPaymentOperations,
}

impl WriteCommand for UpdateOrder {
    const NAME: &'static str = "update_order";
    type Done = OrderRecord;
    type Refused = UpdateOrderRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<OrderRecord, Failed<UpdateOrderRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let record = found.ok_or(Failed::Refused(UpdateOrderRefused::OrderNotFound))?;
        let order = tx.load_order(account_id, record.order_seq)?;
        let changed = apply(&order, &self.change)
            .map_err(|why| Failed::Refused(UpdateOrderRefused::Problems(why)))?;
        let allowed = record.ledger.multiple_authorizations;
        let switched = self.multiple_authorizations.filter(|asked| *asked != allowed);
        if switched.is_some() && order.events.iter().any(|event| event.operation().is_some()) {
            return Err(Failed::Refused(UpdateOrderRefused::HasPaymentOperations));
        }

        // Nothing is refused from here on.
        self.write_documents(tx, &record, &order, &changed)?;
        let head = tx.append_api_event(&record, created_by, None, &self.event)?;
        match switched {
            Some(asked) => tx.update_multiple_authorizations(asked, head)?,
            None => tx.update_last_event(head)?,
        }
        Ok(tx.load_order(account_id, record.order_seq)?)
    }
}

impl UpdateOrder {
    /// Writes the changed documents and indexes the order again.
    fn write_documents(
        &self,
        tx: &Tx<'_>,
        record: &LedgerRecord,
        before: &OrderRecord,
        after: &ChangedOrder,
    ) -> Result<(), StoreError> {
        let account_id = &self.on_behalf_of.account_id;
        let order_seq = record.order_seq;
        let (document, options) = (kept(&after.document), kept(&after.options_document));
        tx.update_order_documents(order_seq, &document, &options)?;
        let pairs = before.items.iter().zip(&after.items);
        for (_, item) in pairs.filter(|(before, after)| before.document != after.document) {
            tx.update_item_document(order_seq, item)?;
        }
        let said = (&after.document, &after.items[..]);
        index_order(tx, account_id, order_seq, &record.order_id, said)
    }
}

fn kept(tree: &Tree) -> KeptJson {
    KeptJson(tree.to_string())
}
