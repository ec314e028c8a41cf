//! When orders and drafts expire (docs/contract.md, Decision 13).
//!
//! Reads compare with the clock themselves, so that what is due is gone before a sweep removes it.
//! Nearly always nothing is due: the sweep runs every minute. So a snapshot first looks up the
//! earliest moment, and only if that has come are the conditions below part of its queries. The
//! writer remembers the earliest moment and reads nothing until it has come.

use rusqlite::named_params;

use super::error::StoreError;
use super::ledgers::LedgerRecord;
use super::orders::OrderRecord;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::{AccountId, CreatedBy, DraftSeq, OrderSeq};
use crate::domain::order::OrderStatus;
use crate::domain::time_to_live::TimeToLive;

/// The author of changes that nobody asked for.
pub const SYSTEM: &str = "system";

/// The expiry of an order.
#[derive(Debug, Clone, Copy)]
pub struct OrderExpiry {
    pub time_to_live: TimeToLive,
    pub expires_at: Timestamp,
    /// Whether the order has a payment operation, so that it is closed and not removed.
    pub has_operations: bool,
    /// Whether a sweep has carried it out.
    pub is_over: bool,
}

/// An order or draft whose moment has come.
#[derive(Debug, Clone)]
pub struct DueOrder {
    pub order_seq: OrderSeq,
    pub account_id: AccountId,
    pub expires_at: Timestamp,
    pub has_operations: bool,
}

#[derive(Debug, Clone)]
pub struct DueDraft {
    pub draft_seq: DraftSeq,
    pub account_id: AccountId,
    pub id: String,
    pub version: i64,
    pub expires_at: Timestamp,
}

/// SQL: true if the order is due and will be closed, if it is open.
pub(super) fn order_is_closing(seq: &str) -> String {
    format!(
        "exists (select 1 from order_expiries as closing where closing.order_seq = {seq}
            and closing.outcome is null and closing.has_operations = 1
            and closing.expires_at_ms <= :expired)"
    )
}

/// SQL: true if the order was removed, or is due to be. `:expired` is a parameter.
pub(super) fn order_is_gone(seq: &str) -> String {
    format!(
        "exists (select 1 from order_expiries as gone where gone.order_seq = {seq}
            and (gone.outcome = 'removed' or (gone.outcome is null and gone.has_operations = 0
                and gone.expires_at_ms <= :expired)))"
    )
}

/// SQL: true if the order in a row of ledgers was not removed.
pub(super) const ORDER_IS_PRESENT: &str = "not exists (select 1
    from order_expiries as removed indexed by order_expiries_removed
    where removed.order_seq = ledgers.order_seq and removed.outcome = 'removed')";

/// SQL: true if the draft in a row of drafts was not removed.
pub(super) const DRAFT_IS_PRESENT: &str = "not exists (select 1
    from draft_expiries as removed indexed by draft_expiries_removed
    where removed.draft_seq = drafts.draft_seq and removed.removed_at_ms is not null)";

/// SQL: true if the draft in a row of drafts was removed or is due to be, by its own time or with
/// its orders.
pub(super) fn draft_is_gone() -> String {
    let (made, named) = (order_is_gone("made.order_seq"), order_is_gone("named.order_seq"));
    format!(
        "(exists (select 1 from draft_expiries as ended where ended.draft_seq = drafts.draft_seq
                and (ended.removed_at_ms is not null or ended.expires_at_ms <= :expired))
            or (exists (select 1 from draft_orders as made
                    where made.draft_seq = drafts.draft_seq)
                and not exists (select 1 from draft_orders as made
                    where made.draft_seq = drafts.draft_seq and not {made}))
            or exists (select 1 from order_names as named
                where named.account_seq = drafts.account_seq and named.name = drafts.amends
                  and {named}))"
    )
}

impl Reader<'_> {
    /// The time up to which the clock is trusted, and the next moment at which something expires.
    pub fn load_next_expiry(&self) -> Result<(Timestamp, Option<Timestamp>), StoreError> {
        let sql = "select (select trusted_at_ms from expiry_clock),
            (select min(expires_at_ms) from order_expiries indexed by order_expiries_due
                where outcome is null),
            (select min(expires_at_ms) from draft_expiries indexed by draft_expiries_due
                where removed_at_ms is null and expires_at_ms is not null)";
        let found = self.find(sql, [], |row| {
            let (orders, drafts): (Option<Timestamp>, Option<Timestamp>) =
                (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, orders.into_iter().chain(drafts).min()))
        })?;
        found.ok_or_else(|| StoreError::inconsistent("an aggregate has no row"))
    }

    /// The value of the parameter `:expired`.
    pub(super) fn expired(&self) -> Result<Timestamp, StoreError> {
        Ok(self.expired_through()?.unwrap_or(Timestamp(i64::MIN)))
    }

    /// The expiry of an order; `None` if it never expires.
    pub fn find_order_expiry(
        &self,
        order_seq: OrderSeq,
    ) -> Result<Option<OrderExpiry>, StoreError> {
        let sql = "select lives_s, expires_at_ms, has_operations, outcome is not null
            from order_expiries where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        self.find(sql, params, |row| {
            Ok(OrderExpiry {
                time_to_live: row.get(0)?,
                expires_at: row.get(1)?,
                has_operations: row.get(2)?,
                is_over: row.get(3)?,
            })
        })
    }

    /// True if a sweep has removed the order.
    pub(super) fn is_removed(&self, order_seq: OrderSeq) -> Result<bool, StoreError> {
        let sql = "select 1 from order_expiries
            where order_seq = :order_seq and outcome = 'removed'";
        Ok(self.find(sql, named_params! {":order_seq": order_seq}, |_| Ok(()))?.is_some())
    }

    /// True if an order was created at least that long ago.
    pub fn has_order_lived(
        &self,
        order_seq: OrderSeq,
        time_to_live: TimeToLive,
    ) -> Result<bool, StoreError> {
        let sql = "select created_at_ms from orders where order_seq = :order_seq";
        let params = named_params! {":order_seq": order_seq};
        let created_at = self.find(sql, params, |row| row.get(0))?;
        let expires_at = created_at.map(|created_at| time_to_live.expires_at(created_at));
        Ok(expires_at.is_some_and(|at| at <= self.now()))
    }

    /// Since when the order is gone, if it was removed or is due to be.
    pub fn find_order_end(&self, order_seq: OrderSeq) -> Result<Option<Timestamp>, StoreError> {
        let sql = "select expires_at_ms from order_expiries where order_seq = :order_seq
            and (outcome = 'removed'
                or (outcome is null and has_operations = 0 and expires_at_ms <= :expired))";
        let params = named_params! {":order_seq": order_seq, ":expired": self.expired()?};
        self.find(sql, params, |row| row.get(0))
    }

    /// True if the order is due and not swept yet, so that it is gone although its rows are there.
    pub(super) fn is_order_due(&self, order_seq: OrderSeq) -> Result<bool, StoreError> {
        match self.expired_through()? {
            None => Ok(false),
            Some(_) => Ok(self.find_order_end(order_seq)?.is_some()),
        }
    }

    /// When the order is closed for having expired, if that has come and is not carried out yet.
    pub(super) fn find_due_closing(
        &self,
        order_seq: OrderSeq,
    ) -> Result<Option<Timestamp>, StoreError> {
        let Some(through) = self.expired_through()? else { return Ok(None) };
        let found = self.find_order_expiry(order_seq)?;
        let is_due =
            |it: &OrderExpiry| it.has_operations && !it.is_over && it.expires_at <= through;
        Ok(found.filter(is_due).map(|it| it.expires_at))
    }

    /// Since when the draft is gone, if it was removed or is due to be.
    pub fn find_draft_end(&self, draft_seq: DraftSeq) -> Result<Option<Timestamp>, StoreError> {
        let gone = match self.expired_through()? {
            None => format!("not {DRAFT_IS_PRESENT}"),
            Some(_) => draft_is_gone(),
        };
        // A draft that ends with its orders ends with the last of them.
        let sql = format!(
            "select coalesce(
                (select coalesce(removed_at_ms, expires_at_ms) from draft_expiries
                    where draft_seq = drafts.draft_seq),
                (select max(order_expiries.expires_at_ms) from draft_orders
                    join order_expiries using (order_seq)
                    where draft_orders.draft_seq = drafts.draft_seq),
                (select order_expiries.expires_at_ms from order_names
                    join order_expiries using (order_seq)
                    where account_seq = drafts.account_seq and name = drafts.amends),
                updated_at_ms)
             from drafts where draft_seq = :draft_seq
               and (:expired is null or true) and {gone}"
        );
        let params = named_params! {":draft_seq": draft_seq, ":expired": self.expired()?};
        self.find(sql, params, |row| row.get(0))
    }

    /// Orders that are due, the earliest first, at most `limit`.
    pub fn list_due_orders(&self, limit: u32) -> Result<Vec<DueOrder>, StoreError> {
        let sql = "select order_seq, account_id, expires_at_ms, has_operations
            from order_expiries indexed by order_expiries_due
            cross join orders using (order_seq)
            cross join accounts using (account_seq)
            where outcome is null and expires_at_ms <= :expired
            order by expires_at_ms limit :limit";
        let params = named_params! {":expired": self.expired()?, ":limit": limit};
        self.list(sql, params, |row| {
            Ok(DueOrder {
                order_seq: row.get(0)?,
                account_id: row.get(1)?,
                expires_at: row.get(2)?,
                has_operations: row.get(3)?,
            })
        })
    }

    /// Drafts that are due by their own time, the earliest first, at most `limit`.
    pub fn list_due_drafts(&self, limit: u32) -> Result<Vec<DueDraft>, StoreError> {
        let sql = "select draft_seq, account_id, drafts.id, drafts.version, expires_at_ms
            from draft_expiries indexed by draft_expiries_due
            cross join drafts using (draft_seq)
            cross join accounts using (account_seq)
            where removed_at_ms is null and expires_at_ms <= :expired
            order by expires_at_ms limit :limit";
        let params = named_params! {":expired": self.expired()?, ":limit": limit};
        self.list(sql, params, |row| {
            Ok(DueDraft {
                draft_seq: row.get(0)?,
                account_id: row.get(1)?,
                id: row.get(2)?,
                version: row.get(3)?,
                expires_at: row.get(4)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Sets when an order expires, counted from its creation; `None` if never.
    pub fn set_order_time_to_live(
        &self,
        order: &LedgerRecord,
        time_to_live: Option<TimeToLive>,
    ) -> Result<(), StoreError> {
        let has_operations = time_to_live.is_some() && self.has_operations(order)?;
        let order_seq = order.order_seq;
        let Some(time_to_live) = time_to_live else {
            let sql = "delete from order_expiries where order_seq = :order_seq";
            self.execute(sql, named_params! {":order_seq": order_seq})?;
            return Ok(());
        };
        self.trust_clock_if_nothing_expires()?;
        let sql = "insert into order_expiries (order_seq, lives_s, expires_at_ms, has_operations)
            select order_seq, :lives_s, created_at_ms + 1000 * :lives_s, :has_operations
            from orders where order_seq = :order_seq
            on conflict (order_seq) do update set lives_s = excluded.lives_s,
                expires_at_ms = excluded.expires_at_ms,
                has_operations = excluded.has_operations, outcome = null, event_seq = null
            returning expires_at_ms";
        let params = named_params! {
            ":lives_s": time_to_live,
            ":has_operations": has_operations,
            ":order_seq": order_seq,
        };
        let expires_at = self.find(sql, params, |row| row.get(0))?;
        expires_at.into_iter().for_each(|at| self.next_expiry().note(at));
        Ok(())
    }

    /// Sets when a draft expires, counted from its creation; `None` if never.
    pub(super) fn set_draft_time_to_live(
        &self,
        draft_seq: DraftSeq,
        time_to_live: Option<TimeToLive>,
    ) -> Result<(), StoreError> {
        let Some(time_to_live) = time_to_live else {
            let sql = "delete from draft_expiries where draft_seq = :draft_seq";
            self.execute(sql, named_params! {":draft_seq": draft_seq})?;
            return Ok(());
        };
        self.trust_clock_if_nothing_expires()?;
        let sql = "insert into draft_expiries (draft_seq, lives_s, expires_at_ms)
            select draft_seq, :lives_s, created_at_ms + 1000 * :lives_s
            from drafts where draft_seq = :draft_seq
            on conflict (draft_seq) do update set lives_s = excluded.lives_s,
                expires_at_ms = excluded.expires_at_ms
            returning expires_at_ms";
        let params = named_params! {":lives_s": time_to_live, ":draft_seq": draft_seq};
        let expires_at = self.find(sql, params, |row| row.get(0))?;
        expires_at.into_iter().for_each(|at| self.next_expiry().note(at));
        Ok(())
    }

    /// A completed draft no longer expires by its own time, but with its orders.
    pub(super) fn end_draft_time(&self, draft_seq: DraftSeq) -> Result<(), StoreError> {
        let sql = "update draft_expiries set expires_at_ms = null where draft_seq = :draft_seq";
        self.execute(sql, named_params! {":draft_seq": draft_seq})?;
        Ok(())
    }

    /// Notes that an order has a payment operation. The first operation of an order looks this up
    /// in a book in which something expires; no other operation reads or writes anything for it.
    pub(super) fn note_operation(&self, order: &LedgerRecord) -> Result<(), StoreError> {
        let ledger = &order.ledger;
        if self.next_expiry().is_never() {
            return Ok(());
        }
        let is_known = !ledger.authorizations.is_empty()
            || ledger.lines.iter().any(|line| line.last_moved_by().is_some());
        if is_known {
            return Ok(());
        }
        self.note_operation_of(order.order_seq)
    }

    pub(super) fn note_operation_of(&self, order_seq: OrderSeq) -> Result<(), StoreError> {
        let sql = "update order_expiries set has_operations = 1
            where order_seq = :order_seq and has_operations = 0";
        self.execute(sql, named_params! {":order_seq": order_seq})?;
        Ok(())
    }

    /// Notes that the clock is right now.
    pub fn trust_clock(&self) -> Result<(), StoreError> {
        let sql = "update expiry_clock set trusted_at_ms = :now";
        self.execute(sql, named_params! {":now": self.now()})?;
        Ok(())
    }

    /// The clock was not watched while nothing could expire.
    fn trust_clock_if_nothing_expires(&self) -> Result<(), StoreError> {
        match self.load_next_expiry()? {
            (_, None) => self.trust_clock(),
            (_, Some(_)) => Ok(()),
        }
    }
}

impl OrderRecord {
    /// Shows the order as the sweep will leave it: closed at the moment when it expired.
    pub(super) fn show_closed(&mut self, at: Timestamp) {
        if self.ledger.status == OrderStatus::Open {
            self.ledger.status = OrderStatus::Closed;
            self.closed = Some((at, CreatedBy(SYSTEM.to_owned())));
            self.updated_at = self.updated_at.max(at);
        }
    }
}
