//! Making an order session (docs/contract.md, Decision 11).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::OnBehalfOf;
use super::record_operation::{ExceededAmount, explain_exceeded};
use super::session_steps::{self, Step};
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, OrderName, ResourceId, SessionSeq};
use crate::domain::ledger::ReferenceProblem;
use crate::domain::operation::{OperationItem, OperationItems};
use crate::domain::order_session::{
    OPEN_SESSIONS_MAX, SessionItems, SessionRejected, decide_session,
};
use crate::domain::order_size::{TooLarge, bytes_of};
use crate::json::Tree;
use crate::store::{Checkout, Failed, NewOrderSession, StoreError, Tx, WriteCommand};

/// The placeholder of the session's id in the address of a merchant's payment page.
pub const SESSION_ID_PLACE: &str = "{session_id}";

/// Makes a session in which a payer can pay lines of an order. It reserves nothing.
#[derive(Debug, Clone)]
pub struct CreateOrderSession {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub request: SessionRequest,
    /// True if accounts of real money may use the test page too.
    pub test_gateway: bool,
}

/// A session that a client asks for.
#[derive(Debug, Clone)]
pub struct SessionRequest {
    pub items: SessionItems,
    /// The document that the client sent, without computed fields. Its `items` are in the same
    /// order.
    pub document: Tree,
}

#[derive(Debug)]
pub enum CreateOrderSessionRefused {
    OrderNotFound,
    /// The request refers to something that this order does not have.
    References(Vec<ReferenceProblem>),
    /// The amounts add up to less than 1 or to too much.
    TotalOutOfRange,
    /// The account has no payment page.
    NoCheckout,
    OrderNotOpen,
    AmountsExceedRemaining(Vec<ExceededAmount>),
    /// The order has [`OPEN_SESSIONS_MAX`] open sessions.
    TooManySessions,
    TooLarge(TooLarge),
}

impl WriteCommand for CreateOrderSession {
    const NAME: &'static str = "create_order_session";
    type Done = SessionSeq;
    type Refused = CreateOrderSessionRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<SessionSeq, Failed<CreateOrderSessionRefused>> {
        use CreateOrderSessionRefused as Refused;
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let order = found.ok_or(Failed::Refused(Refused::OrderNotFound))?;
        let id = ResourceId::parse(&tx.randomness().uuid()).expect("a UUID has 36 characters");
        let checkout = self.checkout(tx, &id)?;
        let decided = decide_session(&order.ledger, &self.request.items);
        let (items, checkout) = match (decided, checkout) {
            (Ok(items), Some(checkout)) => (items, checkout),
            (Err(rejected), checkout) => {
                let has_page = checkout.is_some();
                return Err(Failed::Refused(explain(tx, rejected, has_page)?));
            }
            (Ok(_), None) => return Err(Failed::Refused(Refused::NoCheckout)),
        };
        if OPEN_SESSIONS_MAX <= tx.count_open_sessions(order.order_seq)? {
            return Err(Failed::Refused(Refused::TooManySessions));
        }
        let amount = items.total();
        let document = self.request.document_with(&items);
        let step = session_steps::event(Step::Created, &id, amount, order.currency.code());
        let grown = tx.load_order_size(&order)?.grow(step.bytes() + bytes_of(&document.0));
        let bytes = grown.map_err(|why| Failed::Refused(Refused::TooLarge(why)))?;

        // Nothing is refused from here on.
        let session_seq = tx.insert_order_session(&NewOrderSession {
            order_seq: order.order_seq,
            id,
            checkout,
            amount,
            document,
            created_by: created_by.clone(),
        })?;
        let head = tx.append_service_event(&order, created_by, &step)?;
        tx.remember_order_bytes(&order, &head, bytes)?;
        tx.update_last_event(head)?;
        Ok(session_seq)
    }
}

impl CreateOrderSession {
    /// The page on which the session is paid; `None` if the account has no page. A page that the
    /// merchant has named is preferred to the test page.
    fn checkout(&self, tx: &Tx<'_>, id: &ResourceId) -> Result<Option<Checkout>, StoreError> {
        let account_id = &self.on_behalf_of.account_id;
        let account = tx.find_account(account_id)?;
        if let Some(page) = account.and_then(|account| account.checkout_url) {
            return Ok(Some(Checkout::Own { url: page.replace(SESSION_ID_PLACE, id.as_str()) }));
        }
        let token = || BASE64_URL_SAFE_NO_PAD.encode(tx.randomness().bytes::<16>());
        let has_test_page = has_test_page(account_id, self.test_gateway);
        Ok(has_test_page.then(|| Checkout::TestPage { token: token() }))
    }
}

/// True if sessions of an account can be paid on the test page.
pub(super) fn has_test_page(account_id: &AccountId, test_gateway: bool) -> bool {
    test_gateway || account_id.is_test()
}

impl SessionRequest {
    /// The address to call when the session ends, as sent.
    pub fn callback_url(&self) -> Option<&str> {
        self.document.member("urls")?.member("callback_url")?.as_text()
    }

    /// The document with the amount of every item.
    fn document_with(&self, items: &OperationItems) -> KeptJson {
        let sent = self.document.member("items").map(Tree::elements).unwrap_or_default();
        let fill = |(sent, item): (&Tree, &OperationItem)| {
            let line_id = item.line_id.number().to_string();
            let amount = Tree::integer(item.amount.minor_units());
            sent.clone().with("line_id", Tree::text(line_id)).with("amount", amount)
        };
        let filled = sent.iter().zip(items.as_slice()).map(fill).collect();
        KeptJson(self.document.clone().with("items", Tree::List(filled)).to_text())
    }
}

/// Why a session is refused. Problems of the request that no state of the order could mend come
/// first, then a missing payment page.
fn explain(
    tx: &Tx<'_>,
    rejected: SessionRejected,
    has_page: bool,
) -> Result<CreateOrderSessionRefused, StoreError> {
    use CreateOrderSessionRefused as Refused;
    Ok(match rejected {
        SessionRejected::References(problems) => Refused::References(problems),
        SessionRejected::TotalOutOfRange => Refused::TotalOutOfRange,
        SessionRejected::OrderNotOpen | SessionRejected::AmountsExceedRemaining(_) if !has_page => {
            Refused::NoCheckout
        }
        SessionRejected::OrderNotOpen => Refused::OrderNotOpen,
        SessionRejected::AmountsExceedRemaining(lines) => {
            Refused::AmountsExceedRemaining(explain_exceeded(tx, lines)?)
        }
    })
}
