//! Drafts: made, read, listed, completed.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{ApiError, Code, Problem};
use super::super::extract::{
    BODY_BYTES_MAX, ORDER_BODY_BYTES_MAX, Sent, ShoppingReader, ShoppingWriter, ok_json,
    on_behalf_of, path_segment, state, write,
};
use super::event_view::IncludeEvents;
use super::orders::ok_list;
use super::query::{DraftListQuery, unknown_paging_token};
use super::{draft_request, draft_view, order_view, query};
use crate::app::{CompleteDraft, CompleteDraftRefused, CreateDraft, CreateDraftRefused};
use crate::domain::draft::CompletionRejected;
use crate::domain::ids::{AccountId, OrderName};
use crate::json::ObjectText;
use crate::store::{DraftPage, DraftRecord, OrderRecord, Reader};

/// `POST /draft_orders`: makes a draft.
pub async fn create(
    ShoppingWriter(actor): ShoppingWriter,
    request: HttpRequest,
    sent: Sent<ORDER_BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let draft = draft_request::parse(&sent.body)?;
    let command = CreateDraft { on_behalf_of: on_behalf_of(&actor), draft };
    let links = state.links.clone();
    let render = move |made: &DraftRecord| draft_view::render(&links, made);
    let refused = |why| match why {
        CreateDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CreateDraftRefused::Store(error) => error.into(),
    };
    write(state, sent.once(&actor, command, render), refused).await
}

/// `GET /draft_orders`: a page of drafts, newest first.
pub async fn list(
    ShoppingReader(actor): ShoppingReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let asked = query::draft_list(&request)?;
    let read = state.store.read(move |reader| load_page(reader, &actor.account_id, asked));
    let page = read.await?;
    let drafts = page.drafts.iter().map(|draft| draft_view::render(&state.links, draft));
    let drafts: Vec<String> = drafts.collect();
    Ok(ok_list("draft_orders", &drafts, page.total))
}

fn load_page(
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

/// `PUT /draft_orders/{id}/complete`: makes the draft an order.
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
    let render = move |order: &OrderRecord| {
        let order = order_view::render(&links, order, IncludeEvents::None);
        ObjectText::default().list("orders", &[order]).end()
    };
    write(state, sent.once(&actor, command, render), refused).await
}

fn draft_in_path(request: &HttpRequest) -> Result<String, ApiError> {
    path_segment(request, "id").ok_or_else(|| ApiError::not_found("draft"))
}

fn order_id_taken(name: &OrderName) -> ApiError {
    let message = format!("Another order is called {}; choose another order_id.", name.as_str());
    ApiError::new(Code::OrderIdTaken, message)
}

fn refused(why: CompleteDraftRefused) -> ApiError {
    match why {
        CompleteDraftRefused::DraftNotFound => ApiError::not_found("draft"),
        CompleteDraftRefused::OrderIdTaken(name) => order_id_taken(&name),
        CompleteDraftRefused::Rejected(CompletionRejected::Completed) => {
            ApiError::new(Code::DraftCompleted, "The draft has been completed already.")
        }
        CompleteDraftRefused::Rejected(CompletionRejected::Deleted) => {
            ApiError::new(Code::DraftDeleted, "The draft has been deleted; make a new one.")
        }
        CompleteDraftRefused::Rejected(CompletionRejected::NoItems) => {
            ApiError::invalid(vec![Problem::new(
                "/order/items",
                "empty",
                "The draft has no items, so there is nothing to order.",
            )])
        }
        CompleteDraftRefused::Rejected(CompletionRejected::NeedsSplitting) => {
            ApiError::invalid(vec![Problem::new(
                "/options/split_draft",
                "not_supported",
                "The items are of several stores, and one order per store is not served yet. \
                 Make the draft with options.split_draft false to get one order.",
            )])
        }
        CompleteDraftRefused::Store(error) => error.into(),
    }
}
