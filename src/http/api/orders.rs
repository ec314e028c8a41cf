//! Shows and lists orders of an account, a customer or a store.

use actix_web::{HttpRequest, HttpResponse};

use crate::app::WrittenOrder;
use crate::auth::access::Actor;
use crate::domain::ids::{AccountId, OrderName};
use crate::http::error::ApiError;
use crate::http::extract::{ShoppingReader, order_in_path, path_segment};
use crate::http::reply::{read, read_list};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::{AnswerName, Bodies, OrderPage, OrderRecord, Reader, ValueFilter};
use crate::wire::event_view::IncludeEvents;
use crate::wire::links::Links;
use crate::wire::list_query::{OrderListQuery, unknown_paging_token};
use crate::wire::{list_query, order_view};

/// Whose orders a path is about, if not the whole account's.
#[derive(Debug, Clone, Copy)]
pub enum View {
    Customer,
    Store,
}

/// A view with the id of the customer or store in a request's path.
struct Viewed {
    filter: ValueFilter,
    id: String,
}

/// `GET /orders/{order_id}`: one order with everything about it.
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let include = list_query::include_events(request.query_string())?;
    let (links, name) = (state.links.clone(), order_in_path(&request)?);
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let order = find_order(reader, &account_id, &name, include.bodies())?;
        Ok(order_view::render(&links, &order, include))
    })
    .await
}

/// `GET /customers/{customer_id}/orders/{order_id}` and the same for a store: an order, if it is
/// theirs.
pub async fn show_viewed(
    view: View,
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let include = list_query::include_events(request.query_string())?.without_api_events();
    let (viewed, name) = (view.of(&request)?, order_in_path(&request)?);
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    read(state, &actor, move |reader| {
        let found = reader.find_order_seq(&account_id, &name)?;
        let seq = found.ok_or_else(|| ApiError::not_found("order"))?;
        if !reader.has_order_value(seq, viewed.filter, &viewed.id)? {
            return Err(ApiError::not_found("order"));
        }
        let order = reader.load_order(&account_id, seq, include.bodies())?;
        Ok(order_view::render(&links, &order, include))
    })
    .await
}

/// `GET /orders`: a page of orders, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = list_query::order_list(request.query_string())?;
    answer_page(&request, &actor, asked).await
}

/// `GET /customers/{customer_id}/orders` and the same for a store: a page of theirs. API events are
/// never included (docs/contract.md, Facts 3).
pub async fn list_viewed(
    view: View,
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mut asked = list_query::order_list(request.query_string())?;
    let viewed = view.of(&request)?;
    asked.include_events = asked.include_events.without_api_events();
    let ids = asked.query.values.entry(viewed.filter).or_default();
    if !ids.is_empty() && !ids.contains(&viewed.id) {
        // The query asks only for other customers or stores than the path does.
        let total = asked.query.total.then_some(0);
        let none = || ObjectText::default().list("orders", &[]).end();
        return read_list(state(&request)?, &actor, move |_| Ok((none(), total))).await;
    }
    *ids = vec![viewed.id];
    answer_page(&request, &actor, asked).await
}

/// The order of a name, or a 404.
pub fn find_order(
    reader: &Reader<'_>,
    account_id: &AccountId,
    name: &OrderName,
    bodies: Bodies,
) -> Result<OrderRecord, ApiError> {
    let found = reader.find_order(account_id, name, bodies)?;
    found.ok_or_else(|| ApiError::not_found("order"))
}

/// Renders the order that the answer of a change names.
pub fn render_written(
    links: Links,
    account_id: AccountId,
    include: IncludeEvents,
) -> impl FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static {
    move |reader, name| {
        let order = reader.load_order(&account_id, name.order()?, include.bodies())?;
        Ok(order_view::render(&links, &order, include))
    }
}

/// The name of the answer to a change of an order.
pub fn name_written(written: &WrittenOrder) -> AnswerName {
    AnswerName::Order(written.order_seq)
}

async fn answer_page(
    request: &HttpRequest,
    actor: &Actor,
    mut asked: OrderListQuery,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = asked.include_events;
    asked.query.bodies = include.bodies();
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    read_list(state, actor, move |reader| {
        let page = load_order_page(reader, &account_id, asked)?;
        let orders = page.orders.iter().map(|order| order_view::render(&links, order, include));
        let orders: Vec<String> = orders.collect();
        Ok((ObjectText::default().list("orders", &orders).end(), page.total))
    })
    .await
}

fn load_order_page(
    reader: &Reader<'_>,
    account_id: &AccountId,
    asked: OrderListQuery,
) -> Result<OrderPage, ApiError> {
    let mut query = asked.query;
    if let Some(token) = asked.starting_after {
        let row = reader.find_order_seq(account_id, &token)?;
        query.starting_after = Some(row.ok_or_else(unknown_paging_token)?);
    }
    Ok(reader.list_orders(account_id, &query)?)
}

impl View {
    fn of(self, request: &HttpRequest) -> Result<Viewed, ApiError> {
        let (filter, segment) = match self {
            View::Customer => (ValueFilter::CustomerId, "customer_id"),
            View::Store => (ValueFilter::StoreId, "store_id"),
        };
        let id = path_segment(request, segment).ok_or_else(ApiError::no_such_path)?;
        Ok(Viewed { filter, id })
    }
}
