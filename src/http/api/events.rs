//! An order's events, and the steps of services among them.

use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{ApiError, Problem};
use super::super::extract::{
    BODY_BYTES_MAX, OrderEventsReader, OrderEventsWriter, Sent, ok_json, on_behalf_of,
    order_in_path, state, write,
};
use super::super::shape::{Shape, clean, optional, required};
use super::event_view::{self, IncludeEvents, write_events};
use crate::app::{AddServiceEvent, AddServiceEventRefused};
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::event::EventState;
use crate::json::{ObjectText, Tree};
use crate::store::{NewServiceEvent, OrderRecord};

/// The body of a service's event (docs/contract.md, Facts 5).
const STEP: Shape = Shape::Object(&[
    optional("state", Shape::OneOf(&["error", "failure", "success", "pending"])),
    required("service", Shape::Text),
    required("service_status", Shape::Text),
    optional("description", Shape::Text),
    optional("metadata", Shape::FreeObject),
    optional("id", Shape::ReadOnly),
    optional("event_type", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("version", Shape::ReadOnly),
    optional("request", Shape::ReadOnly),
    optional("draft_id", Shape::ReadOnly),
    optional("_links", Shape::ReadOnly),
]);

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

/// `POST /orders/{order_id}/events`: writes down a step of a service; answers the event.
pub async fn create(
    OrderEventsWriter(actor): OrderEventsWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let event = parse(&sent.body)?;
    let order = order_in_path(&request)?;
    let command = AddServiceEvent { on_behalf_of: on_behalf_of(&actor), order, event };
    let links = state.links.clone();
    let render = move |order: &OrderRecord| {
        let added = order.events.last();
        added.map(|event| event_view::render(&links, order, event)).unwrap_or_default()
    };
    write(state, sent.once(&actor, command, render), refused).await
}

fn parse(body: &Tree) -> Result<NewServiceEvent, ApiError> {
    let mut problems = Vec::new();
    let kept = clean(body, STEP, "", &mut problems);
    let text = |key: &str| kept.member(key).and_then(Tree::as_text).unwrap_or_default();
    for key in ["service", "service_status"] {
        if problems.is_empty() && text(key).is_empty() {
            let message = "Expected at least one character.";
            problems.push(Problem::new(format!("/{key}"), "bad_value", message));
        }
    }
    if !problems.is_empty() {
        return Err(ApiError::invalid(problems));
    }
    let rest = kept.without(&["state", "service", "service_status"]).to_string();
    Ok(NewServiceEvent {
        state: EventState::parse(text("state")).unwrap_or(EventState::Success),
        service: text("service").to_owned(),
        service_status: text("service_status").to_owned(),
        body_sha256: sha256(rest.as_bytes()),
        body: KeptJson(rest),
    })
}

fn refused(why: AddServiceEventRefused) -> ApiError {
    match why {
        AddServiceEventRefused::OrderNotFound => ApiError::not_found("order"),
    }
}
