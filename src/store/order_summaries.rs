//! What lists show of orders, without their items, comments and histories, which may be long.

use super::error::StoreError;
use super::ledgers::read_ledger_columns;
use super::order_lists::OrderQuery;
use super::order_rows::OrderRows;
use super::tx::Reader;
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountId, OrderName, OrderSeq};
use crate::domain::ledger::Ledger;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::domain::{KeptJson, Timestamp};

/// An order in a list.
#[derive(Debug, Clone)]
pub struct OrderSummary<T> {
    pub id: OrderName,
    pub order_id: OrderName,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub ledger: Ledger,
    pub payment_status: PaymentStatus,
    /// The values that the list shows from the order's document.
    pub read: T,
}

const SELECT_SUMMARIES: &str = "select orders.order_seq, orders.id, orders.order_id,
        orders.currency, orders.created_at_ms, ledgers.status, ledgers.multiple_authorizations,
        authorizations, lines, payment_status, order_documents.document,
        iif(has_operations = 1 and outcome is null, expires_at_ms, null)
    from json_each(:order_seqs) as listed
    cross join orders on orders.order_seq = listed.value
    join ledgers on ledgers.order_seq = orders.order_seq
    join order_documents on order_documents.order_seq = orders.order_seq
    left join order_expiries on order_expiries.order_seq = orders.order_seq";

impl Reader<'_> {
    /// A page of orders. `read` takes what the list shows from an order's document, so that only
    /// one document is in memory at a time.
    pub fn list_order_summaries<T>(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
        read: impl Fn(&KeptJson) -> T,
    ) -> Result<Vec<OrderSummary<T>>, StoreError> {
        let (order_seqs, _) = self.list_order_seqs(account_id, query)?;
        let rows = OrderRows::new(&order_seqs);
        let expired = self.expired()?;
        let mut found = self.list_by_order(
            SELECT_SUMMARIES,
            &rows,
            // Summaries are small, so they need not be weighed.
            |_| 0,
            |columns| {
                let mut summary = OrderSummary {
                    id: columns.take()?,
                    order_id: columns.take()?,
                    currency: columns.take()?,
                    created_at: columns.take()?,
                    ledger: read_ledger_columns(columns)?,
                    payment_status: columns.take()?,
                    read: read(&columns.take()?),
                };
                let closes_at: Option<Timestamp> = columns.take()?;
                let is_open = summary.ledger.status == OrderStatus::Open;
                if is_open && closes_at.is_some_and(|at| at <= expired) {
                    summary.ledger.status = OrderStatus::Closed;
                }
                Ok(summary)
            },
        )?;
        let mut take = |order_seq: &OrderSeq| {
            let summary = found.remove(order_seq).and_then(|mut summaries| summaries.pop());
            let gone = || StoreError::inconsistent(format!("no order is in row {}", order_seq.0));
            summary.ok_or_else(gone)
        };
        order_seqs.iter().map(&mut take).collect()
    }
}
