//! What happened to orders: events, and the payment operations among them.
//!
//! An order's events are a list from its ledger's `last_event_seq` back, so that appending one
//! writes no index. Reading them follows the list and turns it round.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::ledgers::LedgerRecord;
use super::tx::{Reader, Tx};
use crate::domain::event::EventState;
use crate::domain::ids::{CreatedBy, EventSeq, LineId};
use crate::domain::money::Amount;
use crate::domain::operation::{Operation, OperationItem, OperationKind};
use crate::domain::{KeptJson, Timestamp};
use crate::json::{self, Tree};

/// An event as it stands in the book.
#[derive(Debug, Clone)]
pub struct EventRecord {
    pub seq: EventSeq,
    pub id: String,
    /// The how-manieth event of its order, from 1.
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub body: EventBody,
}

/// What an event is about.
#[derive(Debug, Clone)]
pub enum EventBody {
    Operation(Operation),
    Service(ServiceEvent),
    Api(ApiEvent),
}

/// A step that a service says it has taken.
#[derive(Debug, Clone)]
pub struct ServiceEvent {
    pub state: EventState,
    pub service: String,
    pub service_status: String,
    /// What else was said, an object; `None` once it was erased.
    pub body: Option<KeptJson>,
}

/// A step of a service that is to be appended.
#[derive(Debug, Clone)]
pub struct NewServiceEvent {
    pub state: EventState,
    pub service: String,
    pub service_status: String,
    pub body: KeptJson,
    pub body_sha256: [u8; 32],
}

/// A change through the API.
#[derive(Debug, Clone)]
pub struct ApiEvent {
    pub method: String,
    pub path: String,
    /// The draft that made the order.
    pub draft_id: Option<String>,
    /// The request's body, unless there was none or it was erased.
    pub body: Option<KeptJson>,
}

/// A change through the API that is to be appended.
#[derive(Debug, Clone)]
pub struct NewApiEvent {
    pub method: &'static str,
    pub path: String,
    pub body: Option<KeptJson>,
    pub body_sha256: Option<[u8; 32]>,
}

const SELECT_EVENT: &str =
    "select events.event_seq, previous_seq, events.version, events.id as event_id,
        kind, events.created_at_ms, events.created_by, operations.id as operation_id, success,
        amount, authorization_id, operations.document, method, path, drafts.id as draft_id,
        state, service, service_status, body
    from events
    left join operations on operations.event_seq = events.event_seq
    left join api_events on api_events.event_seq = events.event_seq
    left join service_events on service_events.event_seq = events.event_seq
    left join drafts on drafts.draft_seq = api_events.draft_seq
    left join request_bodies on request_bodies.event_seq = events.event_seq
    where events.event_seq = :event_seq";

pub(super) const NEXT_EVENT_SEQ: &str = "select coalesce(max(event_seq), 0) + 1 from events";

pub(super) const INSERT_EVENT: &str = "insert into events
    (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms, created_by)
    values (:event_seq, :order_seq, :previous_seq, :version, :id, :kind, :now, :created_by)";

pub(super) const INSERT_OPERATION: &str = "insert into operations
    (event_seq, id, success, amount, authorization_id, document)
    values (:event_seq, :id, :success, :amount, :authorization_id, :document)";

impl Reader<'_> {
    /// The events of the list that ends with `last`, oldest first.
    pub fn list_events(&self, last: Option<EventSeq>) -> Result<Vec<EventRecord>, StoreError> {
        let mut events = Vec::new();
        let mut next = last;
        while let Some(event_seq) = next {
            let (event, previous) = self.load_event(event_seq)?;
            // A list that does not go back would never end.
            if previous.is_some_and(|previous| event_seq <= previous) {
                return Err(StoreError::inconsistent("an event comes before its previous one"));
            }
            events.push(event);
            next = previous;
        }
        events.reverse();
        Ok(events)
    }

    /// The operation that an event is.
    pub fn load_operation(&self, event_seq: EventSeq) -> Result<Operation, StoreError> {
        match self.load_event(event_seq)?.0.body {
            EventBody::Operation(operation) => Ok(operation),
            EventBody::Api(_) | EventBody::Service(_) => {
                Err(StoreError::inconsistent("this event is no operation"))
            }
        }
    }

    /// The seq that the next event will have.
    pub fn load_next_event_seq(&self) -> Result<EventSeq, StoreError> {
        self.find(NEXT_EVENT_SEQ, [], |row| row.get(0))?
            .ok_or_else(|| StoreError::inconsistent("an aggregate has no row"))
    }

    fn load_event(
        &self,
        event_seq: EventSeq,
    ) -> Result<(EventRecord, Option<EventSeq>), StoreError> {
        let params = named_params! {":event_seq": event_seq};
        let found = self.find(SELECT_EVENT, params, |row| Ok(read_event(row)))?;
        found.ok_or_else(|| StoreError::inconsistent("an event in a list is not there"))?
    }
}

impl Tx<'_> {
    /// Appends an operation and its event, which have the seq and the id that were decided about.
    pub fn append_operation(
        &self,
        order: &LedgerRecord,
        operation: &Operation,
    ) -> Result<(), StoreError> {
        let kind = operation.kind.singular();
        self.append_event(order, operation.seq, kind, &operation.created_by)?;
        self.insert(
            INSERT_OPERATION,
            named_params! {
                ":event_seq": operation.seq,
                ":id": operation.id,
                ":success": operation.success,
                ":amount": operation.amount,
                ":authorization_id": operation.authorization_id,
                ":document": operation.document,
            },
        )?;
        Ok(())
    }

    /// Appends a change through the API; its seq.
    pub fn append_api_event(
        &self,
        order: &LedgerRecord,
        created_by: &CreatedBy,
        draft_seq: Option<i64>,
        event: &NewApiEvent,
    ) -> Result<EventSeq, StoreError> {
        let event_seq = self.load_next_event_seq()?;
        self.append_event(order, event_seq, "api", created_by)?;
        let sql = "insert into api_events (event_seq, method, path, draft_seq, body_sha256)
                   values (:event_seq, :method, :path, :draft_seq, :body_sha256)";
        self.insert(
            sql,
            named_params! {
                ":event_seq": event_seq,
                ":method": event.method,
                ":path": event.path,
                ":draft_seq": draft_seq,
                ":body_sha256": event.body_sha256,
            },
        )?;
        if let Some(body) = &event.body {
            self.insert_request_body(event_seq, body)?;
        }
        Ok(event_seq)
    }

    /// Appends a step that a service says it has taken; its seq.
    pub fn append_service_event(
        &self,
        order: &LedgerRecord,
        created_by: &CreatedBy,
        event: &NewServiceEvent,
    ) -> Result<EventSeq, StoreError> {
        let event_seq = self.load_next_event_seq()?;
        self.append_event(order, event_seq, "service", created_by)?;
        let sql = "insert into service_events
            (event_seq, state, service, service_status, body_sha256)
            values (:event_seq, :state, :service, :service_status, :body_sha256)";
        self.insert(
            sql,
            named_params! {
                ":event_seq": event_seq,
                ":state": event.state,
                ":service": event.service,
                ":service_status": event.service_status,
                ":body_sha256": event.body_sha256,
            },
        )?;
        self.insert_request_body(event_seq, &event.body)?;
        Ok(event_seq)
    }

    fn insert_request_body(&self, event_seq: EventSeq, body: &KeptJson) -> Result<(), StoreError> {
        let sql = "insert into request_bodies (event_seq, body) values (:event_seq, :body)";
        self.insert(sql, named_params! {":event_seq": event_seq, ":body": body})?;
        Ok(())
    }

    fn append_event(
        &self,
        order: &LedgerRecord,
        event_seq: EventSeq,
        kind: &str,
        created_by: &CreatedBy,
    ) -> Result<(), StoreError> {
        self.insert(
            INSERT_EVENT,
            named_params! {
                ":event_seq": event_seq,
                ":order_seq": order.order_seq,
                ":previous_seq": order.last_event_seq,
                ":version": order.version + 1,
                ":id": self.randomness().uuid(),
                ":kind": kind,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?;
        Ok(())
    }
}

impl EventRecord {
    /// The operation, if this event is one.
    pub fn operation(&self) -> Option<&Operation> {
        match &self.body {
            EventBody::Operation(operation) => Some(operation),
            EventBody::Api(_) | EventBody::Service(_) => None,
        }
    }
}

fn read_event(row: &Row<'_>) -> Result<(EventRecord, Option<EventSeq>), StoreError> {
    let kind: String = row.get("kind")?;
    let body = match OperationKind::parse(&kind) {
        Some(kind) => EventBody::Operation(read_operation(row, kind)?),
        None if kind == "service" => EventBody::Service(ServiceEvent {
            state: row.get("state")?,
            service: row.get("service")?,
            service_status: row.get("service_status")?,
            body: row.get("body")?,
        }),
        None => EventBody::Api(ApiEvent {
            method: row.get("method")?,
            path: row.get("path")?,
            draft_id: row.get("draft_id")?,
            body: row.get("body")?,
        }),
    };
    let event = EventRecord {
        seq: row.get("event_seq")?,
        id: row.get("event_id")?,
        version: row.get("version")?,
        created_at: row.get("created_at_ms")?,
        created_by: row.get("created_by")?,
        body,
    };
    Ok((event, row.get("previous_seq")?))
}

fn read_operation(row: &Row<'_>, kind: OperationKind) -> Result<Operation, StoreError> {
    let document: KeptJson = row.get("document")?;
    let items = read_items(&document)
        .ok_or_else(|| StoreError::inconsistent("an operation's document has no items"))?;
    Ok(Operation {
        seq: row.get("event_seq")?,
        kind,
        id: row.get("operation_id")?,
        created_at: row.get("created_at_ms")?,
        created_by: row.get("created_by")?,
        success: row.get("success")?,
        amount: row.get("amount")?,
        authorization_id: row.get("authorization_id")?,
        items,
        document,
    })
}

fn read_items(document: &KeptJson) -> Option<Vec<OperationItem>> {
    let tree = json::parse(document.0.as_bytes()).ok()?;
    tree.member("items")?.elements().iter().map(read_item).collect()
}

fn read_item(item: &Tree) -> Option<OperationItem> {
    let line_id = LineId::new(item.member("line_id")?.as_integer()?)?;
    let amount = Amount::new(item.member("amount")?.as_integer()?)?;
    Some(OperationItem { line_id, amount })
}
