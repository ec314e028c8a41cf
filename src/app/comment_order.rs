//! Adding a comment to an order and deleting one.

use super::{OnBehalfOf, WrittenOrder};
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::order_size::{TooLarge, bytes_of};
use crate::store::{CommentRecord, Failed, LedgerRecord, NewApiEvent, Tx, WriteCommand};

/// Adds or deletes a comment. The order may have any status.
#[derive(Debug, Clone)]
pub struct CommentOrder {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub change: CommentChange,
    /// The request, as it is shown in the order's history.
    pub event: NewApiEvent,
}

#[derive(Debug, Clone)]
pub enum CommentChange {
    /// The comment as it was sent: a JSON object.
    Add(KeptJson),
    /// The id of the comment to delete.
    Delete(String),
}

#[derive(Debug)]
pub enum CommentOrderRefused {
    OrderNotFound,
    CommentNotFound,
    TooLarge(TooLarge),
}

impl WriteCommand for CommentOrder {
    const NAME: &'static str = "comment_order";
    type Done = WrittenOrder;
    type Refused = CommentOrderRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<WrittenOrder, Failed<CommentOrderRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let order = found.ok_or(Failed::Refused(CommentOrderRefused::OrderNotFound))?;
        let deleted = match &self.change {
            CommentChange::Add(_) => None,
            CommentChange::Delete(id) => {
                let comment = tx.find_comment(order.order_seq, id)?;
                Some(comment.ok_or(Failed::Refused(CommentOrderRefused::CommentNotFound))?)
            }
        };
        let bytes = self.bytes_after(tx, &order, deleted.as_ref())?;

        // Nothing is refused from here on.
        let head = tx.append_api_event(&order, created_by, None, &self.event)?;
        tx.remember_order_bytes(&order, &head, bytes)?;
        if let CommentChange::Add(document) = &self.change {
            tx.insert_comment(order.order_seq, head.event_seq(), created_by, document)?;
        }
        if let Some(comment) = &deleted {
            tx.delete_comment(comment, created_by)?;
        }
        tx.update_last_event(head)?;
        Ok(WrittenOrder { order_seq: order.order_seq, order_id: order.order_id })
    }
}

impl CommentOrder {
    /// The bytes of the order after the change.
    fn bytes_after(
        &self,
        tx: &Tx<'_>,
        order: &LedgerRecord,
        deleted: Option<&CommentRecord>,
    ) -> Result<i64, Failed<CommentOrderRefused>> {
        let size = tx.load_order_size(order)?;
        let grown = match (&self.change, deleted) {
            (CommentChange::Add(document), _) => {
                size.grow(self.event.bytes() + bytes_of(&document.0))
            }
            (CommentChange::Delete(_), None) => size.grow(self.event.bytes()),
            (CommentChange::Delete(_), Some(comment)) => {
                let erased =
                    bytes_of(&comment.document.0) + tx.load_body_bytes(comment.event_seq)?;
                size.grow_beyond_events(self.event.bytes() - erased)
            }
        };
        grown.map_err(|why| Failed::Refused(CommentOrderRefused::TooLarge(why)))
    }
}
