//! Shows and lists orders of an account, a customer or a store.

use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::AccountId;
use crate::http::error::ApiError;
use crate::http::extract::{ShoppingReader, order_in_path, path_segment};
use crate::http::reply::{ok_json, ok_list};
use crate::http::state::state;
use crate::store::{OrderPage, OrderRecord, Reader, StoreError, ValueFilter};
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
    let order = load_order(&request, actor.account_id).await?;
    Ok(ok_json(order_view::render(&state.links, &order, include)))
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
    let read = state.store.read(move |reader| {
        let Some(seq) = reader.find_order_seq(&actor.account_id, &name)? else { return Ok(None) };
        let theirs = reader.has_order_value(seq, viewed.filter, &viewed.id)?;
        theirs.then(|| reader.load_order(&actor.account_id, seq)).transpose()
    });
    let found: Result<Option<OrderRecord>, StoreError> = read.await;
    let order = found?.ok_or_else(|| ApiError::not_found("order"))?;
    Ok(ok_json(order_view::render(&state.links, &order, include)))
}

/// `GET /orders`: a page of orders, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = list_query::order_list(request.query_string())?;
    answer_page(&request, actor.account_id, asked).await
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
        return Ok(ok_list("orders", &[], asked.query.total.then_some(0)));
    }
    *ids = vec![viewed.id];
    answer_page(&request, actor.account_id, asked).await
}

/// The order in the path, with everything about it.
pub async fn load_order(
    request: &HttpRequest,
    account_id: AccountId,
) -> Result<OrderRecord, ApiError> {
    let name = order_in_path(request)?;
    let read = state(request)?.store.read(move |reader| reader.find_order(&account_id, &name));
    read.await?.ok_or_else(|| ApiError::not_found("order"))
}

async fn answer_page(
    request: &HttpRequest,
    account_id: AccountId,
    asked: OrderListQuery,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let include = asked.include_events;
    let read = state.store.read(move |reader| load_order_page(reader, &account_id, asked));
    let page = read.await?;
    let orders = page.orders.iter().map(|order| order_view::render(&state.links, order, include));
    let orders: Vec<String> = orders.collect();
    Ok(ok_list("orders", &orders, page.total))
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
