//! Reads the session, order and shop that the test page shows.

use super::payer::not_found;
use crate::clock::local;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::EventSeq;
use crate::domain::item::Item;
use crate::domain::ledger::Ledger;
use crate::domain::operation::OperationItem;
use crate::domain::order_session::{SessionItem, SessionItems, SessionRejected, decide_session};
use crate::http::error::ApiError;
use crate::store::{AccountRecord, OrderSessionRecord, Reader, StoreError};

/// What a payer is told when an outcome was refused and the order now has no obstacle.
pub const NOT_RECORDED: &str =
    "This payment could not be recorded on the order. Go back to the shop.";

/// A session, its order as far as a payer may see it, and its shop.
pub struct SessionRead {
    pub session: OrderSessionRecord,
    pub items: Vec<OperationItem>,
    pub order_items: Vec<Item>,
    pub currency: Currency,
    pub account: AccountRecord,
    /// Why an open session cannot be paid at the moment, as a sentence; empty if it can.
    pub obstacle: String,
}

/// Reads the session of a page's secret.
pub fn load(reader: &Reader<'_>, token: &str) -> Result<SessionRead, ApiError> {
    let session = reader.find_session_of_token(token)?.ok_or_else(not_found)?;
    let gone = |what| StoreError::inconsistent(format!("the {what} of a session is missing"));
    let account = reader.find_account(&session.account_id)?.ok_or_else(|| gone("account"))?;
    let order = reader.find_ledger(&session.account_id, &session.order_id)?;
    let order = order.ok_or_else(|| gone("order"))?;
    let items = session.items()?.as_slice().to_vec();
    let order_items = reader.load_order_fields(session.order_seq)?.items;
    let currency = order.currency;
    let obstacle = obstacle(reader, &order.ledger, &items, (&currency, &account.time_zone))?;
    Ok(SessionRead { session, items, order_items, currency, account, obstacle })
}

impl SessionRead {
    /// A time in the shop's time zone.
    pub fn local(&self, at: Timestamp) -> String {
        local(at, &self.account.time_zone)
    }
}

fn obstacle(
    reader: &Reader<'_>,
    ledger: &Ledger,
    items: &[OperationItem],
    (currency, time_zone): (&Currency, &str),
) -> Result<String, StoreError> {
    let whole =
        |item: &OperationItem| SessionItem { line_id: item.line_id, amount: Some(item.amount) };
    let items = SessionItems::new(items.iter().map(whole).collect());
    let items = items.ok_or_else(|| StoreError::inconsistent("a session has no items"))?;
    match decide_session(ledger, &items) {
        Ok(_) => Ok(String::new()),
        Err(SessionRejected::AmountsExceedRemaining(lines)) => {
            let last = lines.iter().filter_map(|line| line.last_moved_by).max();
            paid_by(reader, last, (currency, time_zone))
        }
        Err(SessionRejected::OrderNotOpen) => {
            Ok("The shop has closed this order, so it cannot be paid.".to_owned())
        }
        Err(SessionRejected::References(_) | SessionRejected::TotalOutOfRange) => {
            Ok("The shop has changed this order, so it cannot be paid here.".to_owned())
        }
    }
}

/// A sentence about the operation that took the amounts that the session asks for.
fn paid_by(
    reader: &Reader<'_>,
    last: Option<EventSeq>,
    (currency, time_zone): (&Currency, &str),
) -> Result<String, StoreError> {
    let Some(seq) = last else {
        return Ok("Less is left to pay on this order than this page asks for.".to_owned());
    };
    let operation = reader.load_operation(seq)?;
    let amount = currency.display(operation.amount.minor_units().into());
    let when = local(operation.created_at, time_zone);
    Ok(format!("Another payment of this order was made on {when}, over {amount}."))
}
