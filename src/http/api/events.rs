//! Lists an order's events, and adds those of services.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::load_order;
use crate::app::{AddServiceEvent, AddServiceEventRefused};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::ApiError;
use crate::http::extract::{
    OrderEventsReader, OrderEventsWriter, Sent, on_behalf_of, order_in_path,
};
use crate::http::order_size::order_too_large;
use crate::http::reply::{ok_json, write};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::OrderRecord;
use crate::wire::event_view::{self, IncludeEvents, write_events};
use crate::wire::service_event_request;

/// `GET /orders/{order_id}/events`: all events, oldest first, and their overall state.
pub async fn list(
    OrderEventsReader(actor): OrderEventsReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let order = load_order(&request, actor.account_id).await?;
    let mut object = ObjectText::default();
    write_events(&mut object, &state.links, &order, IncludeEvents::All);
    Ok(ok_json(object.end()))
}

/// `POST /orders/{order_id}/events`: adds a service's event; answers with the event.
pub async fn create(
    OrderEventsWriter(actor): OrderEventsWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let event = service_event_request::parse(&sent.body)?;
    let order = order_in_path(&request)?;
    let command = AddServiceEvent { on_behalf_of: on_behalf_of(&actor), order, event };
    let links = state.links.clone();
    let render = move |order: &OrderRecord| {
        let added = order.events.last();
        added.map(|event| event_view::render(&links, order, event)).unwrap_or_default()
    };
    write(state, sent.once(&actor, command, render), refused).await
}

fn refused(why: AddServiceEventRefused) -> ApiError {
    match why {
        AddServiceEventRefused::OrderNotFound => ApiError::not_found("order"),
        AddServiceEventRefused::TooLarge(why) => order_too_large(why),
    }
}
