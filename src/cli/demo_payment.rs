//! The link on which the demo's visitor pays an order, as a customer would.

use super::error::CliError;
use crate::app::{CompleteDraft, CreateDraft, CreateOrderSession, OnBehalfOf};
use crate::domain::ids::OrderName;
use crate::domain::order_session::SessionStatus;
use crate::http::AppState;
use crate::json::Tree;
use crate::store::{Checkout, NewApiEvent, OrderQuery, OrderRecord, OrderSessionRecord};
use crate::store::{StoreError, WriteCommand};
use crate::wire::session_view::checkout_url;
use crate::wire::{draft_request, session_request};

/// How many of the latest orders are searched for one that nobody has paid.
const ORDERS_LOOKED_AT: u32 = 100;

/// An order that is to be paid, and the page where it is.
pub struct DemoPayment {
    pub order_id: OrderName,
    pub url: String,
}

/// Finds an unpaid order, or makes one, and a session in which it can be paid.
pub fn make_payment(state: &AppState, on_behalf_of: &OnBehalfOf) -> Result<DemoPayment, CliError> {
    let order = match find_unpaid(state, on_behalf_of)? {
        Some(order) => order.order_id,
        None => make_order(state, on_behalf_of)?,
    };
    let return_url = format!("{}/demo/return", state.links.public_url());
    let session = match find_session(state, on_behalf_of, &order, &return_url)? {
        Some(session) => session,
        None => make_session(state, on_behalf_of, &order, &return_url)?,
    };
    Ok(DemoPayment { order_id: order, url: checkout_url(&state.links, &session) })
}

/// The newest order without operations, of which one line can be paid.
fn find_unpaid(
    state: &AppState,
    on_behalf_of: &OnBehalfOf,
) -> Result<Option<OrderRecord>, StoreError> {
    let query = OrderQuery {
        statuses: vec![crate::domain::order::OrderStatus::Open],
        limit: ORDERS_LOOKED_AT,
        ..OrderQuery::default()
    };
    let account_id = &on_behalf_of.account_id;
    let page = state.store.read_blocking(|reader| reader.list_orders(account_id, &query))?;
    let is_unpaid = |order: &OrderRecord| {
        order.events.iter().all(|event| event.operation().is_none())
            && order.ledger.lines.iter().all(|line| 0 < line.payable().minor_units())
    };
    Ok(page.orders.into_iter().find(is_unpaid))
}

/// A session of the order on the test page that leads back to this server.
fn find_session(
    state: &AppState,
    on_behalf_of: &OnBehalfOf,
    order: &OrderName,
    return_url: &str,
) -> Result<Option<OrderSessionRecord>, StoreError> {
    let account_id = &on_behalf_of.account_id;
    let sessions = state.store.read_blocking(|reader| {
        let order_seq = reader.find_order_seq(account_id, order)?;
        order_seq.map_or(Ok(Vec::new()), |order_seq| reader.list_order_sessions(order_seq))
    })?;
    let quoted = Tree::text(return_url).to_string();
    let is_usable = |session: &OrderSessionRecord| {
        session.status == SessionStatus::Open
            && matches!(session.checkout, Checkout::TestPage { .. })
            && session.document.0.contains(&quoted)
    };
    Ok(sessions.into_iter().rev().find(is_usable))
}

fn make_session(
    state: &AppState,
    on_behalf_of: &OnBehalfOf,
    order: &OrderName,
    return_url: &str,
) -> Result<OrderSessionRecord, CliError> {
    let account_id = &on_behalf_of.account_id;
    let found = state.store.read_blocking(|reader| reader.find_ledger(account_id, order))?;
    let lines = found.map(|found| found.ledger.lines).unwrap_or_default();
    let item = |number: i64| Tree::object([("line_id", Tree::integer(number))]);
    let items = lines.iter().map(|line| item(line.line_id().number())).collect();
    let body = Tree::object([
        ("items", Tree::List(items)),
        ("profile_id", Tree::text("demo")),
        ("url", Tree::object([("return_url", Tree::text(return_url))])),
    ]);
    let request = session_request::parse(body).map_err(|problems| not_made(&problems))?;
    let command = CreateOrderSession {
        on_behalf_of: on_behalf_of.clone(),
        order: order.clone(),
        request,
        test_gateway: state.test_gateway,
    };
    let session_seq = write(state, command)?;
    Ok(state.store.read_blocking(|reader| reader.load_order_session(session_seq))?)
}

/// Makes an order, for a shop in which every order is paid.
fn make_order(state: &AppState, on_behalf_of: &OnBehalfOf) -> Result<OrderName, CliError> {
    let item = Tree::object([
        ("id", Tree::text("mug")),
        ("description", Tree::text("Krus, steintøy")),
        ("quantity", Tree::integer(2)),
        ("gross_amount", Tree::integer(49_800)),
    ]);
    let order = Tree::object([("currency", Tree::text("NOK")), ("items", Tree::List(vec![item]))]);
    let draft = draft_request::parse(&Tree::object([("order", order)]));
    let draft = draft.map_err(|problems| not_made(&problems))?;
    let path = format!("/v1/accounts/{}/shopping/draft_orders", on_behalf_of.account_id);
    let event = |method, path| NewApiEvent { method, path, body: None, body_sha256: None };
    let command = CreateDraft {
        on_behalf_of: on_behalf_of.clone(),
        draft,
        event: event("POST", path.clone()),
    };
    let made = write(state, command)?;
    let command = CompleteDraft {
        on_behalf_of: on_behalf_of.clone(),
        event: event("PUT", format!("{path}/{}/complete", made.id)),
        draft_id: made.id,
    };
    let completed = write(state, command)?.orders.into_iter().next();
    let completed = completed.map(|order| order.order_id);
    completed.ok_or_else(|| not_made(&"a completed draft made no order"))
}

fn write<C: WriteCommand>(state: &AppState, command: C) -> Result<C::Done, CliError>
where
    C::Refused: std::fmt::Debug,
{
    state.store.writer.write_blocking(command).map_err(|error| not_made(&error))
}

fn not_made(why: &impl std::fmt::Debug) -> CliError {
    CliError::DatabaseFailed(format!("the demo's payment could not be made: {why:?}"))
}
