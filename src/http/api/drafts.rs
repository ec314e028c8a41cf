//! Makes, shows, lists, changes and completes drafts.

use actix_web::{HttpRequest, HttpResponse};

use super::draft_refusals;
use crate::app::{
    ChangeDraft, CompleteDraft, CompletedDraft, CreateDraft, DraftChange, ParsedItem, WrittenDraft,
};
use crate::auth::access::Actor;
use crate::domain::ids::{AccountId, DraftSeq, LineId};
use crate::domain::item::Item;
use crate::http::edge::body::{BODY_BYTES_MAX, ORDER_BODY_BYTES_MAX};
use crate::http::error::ApiError;
use crate::http::extract::{Sent, ShoppingReader, ShoppingWriter, on_behalf_of, path_segment};
use crate::http::list_answer::{self, ListPage};
use crate::http::reply::{read, write_and_read};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::{AnswerName, Bodies, Reader};
use crate::wire::event_view::IncludeEvents;
use crate::wire::links::Links;
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
    let (sent, draft) = sent.parse(draft_request::parse).await?;
    let command = CreateDraft { on_behalf_of: on_behalf_of(&actor), draft, event: sent.event() };
    let command = sent.once(&actor, command, name_draft);
    let render = render_draft(state.links.clone(), actor.account_id.clone());
    write_and_read(state, &actor, command, draft_refusals::create_refused, render).await
}

/// `GET /draft_orders`: a page of drafts, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = list_query::draft_list(request.query_string())?;
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    list_answer::answer(state, &actor, DraftList { links, account_id, asked }).await
}

/// A page of drafts.
struct DraftList {
    links: Links,
    account_id: AccountId,
    asked: DraftListQuery,
}

impl ListPage for DraftList {
    type Row = DraftSeq;

    const NAME: &'static str = "draft_orders";

    fn find(&self, reader: &Reader<'_>) -> Result<(Vec<DraftSeq>, Option<i64>), ApiError> {
        let mut query = self.asked.query.clone();
        if let Some(token) = &self.asked.starting_after {
            let row = reader.find_draft_seq(&self.account_id, token)?;
            query.starting_after = Some(row.ok_or_else(unknown_paging_token)?);
        }
        Ok(reader.list_draft_seqs(&self.account_id, &query)?)
    }

    fn render(&self, reader: &Reader<'_>, row: &DraftSeq) -> Result<String, ApiError> {
        let draft = reader.load_draft(&self.account_id, *row)?;
        Ok(draft_view::render(&self.links, &draft))
    }
}

/// `GET /draft_orders/{id}`: one draft.
pub async fn show(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let id = draft_in_path(&request)?;
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    read(state, &actor, move |reader| {
        let found = reader.find_draft(&account_id, &id)?;
        let draft = found.ok_or_else(|| ApiError::not_found("draft"))?;
        Ok(draft_view::render(&links, &draft))
    })
    .await
}

/// `PUT /draft_orders/{id}`: replaces the order's fields and merges the options.
pub async fn update(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<ORDER_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    list_query::refuse_discounts(request.query_string())?;
    let (sent, update) = sent.parse(draft_request::parse_update).await?;
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
    let (ParsedItem { item, document }, is_numbered) = draft_request::parse_one_item(&sent.body)?;
    let line_id = line_in_path(&request)?;
    if is_numbered && item.line_id != line_id {
        let message = "The path names another line; leave line_id out or send the path's.";
        return Err(ApiError::invalid(vec![Problem::new("/line_id", "bad_value", message)]));
    }
    let item = ParsedItem { item: Item { line_id, ..item }, document };
    change(&actor, &request, &sent, DraftChange::ReplaceItem(item)).await
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
    let command = sent.once(actor, command, name_draft);
    let render = render_draft(state.links.clone(), actor.account_id.clone());
    write_and_read(state, actor, command, draft_refusals::change_refused, render).await
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
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    let render = move |reader: &Reader<'_>, name: &AnswerName| {
        let order_seqs = match name {
            AnswerName::Orders(order_seqs) => order_seqs.clone(),
            // A stored name of one order reads as this variant.
            AnswerName::Order(order_seq) => vec![*order_seq],
            name => reader.list_orders_of_draft(name.draft()?)?,
        };
        let mut present = Vec::with_capacity(order_seqs.len());
        for order_seq in &order_seqs {
            if reader.find_order_end(*order_seq)?.is_none() {
                present.push(*order_seq);
            }
        }
        if present.is_empty() {
            return Err(ApiError::expired("order"));
        }
        let orders = reader.load_orders(&account_id, &present, Bodies::LeaveOut)?;
        let orders = orders.iter().map(|one| order_view::render(&links, one, IncludeEvents::None));
        Ok(ObjectText::default().list("orders", &orders.collect::<Vec<_>>()).end())
    };
    let name = |completed: &CompletedDraft| AnswerName::Draft(completed.draft_seq);
    let command = sent.once(&actor, command, name);
    write_and_read(state, &actor, command, draft_refusals::complete_refused, render).await
}

fn name_draft(draft: &WrittenDraft) -> AnswerName {
    AnswerName::Draft(draft.draft_seq)
}

/// Renders the draft that the answer of a change names.
fn render_draft(
    links: Links,
    account_id: AccountId,
) -> impl FnOnce(&Reader<'_>, &AnswerName) -> Result<String, ApiError> + Send + 'static {
    move |reader, name| {
        let draft_seq = name.draft()?;
        if reader.find_draft_end(draft_seq)?.is_some() {
            return Err(ApiError::expired("draft"));
        }
        let draft = reader.load_draft(&account_id, draft_seq)?;
        Ok(draft_view::render(&links, &draft))
    }
}

fn draft_in_path(request: &HttpRequest) -> Result<String, ApiError> {
    path_segment(request, "id").ok_or_else(|| ApiError::not_found("draft"))
}

fn line_in_path(request: &HttpRequest) -> Result<LineId, ApiError> {
    let segment = path_segment(request, "line_id");
    let number = segment.as_deref().and_then(|text| text.parse().ok());
    number.and_then(LineId::new).ok_or_else(|| ApiError::not_found("item"))
}
