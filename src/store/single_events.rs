//! Reads single events.

use rusqlite::named_params;

use super::error::StoreError;
use super::events::{EventBody, EventRecord, read_event};
use super::row::Columns;
use super::tx::Reader;
use crate::domain::ids::EventSeq;
use crate::domain::operation::Operation;

const SELECT_EVENT: &str = "select events.event_seq, events.version, events.id,
        events.created_at_ms, events.created_by, kind,
        operation_id, success, amount, authorization_id, events.document,
        method, path, drafts.id,
        state, service, service_status,
        body
    from events
    left join api_events on api_events.event_seq = events.event_seq
    left join service_events on service_events.event_seq = events.event_seq
    left join drafts on drafts.draft_seq = api_events.draft_seq
    left join request_bodies on request_bodies.event_seq = events.event_seq
    where events.event_seq = :event_seq";

impl Reader<'_> {
    /// The event in row `event_seq`, which must exist.
    pub fn load_event(&self, event_seq: EventSeq) -> Result<EventRecord, StoreError> {
        let params = named_params! {":event_seq": event_seq};
        let found = self.find(SELECT_EVENT, params, |row| Ok(read_event(&mut Columns::of(row))));
        let gone = || StoreError::inconsistent(format!("no event is in row {}", event_seq.0));
        found?.ok_or_else(gone)?
    }

    /// The operation that event `event_seq` records.
    pub fn load_operation(&self, event_seq: EventSeq) -> Result<Operation, StoreError> {
        match self.load_event(event_seq)?.body {
            EventBody::Operation(operation) => Ok(operation),
            EventBody::Api(_) | EventBody::Service(_) => {
                Err(StoreError::inconsistent("this event is not an operation"))
            }
        }
    }
}
