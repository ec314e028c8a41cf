//! Makes, shows, lists, changes and completes drafts.

use actix_web::{HttpRequest, HttpResponse};

use super::draft_refusals;
use crate::app::{ChangeDraft, CompleteDraft, CreateDraft, DraftChange};
use crate::auth::access::Actor;
use crate::domain::ids::{AccountId, LineId};
use crate::domain::item::Item;
use crate::http::edge::body::{BODY_BYTES_MAX, ORDER_BODY_BYTES_MAX};
use crate::http::error::ApiError;
use crate::http::extract::{Sent, ShoppingReader, ShoppingWriter, on_behalf_of, path_segment};
use crate::http::reply::{ok_json, ok_list, write};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::{DraftPage, DraftRecord, OrderRecord, Reader};
use crate::wire::event_view::IncludeEvents;
use crate::wire::list_query::{DraftListQuery, unknown_paging_token};
use crate::wire::problem::Problem;
use crate::wire::{draft_request, draft_view, list_query, order_view};

/// `POST /draft_orders`: makes a draft.
pub async fn create(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<ORDER_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    list_query::refuse_discounts(request.query_string())?;
    let draft = draft_request::parse(&sent.body)?;
    let command = CreateDraft { on_behalf_of: on_behalf_of(&actor), draft, event: sent.event() };
    let links = state.links.clone();
    let render = move |made: &DraftRecord| draft_view::render(&links, made);
    write(state, sent.once(&actor, command, render), draft_refusals::create_refused).await
}

/// `GET /draft_orders`: a page of drafts, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = list_query::draft_list(request.query_string())?;
    let read = state.store.read(move |reader| load_draft_page(reader, &actor.account_id, asked));
    let page = read.await?;
    let drafts = page.drafts.iter().map(|draft| draft_view::render(&state.links, draft));
    let drafts: Vec<String> = drafts.collect();
    Ok(ok_list("draft_orders", &drafts, page.total))
}

fn load_draft_page(
    reader: &Reader<'_>,
    account_id: &AccountId,
    asked: DraftListQuery,
) -> Result<DraftPage, ApiError> {
    let mut query = asked.query;
    if let Some(token) = asked.starting_after {
        let row = reader.find_draft_seq(account_id, &token)?;
        query.starting_after = Some(row.ok_or_else(unknown_paging_token)?);
    }
    Ok(reader.list_drafts(account_id, &query)?)
}

/// `GET /draft_orders/{id}`: one draft.
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let id = draft_in_path(&request)?;
    let found = state.store.read(move |reader| reader.find_draft(&actor.account_id, &id)).await?;
    let draft = found.ok_or_else(|| ApiError::not_found("draft"))?;
    Ok(ok_json(draft_view::render(&state.links, &draft)))
}

/// `PUT /draft_orders/{id}`: replaces the order's fields and merges the options.
pub async fn update(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<ORDER_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    list_query::refuse_discounts(request.query_string())?;
    let update = draft_request::parse_update(&sent.body)?;
    change(&actor, &request, &sent, DraftChange::Update(Box::new(update))).await
}

/// `DELETE /draft_orders/{id}`: marks it deleted.
pub async fn delete(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, &sent, DraftChange::Delete).await
}

/// `POST /draft_orders/{id}/items`: adds an item.
pub async fn add_item(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    list_query::refuse_discounts(request.query_string())?;
    let (item, is_numbered) = draft_request::parse_one_item(&sent.body)?;
    change(&actor, &request, &sent, DraftChange::AddItem { item, is_numbered }).await
}

/// `PUT /draft_orders/{id}/items/{line_id}`: replaces an item.
pub async fn replace_item(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    list_query::refuse_discounts(request.query_string())?;
    let (item, is_numbered) = draft_request::parse_one_item(&sent.body)?;
    let line_id = line_in_path(&request)?;
    if is_numbered && item.line_id != line_id {
        let message = "The path names another line; leave line_id out or send the path's.";
        return Err(ApiError::invalid(vec![Problem::new("/line_id", "bad_value", message)]));
    }
    change(&actor, &request, &sent, DraftChange::ReplaceItem(Item { line_id, ..item })).await
}

/// `DELETE /draft_orders/{id}/items/{line_id}`: removes an item.
pub async fn remove_item(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    list_query::refuse_discounts(request.query_string())?;
    sent.expect_object()?;
    change(&actor, &request, &sent, DraftChange::RemoveItem(line_in_path(&request)?)).await
}

async fn change<const BYTES_MAX: usize>(
    actor: &Actor,
    request: &HttpRequest,
    sent: &Sent<BYTES_MAX>,
    change: DraftChange,
) -> Result<HttpResponse, ApiError> {
    let state = state(request)?;
    let command = ChangeDraft {
        on_behalf_of: on_behalf_of(actor),
        draft_id: draft_in_path(request)?,
        change,
        event: sent.event(),
    };
    let links = state.links.clone();
    let render = move |draft: &DraftRecord| draft_view::render(&links, draft);
    write(state, sent.once(actor, command, render), draft_refusals::change_refused).await
}

/// `PUT /draft_orders/{id}/complete`: makes the draft's orders, or changes the order that it
/// names in `options.order_id`.
pub async fn complete(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    sent.expect_object()?;
    let command = CompleteDraft {
        on_behalf_of: on_behalf_of(&actor),
        draft_id: draft_in_path(&request)?,
        event: sent.event(),
    };
    let links = state.links.clone();
    let render = move |orders: &Vec<OrderRecord>| {
        let orders = orders.iter().map(|one| order_view::render(&links, one, IncludeEvents::None));
        ObjectText::default().list("orders", &orders.collect::<Vec<_>>()).end()
    };
    write(state, sent.once(&actor, command, render), draft_refusals::complete_refused).await
}

fn draft_in_path(request: &HttpRequest) -> Result<String, ApiError> {
    path_segment(request, "id").ok_or_else(|| ApiError::not_found("draft"))
}

fn line_in_path(request: &HttpRequest) -> Result<LineId, ApiError> {
    let segment = path_segment(request, "line_id");
    let number = segment.as_deref().and_then(|text| text.parse().ok());
    number.and_then(LineId::new).ok_or_else(|| ApiError::not_found("item"))
}
