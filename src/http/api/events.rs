//! An order's events.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::ApiError;
use super::super::extract::{OrderEventsReader, ok_json, order_in_path, state};
use super::event_view::{IncludeEvents, write_events};
use crate::json::ObjectText;

/// `GET /orders/{order_id}/events`: all events, oldest first, and what they come to.
pub async fn list(
    OrderEventsReader(actor): OrderEventsReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let name = order_in_path(&request)?;
    let found = state.store.read(move |reader| reader.find_order(&actor.account_id, &name)).await?;
    let order = found.ok_or_else(|| ApiError::not_found("order"))?;
    let mut object = ObjectText::default();
    write_events(&mut object, &state.links, &order, IncludeEvents::All);
    Ok(ok_json(object.end()))
}
