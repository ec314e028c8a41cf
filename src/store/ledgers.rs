//! Ledgers: the one small row per order that every payment operation reads and updates.

use rusqlite::{Row, named_params, params};

use super::error::StoreError;
use super::ledger_row::{read_ledger, write_ledger};
use super::order_head::NewHead;
use super::row::Columns;
use super::sqlite::open::open_reader;
use super::tx::{Reader, Tx};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountId, CreatedBy, EventSeq, OrderName, OrderSeq};
use crate::domain::ledger::Ledger;
use crate::domain::order::{CancelledReason, OrderStatus};
use crate::domain::payment_status::PaymentStatus;

/// A stored ledger with the order's data that an operation needs.
#[derive(Debug, Clone)]
pub struct LedgerRecord {
    pub order_seq: OrderSeq,
    /// The order's name in links.
    pub order_id: OrderName,
    pub currency: Currency,
    /// The number of the order's events.
    pub version: i64,
    pub last_event_seq: Option<EventSeq>,
    pub ledger: Ledger,
}

/// A change of an order's status.
#[derive(Debug, Clone, Copy)]
pub struct NewStatus<'a> {
    pub status: OrderStatus,
    /// The client or user who made the change.
    pub by: &'a CreatedBy,
    /// The reason, if the order is cancelled and one was given.
    pub cancelled_reason: Option<CancelledReason>,
}

/// The first ledger of a new order.
pub(super) struct NewLedger<'a> {
    pub account_seq: i64,
    pub order_seq: OrderSeq,
    pub order_id: &'a OrderName,
    pub currency: &'a Currency,
    pub ledger: &'a Ledger,
}

pub(super) const FIND_LEDGER: &str = "select ledgers.order_seq, order_id, currency, version,
        last_event_seq, status, multiple_authorizations, authorizations, lines
    from order_names
    join ledgers on ledgers.order_seq = order_names.order_seq
    where order_names.account_seq =
        (select account_seq from accounts where account_id = :account_id)
      and name = :name";

/// Leaves out the columns that list indexes use: SQLite rewrites an index entry even if the value
/// stays the same.
pub(super) const UPDATE_SUMS: &str = "update ledgers set authorizations = ?2, lines = ?3,
        version = version + 1, last_event_seq = ?4, updated_at_ms = ?5
    where order_seq = ?1";

const UPDATE_LISTED_SUMS: &str = "update ledgers set authorizations = ?2, lines = ?3,
        version = version + 1, last_event_seq = ?4, updated_at_ms = ?5,
        payment_status = ?6, holds = ?7
    where order_seq = ?1";

impl Reader<'_> {
    /// The ledger of the order with a name, unless the order has expired. One that is due to be
    /// closed is closed.
    pub fn find_ledger(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<Option<LedgerRecord>, StoreError> {
        let Some(mut found) = self.find_stored_ledger(account_id, name)? else { return Ok(None) };
        if self.is_order_due(found.order_seq)? {
            return Ok(None);
        }
        if found.ledger.status == OrderStatus::Open
            && self.find_due_closing(found.order_seq)?.is_some()
        {
            found.ledger.status = OrderStatus::Closed;
        }
        Ok(Some(found))
    }

    /// Like [`Reader::find_ledger`], without regard to the clock.
    pub(super) fn find_stored_ledger(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<Option<LedgerRecord>, StoreError> {
        let params = named_params! {":account_id": account_id, ":name": name};
        let found = self.find(FIND_LEDGER, params, |row| Ok(read_record(row)))?;
        found.transpose()
    }

    /// The ledger in row `order_seq`, which must exist, without regard to the clock.
    pub fn load_stored_ledger(&self, order_seq: OrderSeq) -> Result<LedgerRecord, StoreError> {
        let sql = "select order_seq, order_id, currency, version, last_event_seq, status,
                multiple_authorizations, authorizations, lines
            from ledgers where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        let found = self.find(sql, params, |row| Ok(read_record(row)))?;
        let gone = || StoreError::inconsistent(format!("no ledger is in row {}", order_seq.0));
        found.ok_or_else(gone)?
    }

    /// Whether the order holds something, and its total: the columns that lists are sorted by or
    /// filtered by and that are stored as numbers, not as words.
    pub(super) fn load_listing(&self, order_seq: OrderSeq) -> Result<(bool, i64), StoreError> {
        let sql = "select holds, total_thousandths from ledgers where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        let found = self.find(sql, params, |row| Ok((row.get(0)?, row.get(1)?)))?;
        found
            .ok_or_else(|| StoreError::inconsistent(format!("no ledger is in row {}", order_seq.0)))
    }
}

impl Tx<'_> {
    /// The ledger of the order with a name, unless the order has expired. One that is due to be
    /// closed is closed first, so that a command meets a closed order.
    pub fn find_ledger(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<Option<LedgerRecord>, StoreError> {
        let Some(found) = self.find_stored_ledger(account_id, name)? else { return Ok(None) };
        if self.expired_through()?.is_none() {
            return Ok(Some(found));
        }
        if self.is_order_due(found.order_seq)? {
            return Ok(None);
        }
        match self.find_due_closing(found.order_seq)? {
            Some(at) => self.close_expired(account_id, found, at).map(Some),
            None => Ok(Some(found)),
        }
    }

    /// The last committed ledger, without this transaction's own writes. Deciding on it would be
    /// wrong; a sabotaged build does so, and the trials must notice.
    pub fn load_committed_ledger(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<Ledger, StoreError> {
        let beside = open_reader(self.path())?;
        let found = Reader::new(&beside).find_ledger(account_id, name)?;
        found.map(|record| record.ledger).ok_or_else(|| StoreError::inconsistent("no such order"))
    }

    /// Updates the ledger after an event: its sums, the values derived from them, and its newest
    /// event.
    pub fn update_ledger(
        &self,
        record: &LedgerRecord,
        after: &Ledger,
        head: NewHead,
    ) -> Result<(), StoreError> {
        let (authorizations, lines) = write_ledger(after)?;
        let NewHead { order_seq, event_seq } = head;
        let now = self.now();
        let (payment_status, holds) = listed(after);
        if (payment_status, holds) == listed(&record.ledger) {
            let params = params![order_seq, authorizations, lines, event_seq, now];
            self.execute(UPDATE_SUMS, params)?;
        } else {
            let params =
                params![order_seq, authorizations, lines, event_seq, now, payment_status, holds];
            self.execute(UPDATE_LISTED_SUMS, params)?;
        }
        Ok(())
    }

    /// Updates a ledger whose lines were changed by a draft, and everything that lists use.
    pub fn update_amended_ledger(
        &self,
        record: &LedgerRecord,
        after: &Ledger,
        head: NewHead,
    ) -> Result<(), StoreError> {
        let sql = "update ledgers set total_thousandths = :total_thousandths,
                multiple_authorizations = :multiple_authorizations
            where order_seq = :order_seq";
        self.execute(
            sql,
            named_params! {
                ":total_thousandths": total_thousandths(&record.currency, after)?,
                ":multiple_authorizations": after.multiple_authorizations,
                ":order_seq": record.order_seq,
            },
        )?;
        self.update_ledger(record, after, head)
    }

    /// Records only that an event is the order's newest.
    pub fn update_last_event(&self, head: NewHead) -> Result<(), StoreError> {
        let sql = "update ledgers set version = version + 1, last_event_seq = :event_seq,
                updated_at_ms = :now
            where order_seq = :order_seq";
        self.execute(
            sql,
            named_params! {
                ":event_seq": head.event_seq,
                ":now": self.now(),
                ":order_seq": head.order_seq,
            },
        )?;
        Ok(())
    }

    /// Sets whether a line can have several authorizations.
    pub fn update_multiple_authorizations(
        &self,
        allowed: bool,
        head: NewHead,
    ) -> Result<(), StoreError> {
        let sql = "update ledgers set multiple_authorizations = :allowed
            where order_seq = :order_seq";
        let params = named_params! {":allowed": allowed, ":order_seq": head.order_seq};
        self.execute(sql, params)?;
        self.update_last_event(head)
    }

    /// Sets the status and clears the fields of the old status, such as when the order was closed.
    pub fn update_status(&self, new: NewStatus<'_>, head: NewHead) -> Result<(), StoreError> {
        let mark = (self.now(), new.by);
        let closed = (new.status == OrderStatus::Closed).then_some(mark);
        let cancelled = (new.status == OrderStatus::Cancelled).then_some(mark);
        let sql = "update ledgers set status = :status, version = version + 1,
                last_event_seq = :event_seq, updated_at_ms = :now,
                closed_at_ms = :closed_at_ms, closed_by = :closed_by,
                cancelled_at_ms = :cancelled_at_ms, cancelled_by = :cancelled_by,
                cancelled_reason = :cancelled_reason
            where order_seq = :order_seq";
        self.execute(
            sql,
            named_params! {
                ":status": new.status,
                ":event_seq": head.event_seq,
                ":now": self.now(),
                ":closed_at_ms": closed.map(|(at, _)| at),
                ":closed_by": closed.map(|(_, by)| by),
                ":cancelled_at_ms": cancelled.map(|(at, _)| at),
                ":cancelled_by": cancelled.map(|(_, by)| by),
                ":cancelled_reason": new.cancelled_reason,
                ":order_seq": head.order_seq,
            },
        )?;
        Ok(())
    }

    /// Inserts the ledger of an order that has no events yet.
    pub(super) fn insert_ledger(&self, order: &NewLedger<'_>) -> Result<(), StoreError> {
        let NewLedger { order_seq, account_seq, ledger, .. } = *order;
        let (authorizations, lines) = write_ledger(ledger)?;
        let sql = "insert into ledgers
            (order_seq, account_seq, order_id, currency, total_thousandths, status, payment_status,
             multiple_authorizations, authorizations, lines, holds, version, updated_at_ms)
            values (:order_seq, :account_seq, :order_id, :currency, :total_thousandths, :status,
             :payment_status, :multiple_authorizations, :authorizations, :lines, :holds, 0, :now)";
        self.insert(
            sql,
            named_params! {
                ":order_seq": order_seq,
                ":account_seq": account_seq,
                ":order_id": order.order_id,
                ":currency": order.currency,
                ":total_thousandths": total_thousandths(order.currency, ledger)?,
                ":status": ledger.status,
                ":payment_status": PaymentStatus::derive(&ledger.lines),
                ":multiple_authorizations": ledger.multiple_authorizations,
                ":authorizations": authorizations,
                ":lines": lines,
                ":holds": ledger.holds(),
                ":now": self.now(),
            },
        )?;
        Ok(())
    }
}

/// An order's total in thousandths of its currency, so that orders of all currencies can be sorted
/// together.
pub(super) fn total_thousandths(currency: &Currency, ledger: &Ledger) -> Result<i64, StoreError> {
    // A total is at most 2^53, so a thousand times as much fits.
    i64::try_from(currency.thousandths(ledger.sums().payable))
        .map_err(|_| StoreError::inconsistent("an order's total is out of range"))
}

/// The columns that list indexes use and that an operation can change.
fn listed(ledger: &Ledger) -> (PaymentStatus, bool) {
    (PaymentStatus::derive(&ledger.lines), ledger.holds())
}

fn read_record(row: &Row<'_>) -> Result<LedgerRecord, StoreError> {
    let mut columns = Columns::of(row);
    Ok(LedgerRecord {
        order_seq: columns.take()?,
        order_id: columns.take()?,
        currency: columns.take()?,
        version: columns.take()?,
        last_event_seq: columns.take()?,
        ledger: read_ledger_columns(&mut columns)?,
    })
}

/// Reads a ledger from the next columns: `status`, `multiple_authorizations`, `authorizations` and
/// `lines`.
pub(super) fn read_ledger_columns(columns: &mut Columns<'_>) -> Result<Ledger, StoreError> {
    let (status, multiple_authorizations) = (columns.take()?, columns.take()?);
    let (authorizations, lines) = (columns.take_text()?, columns.take_text()?);
    read_ledger(status, multiple_authorizations, authorizations, lines)
}
