//! A payer's answer on the test page (docs/contract.md, Decision 11).

use super::OnBehalfOf;
use super::create_order_session::has_test_page;
use super::record_operation::{RecordOperation, RecordOperationRefused};
use super::session_steps::{self, Step};
use crate::domain::KeptJson;
use crate::domain::ids::SessionSeq;
use crate::domain::operation::{
    Operation, OperationItem, OperationItems, OperationKind, OperationRequest,
};
use crate::domain::order_session::{Outcome, SessionStatus};
use crate::domain::order_size::{EVENTS_WITH_OPERATIONS_MAX, TooLarge};
use crate::json::Tree;
use crate::store::{Failed, LedgerRecord, OrderSessionRecord, StoreError, Tx, WriteCommand};

/// Most events that one answer adds: two operations and the session's step.
const ANSWER_EVENTS_MAX: i64 = 3;

/// The `payment_product_type` of the test page's operations.
const PRODUCT: &str = "tillbook.test";

/// Records a payer's choice on the test page: the operations, the session's end and its step. A
/// session that has ended stays unchanged.
#[derive(Debug, Clone)]
pub struct AnswerCheckout {
    /// The secret part of the page's address.
    pub token: String,
    pub outcome: Outcome,
    /// True if accounts of real money may use the test page too.
    pub test_gateway: bool,
}

/// The outcome of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub session_seq: SessionSeq,
    /// True if the session had ended before, so that nothing was recorded now.
    pub had_ended: bool,
}

#[derive(Debug)]
pub enum AnswerCheckoutRefused {
    NotFound,
    /// The order does not accept the payment.
    Operation(RecordOperationRefused),
}

impl WriteCommand for AnswerCheckout {
    const NAME: &'static str = "answer_checkout";
    type Done = Answered;
    type Refused = AnswerCheckoutRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<Answered, Failed<AnswerCheckoutRefused>> {
        let found = tx.find_session_of_token(&self.token)?;
        let served = found.filter(|one| has_test_page(&one.account_id, self.test_gateway));
        let session = served.ok_or(Failed::Refused(AnswerCheckoutRefused::NotFound))?;
        let session_seq = session.session_seq;
        if session.status != SessionStatus::Open {
            return Ok(Answered { session_seq, had_ended: true });
        }
        match self.outcome {
            Outcome::Approve => drop(authorize(tx, &session, true)?),
            Outcome::Capture => approve_and_capture(tx, &session)?,
            Outcome::Decline => {
                let declined = authorize(tx, &session, false)?;
                session_steps::end(tx, &session, &session.created_by, Step::Failed(&declined))?;
            }
            Outcome::Hold => hold(tx, &session)?,
            Outcome::Cancel => {
                session_steps::end(tx, &session, &session.created_by, Step::Cancelled)?;
            }
        }
        Ok(Answered { session_seq, had_ended: false })
    }
}

/// Puts the payment on hold; a second press of the button changes nothing.
fn hold(tx: &Tx<'_>, session: &OrderSessionRecord) -> Result<(), StoreError> {
    if session.held_at.is_some() {
        return Ok(());
    }
    tx.hold_order_session(session.session_seq)?;
    session_steps::append(tx, session, &session.created_by, Step::OnHold)
}

/// Records the authorization. A successful one completes the session, which it names.
fn authorize(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
    success: bool,
) -> Result<Operation, Failed<AnswerCheckoutRefused>> {
    record(tx, session, OperationKind::Authorization, |request| OperationRequest {
        success,
        ..request
    })
}

/// Records the authorization and a capture of all of it. The capture draws on the amounts
/// that were just authorized, and the order's room for both events is checked first. So nothing can
/// refuse the capture.
fn approve_and_capture(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
) -> Result<(), Failed<AnswerCheckoutRefused>> {
    let order: LedgerRecord = session_steps::load_order(tx, session)?;
    if EVENTS_WITH_OPERATIONS_MAX < order.version + ANSWER_EVENTS_MAX {
        let why = RecordOperationRefused::TooLarge(TooLarge::Events);
        return Err(Failed::Refused(AnswerCheckoutRefused::Operation(why)));
    }
    let authorization = authorize(tx, session, true)?;
    let captured = record(tx, session, OperationKind::Capture, |request| OperationRequest {
        authorization_id: Some(authorization.id.clone()),
        ..request
    });
    match captured {
        Ok(_) => Ok(()),
        // Refusing now would keep the authorization; an error rolls it back.
        Err(Failed::Refused(why)) => {
            let why = format!("a capture was refused after its authorization: {why:?}");
            Err(Failed::Store(StoreError::inconsistent(why)))
        }
        Err(failed) => Err(failed),
    }
}

fn record(
    tx: &Tx<'_>,
    session: &OrderSessionRecord,
    kind: OperationKind,
    change: impl FnOnce(OperationRequest) -> OperationRequest,
) -> Result<Operation, Failed<AnswerCheckoutRefused>> {
    let items = session.items()?;
    let request = OperationRequest {
        kind,
        success: true,
        authorization_id: None,
        document: document(session, &items),
        items,
        session_id: Some(session.id.clone()),
    };
    let command = RecordOperation {
        on_behalf_of: OnBehalfOf {
            account_id: session.account_id.clone(),
            created_by: session.created_by.clone(),
        },
        order: session.order_id.clone(),
        request: change(request),
    };
    let recorded = command.run(tx).map_err(|why| why.map(AnswerCheckoutRefused::Operation))?;
    Ok(recorded.operation)
}

/// The document of an operation that the test page records.
fn document(session: &OrderSessionRecord, items: &OperationItems) -> KeptJson {
    let item = |item: &OperationItem| {
        Tree::object([
            ("line_id", Tree::integer(item.line_id.number())),
            ("amount", Tree::integer(item.amount.minor_units())),
        ])
    };
    let details = Tree::object([
        ("psp", Tree::text("tillbook-test")),
        ("payment_id", Tree::text(session.id.as_str())),
        ("payment_product", Tree::text("test")),
        ("payment_product_type", Tree::text(PRODUCT)),
    ]);
    let metadata = Tree::object([("session_id", Tree::text(session.id.as_str()))]);
    let document = Tree::object([
        ("items", Tree::List(items.as_slice().iter().map(item).collect())),
        ("processed_by", Tree::text("tillbook-test")),
        ("payment_details", details),
        ("metadata", metadata),
    ]);
    KeptJson(document.to_text())
}
