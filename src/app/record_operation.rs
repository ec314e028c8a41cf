//! Recording a payment operation: the write that Tillbook exists for.

use super::OnBehalfOf;
use super::operation_payouts::with_payouts;
use super::session_steps;
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, OrderName, ResourceId};
use crate::domain::ledger::{ExceededLine, OperationRejected, ReferenceProblem, decide};
use crate::domain::money::Amount;
use crate::domain::operation::{Operation, OperationKind, OperationRequest};
use crate::domain::order_size::{
    EVENTS_WITH_OPERATIONS_MAX, TooLarge, UNCOUNTED_OPERATION_BYTES_MAX, counted_bytes,
};
use crate::sabotage::{self, Fault};
use crate::store::{Failed, LedgerRecord, StoreError, Tx, WriteCommand};

/// Records one authorization, capture, refund or cancellation of an order.
#[derive(Debug, Clone)]
pub struct RecordOperation {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub request: OperationRequest,
}

/// A recorded operation, with the names that its links need.
#[derive(Debug, Clone)]
pub struct RecordedOperation {
    pub account_id: AccountId,
    pub order_id: OrderName,
    pub operation: Operation,
}

#[derive(Debug)]
pub enum RecordOperationRefused {
    OrderNotFound,
    /// The request refers to something that this order does not have.
    References(Vec<ReferenceProblem>),
    OrderCancelled,
    OrderNotOpen,
    /// The sum of everything ever authorized or cancelled would exceed the range of exact numbers.
    SumOutOfRange,
    /// Some lines have less left than the request asks for.
    AmountsExceedRemaining(Vec<ExceededAmount>),
    TooLarge(TooLarge),
}

/// A line with less left than was asked for, and the operation that last changed it.
#[derive(Debug, Clone)]
pub struct ExceededAmount {
    pub line: ExceededLine,
    pub last_operation: Option<Operation>,
}

impl WriteCommand for RecordOperation {
    const NAME: &'static str = "record_operation";
    type Done = RecordedOperation;
    type Refused = RecordOperationRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<RecordedOperation, Failed<RecordOperationRefused>> {
        let account_id = &self.on_behalf_of.account_id;
        let found = tx.find_ledger(account_id, &self.order)?;
        let mut order = found.ok_or(Failed::Refused(RecordOperationRefused::OrderNotFound))?;
        if sabotage::is_on(Fault::DecideOutsideTransaction) {
            order.ledger = tx.load_committed_ledger(account_id, &self.order)?;
        }
        let seq = tx.next_event_seq();
        let id = ResourceId::parse(&tx.randomness().uuid()).expect("a UUID has 36 characters");
        let recording = match decide(&order.ledger, &self.request, &id, seq) {
            Ok(recording) => recording,
            Err(rejected) => return Err(Failed::Refused(explain(tx, rejected)?)),
        };
        let document = if recording.payouts.is_empty() {
            self.request.document.clone()
        } else {
            with_payouts(&self.request.document, &recording.payouts)
        };
        let bytes = bytes_after(tx, &order, &document)?;

        // Nothing is refused from here on.
        let operation = Operation {
            seq,
            kind: self.request.kind,
            id,
            created_at: tx.now(),
            created_by: self.on_behalf_of.created_by.clone(),
            success: self.request.success,
            amount: self.request.items.total(),
            authorization_id: recording.authorization_id,
            items: self.request.items.as_slice().to_vec(),
            document,
        };
        let head = tx.append_operation(&order, &operation)?;
        if let Some(bytes) = bytes {
            tx.remember_order_bytes(&order, &head, bytes)?;
        }
        tx.update_ledger(&order, &recording.ledger, head)?;
        if let Some(session_id) = &self.request.session_id
            && completes_a_session(&operation)
        {
            session_steps::complete_named(tx, &order, session_id, &operation)?;
        }
        Ok(recorded(self, order, operation))
    }
}

/// The bytes of the order after an operation with this document; `None` if the operation does not
/// change them. An ordinary operation reads nothing for this.
fn bytes_after(
    tx: &Tx<'_>,
    order: &LedgerRecord,
    KeptJson(document): &KeptJson,
) -> Result<Option<i64>, Failed<RecordOperationRefused>> {
    if order.version < EVENTS_WITH_OPERATIONS_MAX && document.len() <= UNCOUNTED_OPERATION_BYTES_MAX
    {
        return Ok(None);
    }
    let grown = tx.load_order_size(order)?.grow_by_operation(counted_bytes(document));
    grown.map(Some).map_err(|why| Failed::Refused(RecordOperationRefused::TooLarge(why)))
}

/// True for an operation that takes or reserves the payer's money; one of amount 0 does neither.
fn completes_a_session(operation: &Operation) -> bool {
    let pays = matches!(operation.kind, OperationKind::Authorization | OperationKind::Capture);
    operation.success && pays && operation.amount != Amount::ZERO
}

fn recorded(
    command: &RecordOperation,
    order: LedgerRecord,
    operation: Operation,
) -> RecordedOperation {
    let account_id = command.on_behalf_of.account_id.clone();
    RecordedOperation { account_id, order_id: order.order_id, operation }
}

/// Adds to a refusal the operations that the decision names only by `EventSeq`, since it reads no
/// rows.
fn explain(tx: &Tx<'_>, rejected: OperationRejected) -> Result<RecordOperationRefused, StoreError> {
    Ok(match rejected {
        OperationRejected::References(problems) => RecordOperationRefused::References(problems),
        OperationRejected::OrderCancelled => RecordOperationRefused::OrderCancelled,
        OperationRejected::OrderNotOpen => RecordOperationRefused::OrderNotOpen,
        OperationRejected::SumOutOfRange => RecordOperationRefused::SumOutOfRange,
        OperationRejected::AmountsExceedRemaining(lines) => {
            RecordOperationRefused::AmountsExceedRemaining(explain_exceeded(tx, lines)?)
        }
    })
}

/// The lines of a refusal, each with the operation that last changed it.
pub(super) fn explain_exceeded(
    tx: &Tx<'_>,
    lines: Vec<ExceededLine>,
) -> Result<Vec<ExceededAmount>, StoreError> {
    lines.into_iter().map(|line| exceeded(tx, line)).collect()
}

fn exceeded(tx: &Tx<'_>, line: ExceededLine) -> Result<ExceededAmount, StoreError> {
    let last_operation = line.last_moved_by.map(|seq| tx.load_operation(seq)).transpose()?;
    Ok(ExceededAmount { line, last_operation })
}
