//! The steps of an order session in its order's history (docs/contract.md, Decision 11).

use super::callback_options::CallbackOptions;
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::event::EventState;
use crate::domain::ids::{CreatedBy, EventSeq, ResourceId};
use crate::domain::money::Amount;
use crate::domain::operation::Operation;
use crate::domain::order_session::SessionStatus;
use crate::json::Tree;
use crate::store::{LedgerRecord, NewServiceEvent, OrderSessionRecord, StoreError, Tx};

/// The name of the service in the events of a session's steps.
const SERVICE: &str = "session";

/// A step of a session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Created,
    OnHold,
    /// Completed by this operation.
    Completed(&'a Operation),
    /// Failed with this operation.
    Failed(&'a Operation),
    Cancelled,
    Expired,
}

impl Step<'_> {
    fn word(self) -> &'static str {
        match self {
            Step::Created => "created",
            Step::OnHold => "on_hold",
            Step::Completed(_) => "completed",
            Step::Failed(_) => "failed",
            Step::Cancelled => "cancelled",
            Step::Expired => "expired",
        }
    }

    /// A session that ended without a payment is a failure.
    fn state(self) -> EventState {
        match self {
            Step::Created | Step::OnHold => EventState::Pending,
            Step::Completed(_) => EventState::Success,
            Step::Failed(_) | Step::Cancelled | Step::Expired => EventState::Failure,
        }
    }

    fn operation(&self) -> Option<&Operation> {
        match self {
            Step::Completed(operation) | Step::Failed(operation) => Some(operation),
            Step::Created | Step::OnHold | Step::Cancelled | Step::Expired => None,
        }
    }
}

/// The event of a session's step.
pub(super) fn event(
    step: Step<'_>,
    session_id: &ResourceId,
    amount: Amount,
    currency: &str,
) -> NewServiceEvent {
    let mut metadata = vec![
        ("session_id".to_owned(), Tree::text(session_id.as_str())),
        ("amount".to_owned(), Tree::integer(amount.minor_units())),
        ("currency".to_owned(), Tree::text(currency)),
    ];
    if let Some(operation) = step.operation() {
        metadata.push(("operation_id".to_owned(), Tree::text(operation.id.as_str())));
    }
    let body = Tree::object([("metadata", Tree::Object(metadata))]).to_text();
    NewServiceEvent {
        state: step.state(),
        service: SERVICE.to_owned(),
        service_status: step.word().to_owned(),
        body_sha256: sha256(body.as_bytes()),
        body: KeptJson(body),
    }
}

/// Appends the step of a stored session to its order. It is never refused for the order's size: a
/// session has at most three steps, and making it was refused if the order was full.
pub(super) fn append(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
    created_by: &CreatedBy,
    step: Step<'_>,
) -> Result<(), StoreError> {
    let order = load_order(tx, session)?;
    let event = event(step, &session.id, session.amount, order.currency.code());
    let head = tx.append_service_event(&order, created_by, &event)?;
    tx.update_last_event(head)
}

/// Ends an open session, appends that step to its order, and plans its callback.
pub(super) fn end(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
    created_by: &CreatedBy,
    step: Step<'_>,
) -> Result<(), StoreError> {
    let (status, transaction): (SessionStatus, Option<EventSeq>) = match step {
        Step::Completed(operation) => (SessionStatus::Completed, Some(operation.seq)),
        Step::Failed(_) => (SessionStatus::Failed, None),
        Step::Cancelled => (SessionStatus::Cancelled, None),
        Step::Expired => (SessionStatus::Expired, None),
        Step::Created | Step::OnHold => return Err(StoreError::other("no step ends a session")),
    };
    tx.end_order_session(session.session_seq, status, transaction)?;
    append(tx, session, created_by, step)?;
    plan_callback(tx, session, status)
}

/// Plans the callback of a session that has ended with this status, if the merchant asked for one.
fn plan_callback(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
    status: SessionStatus,
) -> Result<(), StoreError> {
    let asked = CallbackOptions::of(session);
    let is_told =
        |asked: &CallbackOptions| status == SessionStatus::Completed || asked.reports_errors;
    if let Some(asked) = asked.filter(is_told) {
        tx.insert_callback(session.session_seq, asked.delay_ms)?;
    }
    Ok(())
}

/// Completes the session that a recorded operation names, if it is an open one of that order.
pub(super) fn complete_named(
    tx: &Tx<'_>,
    order: &LedgerRecord,
    session_id: &ResourceId,
    operation: &Operation,
) -> Result<(), StoreError> {
    match tx.find_order_session(order.order_seq, session_id)? {
        Some(session) if session.status == SessionStatus::Open => {
            end(tx, &session, &operation.created_by, Step::Completed(operation))
        }
        _ => Ok(()),
    }
}

/// The ledger of a session's order, as earlier writes of this transaction have left it.
pub(super) fn load_order(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
) -> Result<LedgerRecord, StoreError> {
    tx.load_stored_ledger(session.order_seq)
}
