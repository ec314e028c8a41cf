//! Closes and removes what has expired (docs/contract.md, Decision 13).

use rusqlite::named_params;

use super::error::StoreError;
use super::events::NewApiEvent;
use super::expiries::{DueDraft, DueOrder, SYSTEM};
use super::ledgers::LedgerRecord;
use super::order_head::NewHead;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::{AccountId, CreatedBy, DraftSeq, EventSeq, OrderName, OrderSeq};
use crate::domain::order::OrderStatus;

/// Deletes the bodies of all requests in an order's history.
const DELETE_BODIES: &str = "with recursive found (event_seq, previous_seq) as (
        select event_seq, previous_seq from events where event_seq = :last_seq
        union all
        select events.event_seq, events.previous_seq
        from found
        cross join events on events.event_seq = found.previous_seq
        where events.event_seq < found.event_seq)
    delete from request_bodies where event_seq in (select event_seq from found)";

/// Deletes or empties everything that a client sent about an order, except its history. A
/// session's row stays with its lines and amounts, because idempotency keys may name it; its
/// callback is given up with its address.
const ERASE_ORDER: [&str; 7] = [
    "delete from order_documents where order_seq = :order_seq",
    "delete from order_items where order_seq = :order_seq",
    "delete from order_values where order_seq = :order_seq",
    "delete from order_search where rowid = :order_seq",
    "delete from order_comments where order_seq = :order_seq",
    "delete from session_callbacks where session_seq in
        (select session_seq from order_sessions where order_seq = :order_seq)",
    "update order_sessions set document = json_object('items', json((select json_group_array(
            json_object('line_id', value ->> '$.line_id', 'amount', value ->> '$.amount'))
            from json_each(document, '$.items'))))
     where order_seq = :order_seq",
];

/// The drafts of an order that is removed: those that made or changed it and no other order that is
/// still there, and those that were going to change it.
const DRAFTS_OF_ORDER: &str = "select draft_seq from draft_orders
    where order_seq = :order_seq
      and not exists (select 1 from draft_orders as others
        where others.draft_seq = draft_orders.draft_seq
          and not exists (select 1 from order_expiries
            where order_expiries.order_seq = others.order_seq and outcome = 'removed'))
    union
    select drafts.draft_seq from orders
    cross join drafts indexed by drafts_that_amend on drafts.account_seq = orders.account_seq
        and amends in (orders.id, orders.order_id) and amends is not null
    where orders.order_seq = :order_seq";

const ERASE_DRAFT: [&str; 4] = [
    "update drafts set status = 'deleted', document = '{}', store_document = null,
        options_document = '{}', store_id = null, updated_at_ms = max(updated_at_ms, :at)
     where draft_seq = :draft_seq",
    "delete from draft_items where draft_seq = :draft_seq and :at is not null",
    "delete from draft_values where draft_seq = :draft_seq and :at is not null",
    "delete from draft_search where rowid = :draft_seq and :at is not null",
];

impl Reader<'_> {
    /// The public id and the order id of an order, also of one that was removed.
    pub fn load_order_ids(
        &self,
        order_seq: OrderSeq,
    ) -> Result<(OrderName, OrderName), StoreError> {
        let sql = "select id, order_id from orders where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        let found = self.find(sql, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let gone = || StoreError::inconsistent(format!("no order is in row {}", order_seq.0));
        found.ok_or_else(gone)
    }
}

impl Tx<'_> {
    /// Carries out the expiry of an order with an operation: closes it, if it is open.
    pub fn close_due_order(&self, due: &DueOrder) -> Result<(), StoreError> {
        let order = self.load_stored_ledger(due.order_seq)?;
        self.close_expired(&due.account_id, order, due.expires_at).map(drop)
    }

    /// Closes an order at the moment when it expired, and returns its ledger.
    pub(super) fn close_expired(
        &self,
        account_id: &AccountId,
        mut order: LedgerRecord,
        at: Timestamp,
    ) -> Result<LedgerRecord, StoreError> {
        let order_seq = order.order_seq;
        self.note_operation_of(order_seq)?;
        if order.ledger.status != OrderStatus::Open {
            self.end_expiry(order_seq, "kept", None)?;
            return Ok(order);
        }
        let head = self.append_system_event(account_id, &order, "POST", "/close")?;
        let event_seq = head.event_seq();
        let sql = "update ledgers set status = 'closed', version = version + 1,
                last_event_seq = :event_seq, closed_at_ms = :at, closed_by = :by,
                updated_at_ms = max(updated_at_ms, :at)
            where order_seq = :order_seq";
        let params = named_params! {
            ":event_seq": event_seq, ":at": at, ":by": SYSTEM, ":order_seq": order_seq,
        };
        self.execute(sql, params)?;
        self.end_expiry(order_seq, "closed", Some(event_seq))?;
        order.ledger.status = OrderStatus::Closed;
        order.version += 1;
        order.last_event_seq = Some(event_seq);
        Ok(order)
    }

    /// Removes an order without operations, and its drafts. Its sessions must have ended.
    pub fn remove_due_order(&self, due: &DueOrder) -> Result<(), StoreError> {
        let order_seq = due.order_seq;
        let order = self.load_stored_ledger(order_seq)?;
        let head = self.append_system_event(&due.account_id, &order, "DELETE", "")?;
        let event_seq = head.event_seq();
        self.update_last_event(head)?;
        self.execute(DELETE_BODIES, named_params! {":last_seq": event_seq})?;
        for sql in ERASE_ORDER {
            self.execute(sql, named_params! {":order_seq": order_seq})?;
        }
        // The names stay taken, and find nothing.
        let sql = "update order_names set order_seq = null, draft_seq =
                (select draft_seq from orders where orders.order_seq = :order_seq)
            where order_seq = :order_seq
              and account_seq = (select account_seq from orders where order_seq = :order_seq)
              and name in (select id from orders where order_seq = :order_seq
                union all select order_id from orders where order_seq = :order_seq)";
        self.execute(sql, named_params! {":order_seq": order_seq})?;
        self.end_expiry(order_seq, "removed", Some(event_seq))?;
        let params = named_params! {":order_seq": order_seq};
        let drafts: Vec<DraftSeq> = self.list(DRAFTS_OF_ORDER, params, |row| row.get(0))?;
        drafts.into_iter().try_for_each(|draft_seq| self.erase_draft(draft_seq, due.expires_at))
    }

    /// Removes a draft.
    pub fn remove_due_draft(&self, due: &DueDraft) -> Result<(), StoreError> {
        let path =
            format!("/v1/accounts/{}/shopping/draft_orders/{}", due.account_id.as_str(), due.id);
        let event = NewApiEvent { method: "DELETE", path, body: None, body_sha256: None };
        self.append_draft_event(due.draft_seq, due.version + 1, &system(), &event)?;
        self.erase_draft(due.draft_seq, due.expires_at)
    }

    fn erase_draft(&self, draft_seq: DraftSeq, at: Timestamp) -> Result<(), StoreError> {
        for sql in ERASE_DRAFT {
            self.execute(sql, named_params! {":draft_seq": draft_seq, ":at": at})?;
        }
        let sql = "insert into draft_expiries (draft_seq, removed_at_ms) values (:draft_seq, :at)
            on conflict (draft_seq) do update
            set removed_at_ms = coalesce(removed_at_ms, excluded.removed_at_ms),
                expires_at_ms = null";
        self.execute(sql, named_params! {":draft_seq": draft_seq, ":at": at})?;
        Ok(())
    }

    fn append_system_event(
        &self,
        account_id: &AccountId,
        order: &LedgerRecord,
        method: &'static str,
        step: &str,
    ) -> Result<NewHead, StoreError> {
        let (id, _) = self.load_order_ids(order.order_seq)?;
        let path =
            format!("/v1/accounts/{}/shopping/orders/{}{step}", account_id.as_str(), id.as_str());
        let event = NewApiEvent { method, path, body: None, body_sha256: None };
        self.append_api_event(order, &system(), None, &event)
    }

    fn end_expiry(
        &self,
        order_seq: OrderSeq,
        outcome: &str,
        event_seq: Option<EventSeq>,
    ) -> Result<(), StoreError> {
        let sql = "update order_expiries set outcome = :outcome, event_seq = :event_seq
            where order_seq = :order_seq";
        let params = named_params! {
            ":outcome": outcome, ":event_seq": event_seq, ":order_seq": order_seq,
        };
        self.execute(sql, params)?;
        Ok(())
    }
}

fn system() -> CreatedBy {
    CreatedBy(SYSTEM.to_owned())
}
