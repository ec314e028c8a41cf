//! Lists an order's events, and adds those of services.

use actix_web::{HttpRequest, HttpResponse};

use super::orders::find_order;
use crate::app::{AddServiceEvent, AddServiceEventRefused};
use crate::domain::ids::EventSeq;
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::ApiError;
use crate::http::extract::{
    OrderEventsReader, OrderEventsWriter, Sent, on_behalf_of, order_in_path,
};
use crate::http::order_size::order_too_large;
use crate::http::reply::{read, write_and_read};
use crate::http::state::state;
use crate::json::ObjectText;
use crate::store::{AnswerName, Bodies, LedgerRecord, Reader};
use crate::wire::event_view::{self, EventOrder, IncludeEvents, write_events};
use crate::wire::service_event_request;

/// `GET /orders/{order_id}/events`: all events, oldest first, and their overall state.
pub async fn list(
    OrderEventsReader(actor): OrderEventsReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (links, name) = (state.links.clone(), order_in_path(&request)?);
    let account_id = actor.account_id.clone();
    read(state, &actor, move |reader| {
        let order = find_order(reader, &account_id, &name, Bodies::Read)?;
        let mut object = ObjectText::default();
        write_events(&mut object, &links, &order, IncludeEvents::All);
        Ok(object.end())
    })
    .await
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
    let on_behalf_of = on_behalf_of(&actor);
    let command = AddServiceEvent { on_behalf_of, order: order.clone(), event };
    let (links, account_id) = (state.links.clone(), actor.account_id.clone());
    let render = move |reader: &Reader<'_>, name: &AnswerName| {
        let event = reader.load_event(name.event()?)?;
        let found = reader.find_ledger(&account_id, &order)?;
        let LedgerRecord { order_id, currency, .. } =
            found.ok_or_else(|| ApiError::expired("order"))?;
        let (account_id, order_id, currency) = (&account_id, &order_id, &currency);
        Ok(event_view::render(&links, EventOrder { account_id, order_id, currency }, &event))
    };
    let name = |event_seq: &EventSeq| AnswerName::Event(*event_seq);
    write_and_read(state, &actor, sent.once(&actor, command, name), refused, render).await
}

fn refused(why: AddServiceEventRefused) -> ApiError {
    match why {
        AddServiceEventRefused::OrderNotFound => ApiError::not_found("order"),
        AddServiceEventRefused::TooLarge(why) => order_too_large(why),
    }
}
