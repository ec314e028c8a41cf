//! Orders: one, and lists of them.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{ApiError, Problem};
use super::super::extract::{ShoppingReader, ok_json, order_in_path, state};
use super::query::{OrderListQuery, unknown_paging_token};
use super::{order_view, query};
use crate::domain::ids::AccountId;
use crate::json::ObjectText;
use crate::store::{OrderPage, Reader};

/// `GET /orders/{order_id}`: one order with everything about it.
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let include = query::include_events(&request)?;
    let name = order_in_path(&request)?;
    let found = state.store.read(move |reader| reader.find_order(&actor.account_id, &name)).await?;
    let order = found.ok_or_else(|| ApiError::not_found("order"))?;
    Ok(ok_json(order_view::render(&state.links, &order, include)))
}

/// `GET /orders`: a page of orders, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = query::order_list(&request)?;
    let include = asked.include_events;
    let account_id = actor.account_id;
    let page = state.store.read(move |reader| load_page(reader, &account_id, asked)).await?;
    let orders: Vec<String> =
        page.orders.iter().map(|order| order_view::render(&state.links, order, include)).collect();
    let mut response = ok_json(ObjectText::default().list("orders", &orders).end());
    if let Some(total) = page.total {
        let name = actix_web::http::header::HeaderName::from_static("total-count");
        response.headers_mut().insert(name, total.into());
    }
    Ok(response)
}

fn load_page(
    reader: &Reader<'_>,
    account_id: &AccountId,
    asked: OrderListQuery,
) -> Result<OrderPage, ApiError> {
    let mut query = asked.query;
    if let Some(token) = asked.starting_after {
        let row = reader.find_order_seq(account_id, &token)?.ok_or_else(|| {
            let message = unknown_paging_token();
            ApiError::invalid(vec![Problem::new("starting_after", "bad_value", message)])
        })?;
        query.starting_after = Some(row);
    }
    Ok(reader.list_orders(account_id, &query)?)
}
