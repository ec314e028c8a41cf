//! The histories of orders: events, payment operations among them.
//!
//! An order's events are a linked list that starts at its ledger's `last_event_seq` and leads back,
//! so that appending one writes no index. Reading follows the list and reverses it.

use std::collections::HashMap;

use rusqlite::{named_params, params};
use serde::Deserialize;

use super::error::StoreError;
use super::event_rows::{Bodies, select_events};
use super::ledgers::LedgerRecord;
use super::order_head::NewHead;
use super::order_rows::OrderRows;
use super::row::Columns;
use super::tx::{Reader, Tx};
use crate::domain::event::EventState;
use crate::domain::ids::{CreatedBy, DraftSeq, EventSeq, LineId, OrderSeq};
use crate::domain::money::Amount;
use crate::domain::operation::{Operation, OperationItem, OperationKind};
use crate::domain::{KeptJson, Timestamp};

/// A stored event.
#[derive(Debug, Clone)]
pub struct EventRecord {
    pub seq: EventSeq,
    pub id: String,
    /// Position in its order's history, from 1.
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub body: EventBody,
}

#[derive(Debug, Clone)]
pub enum EventBody {
    Operation(Operation),
    Service(ServiceEvent),
    Api(ApiEvent),
}

/// A step that an external service reported.
#[derive(Debug, Clone)]
pub struct ServiceEvent {
    pub state: EventState,
    pub service: String,
    pub service_status: String,
    /// Everything else that was sent, a JSON object; `None` once erased.
    pub body: Option<KeptJson>,
}

/// A service's step that is to be appended.
#[derive(Debug, Clone)]
pub struct NewServiceEvent {
    pub state: EventState,
    pub service: String,
    pub service_status: String,
    pub body: KeptJson,
    pub body_sha256: [u8; 32],
}

/// A change that was made through the API.
#[derive(Debug, Clone)]
pub struct ApiEvent {
    pub method: String,
    pub path: String,
    /// The draft that made or changed the order.
    pub draft_id: Option<String>,
    /// The body of the request; `None` if it had no body or the body was erased.
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

/// Numbers of columns of [`select_events`] that only operations, API events and service events use.
const OPERATION_COLUMNS: usize = 5;
const API_COLUMNS: usize = 3;
const SERVICE_COLUMNS: usize = 3;

const INSERT_EVENT: &str = "insert into events
    (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms, created_by)
    values (:event_seq, :order_seq, :previous_seq, :version, :id, :kind, :now, :created_by)";

/// Its parameters are numbered, because looking each up by name is measurable in every capture.
pub(super) const INSERT_OPERATION: &str = "insert into events
    (event_seq, order_seq, previous_seq, version, id, kind, created_at_ms, created_by,
     operation_id, success, amount, authorization_id, document)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

impl Reader<'_> {
    /// The events of several orders by order row, unordered and unchecked: [`follow_events`] sorts
    /// them and checks that no event is missing.
    pub(super) fn list_events(
        &self,
        rows: &OrderRows,
        bodies: Bodies,
    ) -> Result<HashMap<OrderSeq, Vec<ListedEvent>>, StoreError> {
        self.list_by_order(select_events(bodies), rows, ListedEvent::bytes, |columns| {
            Ok(ListedEvent { previous_seq: columns.take()?, event: read_event(columns)? })
        })
    }

    /// The number that the next event of an order or a draft will get. A transaction reads it
    /// when it begins, and counts on from there.
    pub(super) fn load_next_event_seq(&self) -> Result<EventSeq, StoreError> {
        let sql = "select 1 + max(coalesce((select max(event_seq) from events), 0),
            coalesce((select max(draft_event_seq) from draft_events), 0))";
        self.find(sql, [], |row| row.get(0))?
            .ok_or_else(|| StoreError::inconsistent("an aggregate has no row"))
    }
}

/// An event with its link to the one before it.
pub(super) struct ListedEvent {
    previous_seq: Option<EventSeq>,
    event: EventRecord,
}

impl ListedEvent {
    /// The bytes of what the client sent.
    fn bytes(&self) -> usize {
        let body = |body: &Option<KeptJson>| body.as_ref().map_or(0, |body| body.0.len());
        match &self.event.body {
            EventBody::Operation(operation) => operation.document.0.len(),
            EventBody::Service(event) => body(&event.body),
            EventBody::Api(event) => body(&event.body),
        }
    }
}

/// Sorts an order's events, oldest first. An error if one is missing between the first and `last`.
pub(super) fn follow_events(
    mut listed: Vec<ListedEvent>,
    last: Option<EventSeq>,
) -> Result<Vec<EventRecord>, StoreError> {
    listed.sort_unstable_by_key(|one| one.event.seq);
    let mut before = None;
    for one in &listed {
        if one.previous_seq != before {
            return Err(StoreError::inconsistent("an event of a history is missing"));
        }
        before = Some(one.event.seq);
    }
    if before != last {
        return Err(StoreError::inconsistent("the last event of a history is missing"));
    }
    Ok(listed.into_iter().map(|one| one.event).collect())
}

impl Tx<'_> {
    /// Appends an operation under the seq and id that the decision used.
    pub fn append_operation(
        &self,
        order: &LedgerRecord,
        operation: &Operation,
    ) -> Result<NewHead, StoreError> {
        self.insert(
            INSERT_OPERATION,
            params![
                operation.seq,
                order.order_seq,
                order.last_event_seq,
                order.version + 1,
                self.randomness().uuid(),
                operation.kind.singular(),
                self.now(),
                operation.created_by,
                operation.id,
                operation.success,
                operation.amount,
                operation.authorization_id,
                operation.document,
            ],
        )?;
        self.note_appended(operation.seq);
        self.note_operation(order)?;
        Ok(NewHead { order_seq: order.order_seq, event_seq: operation.seq })
    }

    /// Appends a change that was made through the API.
    pub fn append_api_event(
        &self,
        order: &LedgerRecord,
        created_by: &CreatedBy,
        draft_seq: Option<DraftSeq>,
        event: &NewApiEvent,
    ) -> Result<NewHead, StoreError> {
        let event_seq = self.next_event_seq();
        let head = self.append_event(order, event_seq, "api", created_by)?;
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
        Ok(head)
    }

    /// Appends a step that a service reported.
    pub fn append_service_event(
        &self,
        order: &LedgerRecord,
        created_by: &CreatedBy,
        event: &NewServiceEvent,
    ) -> Result<NewHead, StoreError> {
        let event_seq = self.next_event_seq();
        let head = self.append_event(order, event_seq, "service", created_by)?;
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
        Ok(head)
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
    ) -> Result<NewHead, StoreError> {
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
        self.note_appended(event_seq);
        Ok(NewHead { order_seq: order.order_seq, event_seq })
    }
}

impl EventRecord {
    /// The operation, if this event records one.
    pub fn operation(&self) -> Option<&Operation> {
        match &self.body {
            EventBody::Operation(operation) => Some(operation),
            EventBody::Api(_) | EventBody::Service(_) => None,
        }
    }
}

pub(super) fn read_event(columns: &mut Columns<'_>) -> Result<EventRecord, StoreError> {
    let seq = columns.take()?;
    let version = columns.take()?;
    let id = columns.take()?;
    let created_at = columns.take()?;
    let created_by: CreatedBy = columns.take()?;
    let kind = columns.take_text()?;
    let body = match OperationKind::parse(kind) {
        Some(kind) => {
            let common = CommonColumns { seq, created_at, created_by: created_by.clone() };
            EventBody::Operation(read_operation(columns, kind, common)?)
        }
        None if kind == "service" => EventBody::Service(read_service_event(columns)?),
        None => EventBody::Api(read_api_event(columns)?),
    };
    Ok(EventRecord { seq, id, version, created_at, created_by, body })
}

/// The columns of all events that an operation also has as fields.
struct CommonColumns {
    seq: EventSeq,
    created_at: Timestamp,
    created_by: CreatedBy,
}

fn read_operation(
    columns: &mut Columns<'_>,
    kind: OperationKind,
    common: CommonColumns,
) -> Result<Operation, StoreError> {
    let CommonColumns { seq, created_at, created_by } = common;
    let id = columns.take()?;
    let success = columns.take()?;
    let amount = columns.take()?;
    let authorization_id = columns.take()?;
    let document: KeptJson = columns.take()?;
    let items = read_items(&document)
        .ok_or_else(|| StoreError::inconsistent("an operation's document has no items"))?;
    Ok(Operation {
        seq,
        kind,
        id,
        created_at,
        created_by,
        success,
        amount,
        authorization_id,
        items,
        document,
    })
}

fn read_api_event(columns: &mut Columns<'_>) -> rusqlite::Result<ApiEvent> {
    columns.skip(OPERATION_COLUMNS);
    let (method, path, draft_id) = (columns.take()?, columns.take()?, columns.take()?);
    columns.skip(SERVICE_COLUMNS);
    Ok(ApiEvent { method, path, draft_id, body: columns.take()? })
}

fn read_service_event(columns: &mut Columns<'_>) -> rusqlite::Result<ServiceEvent> {
    columns.skip(OPERATION_COLUMNS + API_COLUMNS);
    Ok(ServiceEvent {
        state: columns.take()?,
        service: columns.take()?,
        service_status: columns.take()?,
        body: columns.take()?,
    })
}

/// The lines in an operation's document; its other members are ignored.
#[derive(Deserialize)]
struct ItemsRow {
    items: Vec<ItemRow>,
}

#[derive(Deserialize)]
struct ItemRow {
    line_id: i64,
    amount: i64,
}

fn read_items(document: &KeptJson) -> Option<Vec<OperationItem>> {
    let row: ItemsRow = serde_json::from_str(&document.0).ok()?;
    row.items.iter().map(read_item).collect()
}

fn read_item(row: &ItemRow) -> Option<OperationItem> {
    Some(OperationItem { line_id: LineId::new(row.line_id)?, amount: Amount::new(row.amount)? })
}
