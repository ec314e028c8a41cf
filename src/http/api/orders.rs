//! Shows and lists orders of an account, a customer or a store.

use actix_web::{HttpRequest, HttpResponse};

use crate::app::WrittenOrder;
use crate::auth::access::Actor;
use crate::domain::ids::{AccountId, OrderName, OrderSeq};
use crate::http::error::ApiError;
use crate::http::extract::{ShoppingReader, order_in_path, path_segment};
use crate::http::list_answer::{self, ListPage};
use crate::http::reply::read;
use crate::http::state::state;
use crate::store::{AnswerName, Bodies, OrderRecord, Reader, ValueFilter};
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
        return Ok(list_answer::answer_without_objects::<OrderList>(total));
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

/// Refuses to show an order that has expired since a request.
pub fn expect_order(reader: &Reader<'_>, order_seq: OrderSeq) -> Result<(), ApiError> {
    match reader.find_order_end(order_seq)? {
        Some(_) => Err(ApiError::expired("order")),
        None => Ok(()),
    }
}

/// Renders the order that the answer of a change names.
pub fn render_written(
    links: Links,
    account_id: AccountId,
    include: IncludeEvents,
) -> impl FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static {
    move |reader, name| {
        let order_seq = name.order()?;
        expect_order(reader, order_seq)?;
        let order = reader.load_order(&account_id, order_seq, include.bodies())?;
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
    asked.query.bodies = asked.include_events.bodies();
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    list_answer::answer(state, actor, OrderList { links, account_id, asked }).await
}

/// A page of orders.
struct OrderList {
    links: Links,
    account_id: AccountId,
    asked: OrderListQuery,
}

impl ListPage for OrderList {
    type Row = OrderSeq;

    const NAME: &'static str = "orders";

    fn find(&self, reader: &Reader<'_>) -> Result<(Vec<OrderSeq>, Option<i64>), ApiError> {
        let mut query = self.asked.query.clone();
        if let Some(token) = &self.asked.starting_after {
            let row = reader.find_order_seq(&self.account_id, token)?;
            query.starting_after = Some(row.ok_or_else(unknown_paging_token)?);
        }
        Ok(reader.list_order_seqs(&self.account_id, &query)?)
    }

    fn render_within(
        &self,
        reader: &Reader<'_>,
        rows: &[OrderSeq],
        bytes_max: usize,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let bodies = self.asked.query.bodies;
        let found = reader.load_orders_within(&self.account_id, rows, bodies, bytes_max)?;
        let render = |order| order_view::render(&self.links, &order, self.asked.include_events);
        Ok(found.map(|orders| orders.into_iter().map(render).collect()))
    }

    fn render(&self, reader: &Reader<'_>, row: &OrderSeq) -> Result<String, ApiError> {
        let bodies = self.asked.query.bodies;
        let order = reader.load_orders(&self.account_id, &[*row], bodies)?.pop();
        let render = |order| order_view::render(&self.links, &order, self.asked.include_events);
        Ok(order.map(render).unwrap_or_default())
    }
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
