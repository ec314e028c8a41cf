//! The bytes of orders, which bound how far an order may grow (docs/contract.md, Decision 3).
//!
//! What counts: the order's documents and those of its items, comments and sessions; the payout
//! rules of its lines; the paths, services and bodies of its API and service events; the documents
//! of payment operations that are longer than [`UNCOUNTED_OPERATION_BYTES_MAX`].
//!
//! The writer remembers the bytes of orders with long histories, so that it counts only the events
//! since then. These sizes are tied to an event's random id, so a size from a transaction
//! that was rolled back is never used.

use rusqlite::named_params;

use super::error::StoreError;
use super::events::{NewApiEvent, NewServiceEvent};
use super::known_sizes::KnownSize;
use super::ledgers::LedgerRecord;
use super::order_head::NewHead;
use super::tx::{Reader, Tx};
use crate::domain::KeptJson;
use crate::domain::ids::{EventSeq, OrderSeq};
use crate::domain::order_size::{Size, UNCOUNTED_OPERATION_BYTES_MAX, bytes_of};

/// The bytes of an order are remembered if it has at least this many events. A shorter history is
/// counted at every change.
const REMEMBERED_EVENTS_MIN: i64 = 50;

/// The bytes of the events after `:after_seq`, newest first. `octet_length` needs only the header
/// of a row, so this reads no long document.
const COUNT_EVENTS: &str = "with recursive found (event_seq, previous_seq) as (
        select event_seq, previous_seq from events
        where event_seq = :last_seq and :after_seq < event_seq
        union all
        select events.event_seq, events.previous_seq
        from found
        cross join events on events.event_seq = found.previous_seq
        where events.event_seq < found.event_seq and :after_seq < events.event_seq)
    select coalesce(sum(
            iif(:uncounted_max < octet_length(events.document), octet_length(events.document), 0)
            + coalesce(octet_length(path), 0)
            + coalesce(octet_length(service) + octet_length(service_status), 0)
            + coalesce(octet_length(body), 0)), 0)
    from found
    cross join events on events.event_seq = found.event_seq
    left join api_events on api_events.event_seq = iif(kind = 'api', found.event_seq, null)
    left join service_events
        on service_events.event_seq = iif(kind = 'service', found.event_seq, null)
    left join request_bodies
        on request_bodies.event_seq = iif(kind = 'api' or kind = 'service', found.event_seq, null)";

const COUNT_DOCUMENTS: &str = "select
        (select octet_length(document) + octet_length(options_document)
            from order_documents where order_seq = :order_seq)
        + (select coalesce(sum(octet_length(document) + coalesce(octet_length(payout_rule), 0)), 0)
            from order_items where order_seq = :order_seq)
        + (select coalesce(sum(octet_length(document)), 0)
            from order_comments where order_seq = :order_seq)
        + (select coalesce(sum(octet_length(document)), 0)
            from order_sessions where order_seq = :order_seq)";

impl NewApiEvent {
    /// The bytes that the event adds to its order.
    pub fn bytes(&self) -> i64 {
        bytes_of(&self.path) + self.body.as_ref().map_or(0, |KeptJson(body)| bytes_of(body))
    }
}

impl NewServiceEvent {
    /// The bytes that the event adds to its order.
    pub fn bytes(&self) -> i64 {
        bytes_of(&self.service) + bytes_of(&self.service_status) + bytes_of(&self.body.0)
    }
}

impl Tx<'_> {
    /// The size of an order before a change.
    pub fn load_order_size(&self, order: &LedgerRecord) -> Result<Size, StoreError> {
        let known = self.known_sizes().find(order.order_seq);
        let bytes = match known {
            Some(KnownSize { event_seq, event_id, bytes })
                if self.find_event_id(event_seq)?.as_ref() == Some(&event_id) =>
            {
                bytes + self.count_events(order, event_seq)?
            }
            _ => self.count_documents(order.order_seq)? + self.count_events(order, EventSeq(0))?,
        };
        Ok(Size { events: order.version, bytes })
    }

    /// Remembers the bytes of an order after a change whose event is `head`.
    pub fn remember_order_bytes(
        &self,
        order: &LedgerRecord,
        head: &NewHead,
        bytes: i64,
    ) -> Result<(), StoreError> {
        if order.version < REMEMBERED_EVENTS_MIN {
            return Ok(());
        }
        let event_seq = head.event_seq();
        let Some(event_id) = self.find_event_id(event_seq)? else { return Ok(()) };
        let known = KnownSize { event_seq, event_id, bytes };
        self.known_sizes().remember(order.order_seq, known);
        Ok(())
    }
}

impl Reader<'_> {
    /// The bytes of an event's request body; 0 without a body.
    pub fn load_body_bytes(&self, event_seq: EventSeq) -> Result<i64, StoreError> {
        let sql = "select octet_length(body) from request_bodies where event_seq = :event_seq";
        let found = self.find(sql, named_params! {":event_seq": event_seq}, |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }

    /// The bytes of an order's events after `after_seq`.
    fn count_events(&self, order: &LedgerRecord, after_seq: EventSeq) -> Result<i64, StoreError> {
        let uncounted_max = i64::try_from(UNCOUNTED_OPERATION_BYTES_MAX);
        let params = named_params! {
            ":last_seq": order.last_event_seq,
            ":after_seq": after_seq,
            ":uncounted_max": uncounted_max.map_err(StoreError::other)?,
        };
        self.find(COUNT_EVENTS, params, |row| row.get(0))?.ok_or_else(no_row)
    }

    fn count_documents(&self, order_seq: OrderSeq) -> Result<i64, StoreError> {
        let params = named_params! {":order_seq": order_seq};
        self.find(COUNT_DOCUMENTS, params, |row| row.get(0))?.ok_or_else(no_row)
    }

    fn find_event_id(&self, event_seq: EventSeq) -> Result<Option<String>, StoreError> {
        let sql = "select id from events where event_seq = :event_seq";
        self.find(sql, named_params! {":event_seq": event_seq}, |row| row.get(0))
    }
}

fn no_row() -> StoreError {
    StoreError::inconsistent("an aggregate has no row")
}
