//! Deliveries of a webhook: showing them and sending them again (docs/contract.md, Decision 10).

use actix_web::{HttpRequest, HttpResponse};

use super::hooks::{find_hook, hook_in_path};
use crate::app::{ReplayDeliveries, ReplayDelivery, ReplayRefused};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{HooksReader, HooksWriter, Sent, on_behalf_of, path_segment};
use crate::http::reply::{ok_json, read, read_page};
use crate::http::state::state;
use crate::json::{ObjectText, list_text};
use crate::store::{DeliveryRecord, HookRecord, Reader};
use crate::wire::hook_view::{render_delivery, render_whole_delivery};
use crate::wire::list_query::unknown_paging_token;
use crate::wire::{hook_list_query, hook_request};

/// `GET /hooks/subscriptions/{hid}/deliveries`: a page, newest first, as a bare array.
pub async fn list(
    HooksReader(actor): HooksReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = hook_list_query::delivery_list(request.query_string())?;
    let (account_id, hook_id) = (actor.account_id.clone(), hook_in_path(&request));
    read_page(state(&request)?, &actor, move |reader| {
        let hook = find_hook(reader, &account_id, &hook_id)?;
        let starting_after = match &asked.starting_after {
            Some(id) => {
                let found = reader.find_delivery(hook.hook_seq, id)?;
                Some(found.ok_or_else(unknown_paging_token)?.delivery_seq)
            }
            None => None,
        };
        let page = reader.list_deliveries(hook.hook_seq, starting_after, asked.limit)?;
        let total = asked.total.then(|| reader.count_deliveries(hook.hook_seq)).transpose()?;
        let texts: Vec<String> = page.iter().map(render_delivery).collect();
        Ok((list_text(&texts), total))
    })
    .await
}

/// `GET /hooks/subscriptions/{hid}/deliveries/{did}`: one, with its request and the last answer.
pub async fn show(
    HooksReader(actor): HooksReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (account_id, hook_id) = (actor.account_id.clone(), hook_in_path(&request));
    let id = delivery_in_path(&request);
    read(state(&request)?, &actor, move |reader| {
        let hook = find_hook(reader, &account_id, &hook_id)?;
        let delivery = find_delivery(reader, &hook, &id)?;
        Ok(render_whole_delivery(&hook, &delivery))
    })
    .await
}

/// `POST /hooks/subscriptions/{hid}/deliveries/{did}/replay`: sends it again; answers with it.
pub async fn replay(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    let state = state(&request)?;
    let (hook_id, delivery_id) = (hook_in_path(&request), delivery_in_path(&request));
    let on_behalf_of = on_behalf_of(&actor);
    let (id, hid) = (delivery_id.clone(), hook_id.clone());
    let command = ReplayDelivery { on_behalf_of, hook_id, delivery_id };
    let replayed = state.store.writer.write(command).await;
    replayed.map_err(|error| ApiError::from_write(error, refused))?;
    state.store.signal.note_hooks_changed();
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let hook = find_hook(reader, &account_id, &hid)?;
        let delivery = find_delivery(reader, &hook, &id)?;
        Ok(render_whole_delivery(&hook, &delivery))
    })
    .await
}

/// `POST /hooks/subscriptions/{hid}/replay`: sends the deliveries of a time range again;
/// answers with their number.
pub async fn replay_range(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let range = hook_request::parse_replay(&sent.body)?;
    let (on_behalf_of, hook_id) = (on_behalf_of(&actor), hook_in_path(&request));
    let replayed =
        state.store.writer.write(ReplayDeliveries { on_behalf_of, hook_id, range }).await;
    let replayed = replayed.map_err(|error| ApiError::from_write(error, refused))?;
    state.store.signal.note_hooks_changed();
    let count = i64::try_from(replayed).unwrap_or(i64::MAX);
    Ok(ok_json(ObjectText::default().integer("replayed", count).end()))
}

/// The id of the delivery in the path.
pub fn delivery_in_path(request: &HttpRequest) -> String {
    path_segment(request, "did").unwrap_or_default()
}

/// The delivery of an id, or a 404.
pub fn find_delivery(
    reader: &Reader<'_>,
    hook: &HookRecord,
    id: &str,
) -> Result<DeliveryRecord, ApiError> {
    let found = reader.find_delivery(hook.hook_seq, id)?;
    found.ok_or_else(|| ApiError::not_found("delivery"))
}

/// Explains why deliveries were not sent again.
pub fn refused(why: ReplayRefused) -> ApiError {
    match why {
        ReplayRefused::HookNotFound => ApiError::not_found("hook"),
        ReplayRefused::DeliveryNotFound => ApiError::not_found("delivery"),
        ReplayRefused::BodyDeleted => ApiError::new(
            Code::DeliveryExpired,
            "The body of this delivery was deleted, because it is older than seven days or more \
             than 10,000 newer ones followed. It cannot be sent again; read the order instead.",
        ),
    }
}
