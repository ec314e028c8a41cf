//! Orders: their items and documents.

use std::collections::HashMap;

use rusqlite::named_params;

use super::comments::CommentRecord;
use super::error::StoreError;
use super::event_rows::Bodies;
use super::events::{EventRecord, follow_events};
use super::items::read_item;
use super::ledgers::{LedgerRecord, NewLedger, read_ledger_columns};
use super::order_rows::OrderRows;
use super::payout_documents::read_copied_rule;
use super::row::Columns;
use super::tx::{Reader, Tx};
use crate::domain::currency::Currency;
use crate::domain::ids::{
    AccountId, CreatedBy, DraftSeq, EventSeq, OrderName, OrderSeq, ResourceId,
};
use crate::domain::item::Item;
use crate::domain::ledger::Ledger;
use crate::domain::operation::{Operation, OperationKind};
use crate::domain::order::CancelledReason;
use crate::domain::payment_status::PaymentStatus;
use crate::domain::{KeptJson, Timestamp};

/// An order that is to be inserted.
#[derive(Debug, Clone)]
pub struct NewOrder {
    pub account_id: AccountId,
    pub id: OrderName,
    pub order_id: OrderName,
    pub draft_seq: DraftSeq,
    pub currency: Currency,
    pub created_by: CreatedBy,
    pub items: Vec<Item>,
    pub ledger: Ledger,
    pub document: KeptJson,
    pub options_document: KeptJson,
}

/// A stored order with everything about it.
#[derive(Debug, Clone)]
pub struct OrderRecord {
    pub account_id: AccountId,
    pub id: OrderName,
    pub order_id: OrderName,
    pub draft_id: String,
    pub currency: Currency,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub updated_at: Timestamp,
    pub ledger: Ledger,
    pub payment_status: PaymentStatus,
    /// When it was closed and who closed it, while it is closed.
    pub closed: Option<(Timestamp, CreatedBy)>,
    pub cancelled: Option<Cancelled>,
    /// When it is removed or closed, or was closed; `None` if never.
    pub expires_at: Option<Timestamp>,
    pub document: KeptJson,
    pub options_document: KeptJson,
    pub items: Vec<Item>,
    /// The newest session that can be paid.
    pub open_session: Option<ResourceId>,
    /// Oldest first, without deleted ones.
    pub comments: Vec<CommentRecord>,
    /// Oldest first, payment operations included.
    pub events: Vec<EventRecord>,
}

/// The fields and items of an order as a client sent them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFields {
    pub document: KeptJson,
    pub options_document: KeptJson,
    pub items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub struct Cancelled {
    pub at: Timestamp,
    pub by: CreatedBy,
    pub reason: Option<CancelledReason>,
}

const SELECT_ORDERS: &str = "select orders.order_seq, orders.id, orders.order_id, drafts.id,
        orders.currency, orders.created_at_ms, orders.created_by, ledgers.updated_at_ms,
        ledgers.status, ledgers.multiple_authorizations, authorizations, lines, payment_status,
        closed_at_ms, closed_by, cancelled_at_ms, cancelled_by, cancelled_reason,
        order_documents.document, order_documents.options_document, last_event_seq,
        order_expiries.expires_at_ms, has_operations = 1 and outcome is null
    from json_each(:order_seqs) as listed
    cross join orders on orders.order_seq = listed.value
    join ledgers on ledgers.order_seq = orders.order_seq
    join order_documents on order_documents.order_seq = orders.order_seq
    join drafts on drafts.draft_seq = orders.draft_seq
    left join order_expiries on order_expiries.order_seq = orders.order_seq";

impl OrderRecord {
    /// The operations of one kind, oldest first.
    pub fn operations_of(&self, kind: OperationKind) -> impl Iterator<Item = &Operation> {
        self.events.iter().filter_map(EventRecord::operation).filter(move |op| op.kind == kind)
    }
}

impl Reader<'_> {
    pub fn find_order(
        &self,
        account_id: &AccountId,
        name: &OrderName,
        bodies: Bodies,
    ) -> Result<Option<OrderRecord>, StoreError> {
        let found = self.find_order_seq(account_id, name)?;
        found.map(|order_seq| self.load_order(account_id, order_seq, bodies)).transpose()
    }

    /// The order in row `order_seq`, which must exist.
    pub fn load_order(
        &self,
        account_id: &AccountId,
        order_seq: OrderSeq,
        bodies: Bodies,
    ) -> Result<OrderRecord, StoreError> {
        let found = self.load_orders(account_id, &[order_seq], bodies)?.pop();
        found.ok_or_else(|| gone(order_seq))
    }

    /// The orders in those rows, in the same order, without those that were removed. Each row must
    /// exist and be named only once.
    pub fn load_orders(
        &self,
        account_id: &AccountId,
        order_seqs: &[OrderSeq],
        bodies: Bodies,
    ) -> Result<Vec<OrderRecord>, StoreError> {
        let found = self.load_orders_within(account_id, order_seqs, bodies, usize::MAX)?;
        found.ok_or_else(|| StoreError::other("there are more bytes of orders than can be counted"))
    }

    /// Like [`Reader::load_orders`]; `None` if clients have sent more than `bytes_max` for them. In
    /// that case not much more than that is read.
    pub fn load_orders_within(
        &self,
        account_id: &AccountId,
        order_seqs: &[OrderSeq],
        bodies: Bodies,
        bytes_max: usize,
    ) -> Result<Option<Vec<OrderRecord>>, StoreError> {
        let rows = OrderRows::within(order_seqs, bytes_max);
        let expired = self.expired()?;
        let mut orders = self.list_by_order(SELECT_ORDERS, &rows, order_bytes, |columns| {
            read_order(columns, account_id, expired)
        })?;
        let mut items = self.list_order_items(&rows)?;
        let mut comments = self.list_comments(&rows)?;
        let mut sessions = self.list_open_session_ids(&rows)?;
        let mut events = self.list_events(&rows, bodies)?;
        if rows.is_full() {
            return Ok(None);
        }
        let mut load = |order_seq: &OrderSeq| {
            let Some((mut order, last_event_seq)) = orders.get_mut(order_seq).and_then(Vec::pop)
            else {
                // An order may have been removed since its row was found.
                let is_removed = self.find_order_end(*order_seq)?.is_some();
                return if is_removed { Ok(None) } else { Err(gone(*order_seq)) };
            };
            order.items = items.remove(order_seq).unwrap_or_default();
            order.comments = comments.remove(order_seq).unwrap_or_default();
            order.open_session = sessions.remove(order_seq).and_then(|mut open| open.pop());
            let events = events.remove(order_seq).unwrap_or_default();
            order.events = follow_events(events, last_event_seq)?;
            Ok(Some(order))
        };
        order_seqs
            .iter()
            .filter_map(|seq| load(seq).transpose())
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The fields and items of an order without its history, for a change that needs only them.
    pub fn load_order_fields(&self, order_seq: OrderSeq) -> Result<OrderFields, StoreError> {
        let sql = "select document, options_document from order_documents
            where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        let found = self.find(sql, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (document, options_document) = found.ok_or_else(|| gone(order_seq))?;
        let items = self.list_order_items(&OrderRows::new(&[order_seq]))?.remove(&order_seq);
        Ok(OrderFields { document, options_document, items: items.unwrap_or_default() })
    }

    /// True if the order has a payment operation, successful or failed.
    pub fn has_operations(&self, order: &LedgerRecord) -> Result<bool, StoreError> {
        let sql = "with recursive found (event_seq, previous_seq, operation_id) as (
                select event_seq, previous_seq, operation_id from events
                where event_seq = :last_seq
                union all
                select events.event_seq, events.previous_seq, events.operation_id
                from found
                cross join events on events.event_seq = found.previous_seq
                where events.event_seq < found.event_seq)
            select 1 from found where operation_id is not null limit 1";
        let params = named_params! {":last_seq": order.last_event_seq};
        Ok(self.find(sql, params, |_| Ok(()))?.is_some())
    }

    fn list_order_items(
        &self,
        rows: &OrderRows,
    ) -> Result<HashMap<OrderSeq, Vec<Item>>, StoreError> {
        let sql = "select order_seq, line_id, gross_amount, discount_amount,
                manual_discount_amount, tax_amount, store_id, document, version, payout_rule
            from json_each(:order_seqs) as listed
            cross join order_items on order_seq = listed.value
            order by position";
        self.list_by_order(sql, rows, item_bytes, read_order_item)
    }
}

fn order_bytes((order, _): &(OrderRecord, Option<EventSeq>)) -> usize {
    order.document.0.len() + order.options_document.0.len()
}

fn item_bytes(item: &Item) -> usize {
    let rule = item.payout_rule.as_ref().map_or(0, |copied| copied.document.0.len());
    item.document.0.len() + rule
}

fn read_order_item(columns: &mut Columns<'_>) -> Result<Item, StoreError> {
    let item = read_item(columns)?;
    let document: Option<KeptJson> = columns.take()?;
    let payout_rule = document.map(|document| read_copied_rule(document).ok_or_else(bad_rule));
    Ok(Item { payout_rule: payout_rule.transpose()?, ..item })
}

fn bad_rule() -> StoreError {
    StoreError::inconsistent("the payout rule of a line is unreadable")
}

fn gone(order_seq: OrderSeq) -> StoreError {
    StoreError::inconsistent(format!("no order is in row {}", order_seq.0))
}

impl Tx<'_> {
    /// Inserts an order with its names, items and ledger.
    pub fn insert_order(&self, order: &NewOrder) -> Result<OrderSeq, StoreError> {
        let account_seq = self.load_account_seq(&order.account_id)?;
        let sql = "insert into orders
            (account_seq, id, order_id, draft_seq, currency, created_at_ms, created_by)
            values (:account_seq, :id, :order_id, :draft_seq, :currency, :now, :created_by)";
        let order_seq = OrderSeq(self.insert(
            sql,
            named_params! {
                ":account_seq": account_seq,
                ":id": order.id,
                ":order_id": order.order_id,
                ":draft_seq": order.draft_seq,
                ":currency": order.currency,
                ":now": self.now(),
                ":created_by": order.created_by,
            },
        )?);
        self.insert_order_document(order_seq, order)?;
        self.name_order(account_seq, &order.id, order_seq)?;
        self.name_order(account_seq, &order.order_id, order_seq)?;
        self.insert_order_items(order_seq, 0, &order.items)?;
        self.insert_ledger(&NewLedger {
            account_seq,
            order_seq,
            order_id: &order.order_id,
            currency: &order.currency,
            ledger: &order.ledger,
        })?;
        Ok(order_seq)
    }

    /// Replaces an order's documents.
    pub fn update_order_documents(
        &self,
        order_seq: OrderSeq,
        document: &KeptJson,
        options_document: &KeptJson,
    ) -> Result<(), StoreError> {
        let sql = "update order_documents
            set document = :document, options_document = :options_document
            where order_seq = :order_seq";
        self.execute(
            sql,
            named_params! {
                ":document": document,
                ":options_document": options_document,
                ":order_seq": order_seq,
            },
        )?;
        Ok(())
    }

    fn insert_order_document(
        &self,
        order_seq: OrderSeq,
        order: &NewOrder,
    ) -> Result<(), StoreError> {
        let sql = "insert into order_documents (order_seq, document, options_document)
                   values (:order_seq, :document, :options_document)";
        self.insert(
            sql,
            named_params! {
                ":order_seq": order_seq,
                ":document": order.document,
                ":options_document": order.options_document,
            },
        )?;
        Ok(())
    }
}

fn read_order(
    columns: &mut Columns<'_>,
    account_id: &AccountId,
    expired: Timestamp,
) -> Result<(OrderRecord, Option<EventSeq>), StoreError> {
    let mut order = OrderRecord {
        account_id: account_id.clone(),
        id: columns.take()?,
        order_id: columns.take()?,
        draft_id: columns.take()?,
        currency: columns.take()?,
        created_at: columns.take()?,
        created_by: columns.take()?,
        updated_at: columns.take()?,
        ledger: read_ledger_columns(columns)?,
        payment_status: columns.take()?,
        closed: read_step(columns)?,
        cancelled: read_cancelled(columns)?,
        expires_at: None,
        document: columns.take()?,
        options_document: columns.take()?,
        items: Vec::new(),
        open_session: None,
        comments: Vec::new(),
        events: Vec::new(),
    };
    let last_event_seq = columns.take()?;
    order.expires_at = columns.take()?;
    let is_closing: Option<bool> = columns.take()?;
    if let (Some(at), Some(true)) = (order.expires_at.filter(|at| *at <= expired), is_closing) {
        order.show_closed(at);
    }
    Ok((order, last_event_seq))
}

/// Reads when something happened and who did it; `None` if it has not happened.
fn read_step(columns: &mut Columns<'_>) -> rusqlite::Result<Option<(Timestamp, CreatedBy)>> {
    let (at, by): (Option<Timestamp>, Option<CreatedBy>) = (columns.take()?, columns.take()?);
    Ok(at.zip(by))
}

fn read_cancelled(columns: &mut Columns<'_>) -> Result<Option<Cancelled>, StoreError> {
    let step = read_step(columns)?;
    let reason = columns.take()?;
    Ok(step.map(|(at, by)| Cancelled { at, by, reason }))
}
