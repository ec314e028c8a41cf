//! The journal: the events of all orders and drafts of the book in the order of their numbers.

use rusqlite::named_params;

use super::error::StoreError;
use super::hooks::HookRecord;
use super::tx::Reader;
use crate::domain::hook::HookEvent;
use crate::domain::ids::{AccountId, DraftSeq, EventSeq, HookSeq, OrderSeq};
use crate::domain::operation::OperationKind;

/// The row of an event. Books of version 0.1.0 may have a row of each table under one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalRow {
    /// A row of `events`.
    Order(EventSeq),
    /// A row of `draft_events`.
    Draft(EventSeq),
}

/// An event of the journal, as far as it decides which hooks get it.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    pub row: JournalRow,
    pub account_id: AccountId,
    pub change: JournalChange,
}

/// The kind of a change, with its order or draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalChange {
    Operation(OrderSeq),
    ServiceEvent(OrderSeq),
    OrderCreated(OrderSeq),
    OrderChanged(OrderSeq),
    /// The order expired.
    OrderRemoved(OrderSeq),
    DraftCreated(DraftSeq),
    DraftChanged(DraftSeq),
    DraftCompleted(DraftSeq),
}

impl JournalChange {
    /// The webhook events that a change causes (docs/contract.md, Decision 9).
    pub fn hook_events(self) -> &'static [HookEvent] {
        match self {
            JournalChange::Operation(_) => &[HookEvent::OrderEventAdd, HookEvent::OrderUpdate],
            JournalChange::ServiceEvent(_) => &[HookEvent::OrderEventAdd],
            // The event of the draft that made the order shows the order.
            JournalChange::OrderCreated(_) => &[],
            JournalChange::OrderChanged(_) => &[HookEvent::OrderUpdate],
            JournalChange::OrderRemoved(_) => &[HookEvent::OrderDelete],
            JournalChange::DraftCreated(_) => &[HookEvent::DraftAdd],
            JournalChange::DraftChanged(_) => &[HookEvent::DraftUpdate],
            JournalChange::DraftCompleted(_) => &[HookEvent::DraftComplete],
        }
    }
}

impl JournalRow {
    pub fn seq(self) -> EventSeq {
        match self {
            JournalRow::Order(seq) | JournalRow::Draft(seq) => seq,
        }
    }
}

/// A number that was counted up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub count: i64,
    /// False if the counting ended at its limit, so that there may be more.
    pub is_all: bool,
}

impl Reader<'_> {
    /// How many deliveries of a hook wait, counted up to `count_max`.
    pub fn count_waiting(&self, hook_seq: HookSeq, count_max: u32) -> Result<Counted, StoreError> {
        let count = self.load_backlog(hook_seq, count_max)?.count;
        Ok(Counted { count, is_all: count < i64::from(count_max) })
    }

    /// How many deliveries a hook has missed: those that wait, and those of the events after its
    /// cursor. At most `events_max` of either are read.
    pub fn count_missed(
        &self,
        hook: &HookRecord,
        events_max: usize,
    ) -> Result<Counted, StoreError> {
        let count_max = u32::try_from(events_max).unwrap_or(u32::MAX);
        let waiting = self.count_waiting(hook.hook_seq, count_max)?;
        let entries = self.list_journal(hook.through_seq, events_max)?;
        let wanted = entries.iter().filter(|entry| entry.account_id == hook.account_id);
        let events = wanted.flat_map(|entry| entry.change.hook_events());
        let missed = events.filter(|event| hook.settings.events.has(**event)).count();
        Ok(Counted {
            count: waiting.count + i64::try_from(missed).unwrap_or(i64::MAX),
            is_all: waiting.is_all && entries.len() < events_max,
        })
    }

    /// The number of the newest event; 0 in a book without any.
    pub fn load_last_event_seq(&self) -> Result<EventSeq, StoreError> {
        Ok(EventSeq(self.load_next_event_seq()?.0 - 1))
    }

    /// The first events after a number, at least `limit` of them if there are so many. All events
    /// under one number are returned together.
    pub fn list_journal(
        &self,
        after: EventSeq,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut entries = self.list_order_entries(after, limit)?;
        entries.extend(self.list_draft_entries(after, limit)?);
        entries.sort_by_key(|entry| entry.row.seq());
        let last = entries.get(limit.saturating_sub(1)).map(|entry| entry.row.seq());
        if let Some(last) = last {
            entries.retain(|entry| entry.row.seq() <= last);
        }
        Ok(entries)
    }

    fn list_order_entries(
        &self,
        after: EventSeq,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = "select events.event_seq, account_id, events.order_seq, events.version, kind,
                removals.event_seq is not null
            from events
            cross join orders on orders.order_seq = events.order_seq
            cross join accounts on accounts.account_seq = orders.account_seq
            left join order_expiries as removals on removals.order_seq = events.order_seq
                and removals.outcome = 'removed' and removals.event_seq = events.event_seq
            where :after < events.event_seq order by events.event_seq limit :limit";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.list(sql, named_params! {":after": after, ":limit": limit}, |row| {
            let (order_seq, version): (OrderSeq, i64) = (row.get(2)?, row.get(3)?);
            let change = match row.get_ref(4)?.as_str()? {
                "api" if row.get::<_, bool>(5)? => JournalChange::OrderRemoved(order_seq),
                "service" => JournalChange::ServiceEvent(order_seq),
                kind if OperationKind::parse(kind).is_some() => JournalChange::Operation(order_seq),
                _ if version == 1 => JournalChange::OrderCreated(order_seq),
                _ => JournalChange::OrderChanged(order_seq),
            };
            Ok(JournalEntry {
                row: JournalRow::Order(row.get(0)?),
                account_id: row.get(1)?,
                change,
            })
        })
    }

    fn list_draft_entries(
        &self,
        after: EventSeq,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let sql = "select draft_event_seq, account_id, draft_seq, draft_events.version,
                method = 'PUT' and path glob '*/complete'
            from draft_events
            cross join drafts using (draft_seq)
            cross join accounts using (account_seq)
            where :after < draft_event_seq order by draft_event_seq limit :limit";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.list(sql, named_params! {":after": after, ":limit": limit}, |row| {
            let (draft_seq, version): (DraftSeq, i64) = (row.get(2)?, row.get(3)?);
            let change = match row.get::<_, bool>(4)? {
                true => JournalChange::DraftCompleted(draft_seq),
                false if version == 1 => JournalChange::DraftCreated(draft_seq),
                false => JournalChange::DraftChanged(draft_seq),
            };
            Ok(JournalEntry {
                row: JournalRow::Draft(row.get(0)?),
                account_id: row.get(1)?,
                change,
            })
        })
    }
}
