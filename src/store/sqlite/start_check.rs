//! The check after a server's start: damage to the file, and recently changed orders that do not
//! add up.
//!
//! `verify` checks everything, which takes long for a large file; this is the part that every start
//! can afford. It runs beside the server on its own connection.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, named_params};

use super::readers::{open_existing, snapshot};
use crate::domain::ids::{AccountId, EventSeq, OrderSeq};
use crate::sabotage::{self, Fault};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::tx::Reader;
use crate::store::verify::{VerifyReport, check_file, check_order_row};

/// Orders without an event in this time before the newest event are left to `verify`.
const TOUCHED_WITHIN_MS: i64 = 48 * 60 * 60 * 1_000;

/// How many events one transaction reads.
const EVENTS_PER_SNAPSHOT: u32 = 1_000;

pub struct StartCheck {
    conn: Connection,
    is_ended: Arc<AtomicBool>,
}

impl StartCheck {
    pub(super) fn open(path: &Path) -> Result<StartCheck, StoreError> {
        Ok(StartCheck { conn: open_existing(path)?, is_ended: Arc::default() })
    }

    /// A function that ends the check early, for a server that stops.
    pub fn ender(&self) -> impl Fn() + Send + Sync + 'static {
        let (is_ended, statement) = (self.is_ended.clone(), self.conn.get_interrupt_handle());
        move || {
            is_ended.store(true, Ordering::Release);
            statement.interrupt();
        }
    }

    /// Runs the check. `None` if it was ended early. An unreadable file is reported as a finding.
    pub fn run(&self) -> Result<Option<VerifyReport>, StoreError> {
        let mut report = VerifyReport::default();
        if sabotage::is_on(Fault::SkipStartCheck) {
            return Ok(Some(report));
        }
        let checked = check_file(&self.conn, "pragma quick_check", &mut report)
            .and_then(|()| self.check_orders(&mut report));
        match checked {
            _ if self.is_ended.load(Ordering::Acquire) => Ok(None),
            Ok(()) => Ok(Some(report)),
            Err(error) if error.kind == StoreErrorKind::Corrupt => {
                report.find(format!("file: {error}"));
                Ok(Some(report))
            }
            Err(error) => Err(error),
        }
    }

    /// Checks every order with an event in the last two days, newest first.
    fn check_orders(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        let since = snapshot(&self.conn, |reader| reader.load_last_event_time())?.0;
        let mut checked = BTreeSet::new();
        let mut before = Some(EventSeq(i64::MAX));
        while let Some(event_seq) = before
            && !self.is_ended.load(Ordering::Acquire)
        {
            before = snapshot(&self.conn, |reader| {
                let events = list_events(reader, event_seq)?;
                check_orders_of(reader, &events, since - TOUCHED_WITHIN_MS, &mut checked, report)
            })?;
        }
        Ok(())
    }
}

/// Checks the orders of these events that were not checked before. Returns the last event; `None`
/// if the rest of the history is older than `since_ms`, or empty.
fn check_orders_of(
    reader: &Reader<'_>,
    events: &[EventRow],
    since_ms: i64,
    checked: &mut BTreeSet<OrderSeq>,
    report: &mut VerifyReport,
) -> Result<Option<EventSeq>, StoreError> {
    for event in events {
        if event.created_at_ms < since_ms {
            return Ok(None);
        }
        if checked.insert(event.order_seq) {
            check_order_row(reader, event.order_seq, &event.account_id, report)?;
        }
    }
    Ok(events.last().map(|event| event.event_seq))
}

struct EventRow {
    event_seq: EventSeq,
    order_seq: OrderSeq,
    account_id: AccountId,
    created_at_ms: i64,
}

/// The events before one, newest first.
fn list_events(reader: &Reader<'_>, before: EventSeq) -> Result<Vec<EventRow>, StoreError> {
    let sql = "select event_seq, order_seq, account_id, events.created_at_ms from events
        join orders using (order_seq) join accounts using (account_seq)
        where event_seq < :before order by event_seq desc limit :limit";
    reader.list(sql, named_params! {":before": before, ":limit": EVENTS_PER_SNAPSHOT}, |row| {
        Ok(EventRow {
            event_seq: row.get(0)?,
            order_seq: row.get(1)?,
            account_id: row.get(2)?,
            created_at_ms: row.get(3)?,
        })
    })
}
