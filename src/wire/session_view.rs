//! Renders an order session (docs/contract.md, Decision 11).

use super::links::{Links, link_list};
use super::return_address::return_address;
use crate::clock::rfc3339;
use crate::json::ObjectText;
use crate::store::{Checkout, OrderSessionRecord, SessionCallback, StoreError};

/// The session's JSON text.
pub fn render(
    links: &Links,
    session: &OrderSessionRecord,
    callback: Option<&SessionCallback>,
) -> String {
    let (account_id, order_id) = (&session.account_id, &session.order_id);
    let itself = links.session(account_id, order_id, &session.id);
    let checkout = checkout_url(links, session);
    let mut object = ObjectText::default();
    object
        .text("id", session.id.as_str())
        .text("status", session.status.as_str())
        .integer("amount", session.amount.minor_units())
        .text("created_at", &rfc3339(session.created_at))
        .text("created_by", &session.created_by.0)
        .text("expires_at", &rfc3339(session.expires_at))
        .text("url", &checkout);
    if let Some(at) = session.held_at {
        object.text("held_at", &rfc3339(at));
    }
    if let Some(at) = session.ended_at {
        object.text("ended_at", &rfc3339(at));
    }
    let mut all = vec![
        ("self", itself.clone()),
        ("session", itself),
        ("order", links.order(account_id, order_id)),
        ("session-checkout", checkout),
    ];
    if let Some(transaction) = &session.transaction {
        object.text("transaction_id", transaction.id.as_str());
        let link = links.operation(account_id, order_id, transaction.kind, &transaction.id);
        all.push(("transaction", link));
    }
    if let Some(callback) = callback {
        object.json("callback", &callback_text(callback));
    }
    object.members_of(&session.document.0).json("_links", &link_list(&all)).end()
}

/// How far the call of `callback_url` is.
fn callback_text(callback: &SessionCallback) -> String {
    let mut object = ObjectText::default();
    object.text("state", callback.state.as_str()).integer("tries", callback.tries);
    if let Some(at) = callback.next_at {
        object.text("next_at", &rfc3339(at));
    }
    if let Some(at) = callback.tried_at {
        object.text("tried_at", &rfc3339(at));
    }
    if let Some(status) = callback.status {
        object.integer("status", status);
    }
    if let Some(error) = &callback.error {
        object.text("error", error);
    }
    object.end()
}

/// The JSON text for a script that answers on the test page, without anything about the customer.
pub fn render_outcome(session: &OrderSessionRecord) -> Result<String, StoreError> {
    let mut object = ObjectText::default();
    object
        .text("session_id", session.id.as_str())
        .text("status", session.status.as_str())
        .text("return_url", &return_address(session)?);
    if let Some(transaction) = &session.transaction {
        object.text("transaction_id", transaction.id.as_str());
    }
    Ok(object.end())
}

/// The address of the page on which a session is paid.
pub fn checkout_url(links: &Links, session: &OrderSessionRecord) -> String {
    match &session.checkout {
        Checkout::TestPage { token } => links.test_page(token),
        Checkout::Own { url } => url.clone(),
    }
}
