//! Renders events (docs/contract.md, Facts 5; docs/contract.md, Decision 5).

use super::links::{Links, link_list};
use crate::clock::rfc3339;
use crate::domain::currency::Currency;
use crate::domain::event::{EventState, roll_up};
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::operation::{Operation, OperationItem};
use crate::json::{ObjectText, Tree};
use crate::store::{ApiEvent, Bodies, EventBody, EventRecord, OrderRecord, ServiceEvent};

/// The `service` of an operation's event.
const PAYMENT: &str = "payment";

/// Which of an order's events an answer contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncludeEvents {
    #[default]
    None,
    All,
    ApiEvents,
    ServiceEvents,
}

/// The order of an event, as far as the event's JSON names it.
#[derive(Debug, Clone, Copy)]
pub struct EventOrder<'a> {
    pub account_id: &'a AccountId,
    pub order_id: &'a OrderName,
    pub currency: &'a Currency,
}

impl<'a> From<&'a OrderRecord> for EventOrder<'a> {
    fn from(order: &'a OrderRecord) -> EventOrder<'a> {
        let OrderRecord { account_id, order_id, currency, .. } = order;
        EventOrder { account_id, order_id, currency }
    }
}

impl IncludeEvents {
    /// Whether an answer needs the request bodies of events.
    pub fn bodies(self) -> Bodies {
        match self {
            Self::None => Bodies::LeaveOut,
            Self::All | Self::ApiEvents | Self::ServiceEvents => Bodies::Read,
        }
    }

    /// The values of the parameter `include_events`.
    pub const WORDS: [&'static str; 4] = ["false", "true", "api-event", "service-event"];

    /// Parses a value of the parameter `include_events`.
    pub fn parse(word: &str) -> Option<IncludeEvents> {
        match word {
            "false" => Some(Self::None),
            "true" => Some(Self::All),
            "api-event" => Some(Self::ApiEvents),
            "service-event" => Some(Self::ServiceEvents),
            _ => None,
        }
    }

    /// The events of either choice.
    pub fn or(self, other: IncludeEvents) -> IncludeEvents {
        match (self, other) {
            (Self::None, some) | (some, Self::None) => some,
            (one, same) if one == same => one,
            _ => Self::All,
        }
    }

    /// This choice without API events, which lists of a customer or a store never contain.
    pub fn without_api_events(self) -> IncludeEvents {
        match self {
            Self::None | Self::ApiEvents => Self::None,
            Self::All | Self::ServiceEvents => Self::ServiceEvents,
        }
    }

    fn has(self, event: &EventRecord) -> bool {
        match (self, &event.body) {
            (Self::None, _) => false,
            (Self::All, _) => true,
            (Self::ApiEvents, EventBody::Api(_)) => true,
            (Self::ServiceEvents, EventBody::Operation(_) | EventBody::Service(_)) => true,
            (Self::ApiEvents | Self::ServiceEvents, _) => false,
        }
    }
}

/// Writes the `events` that `include` selects, and the `state` that all events add up to.
pub fn write_events(
    object: &mut ObjectText,
    links: &Links,
    order: &OrderRecord,
    include: IncludeEvents,
) {
    let events = order.events.iter().filter(|event| include.has(event));
    let events: Vec<String> = events.map(|event| render(links, order.into(), event)).collect();
    let state = roll_up(order.events.iter().filter_map(|event| reported(&event.body)));
    object.list("events", &events).text("state", state.as_str());
}

/// The service of an event and the state it reports. API events have neither.
fn reported(event: &EventBody) -> Option<(&str, EventState)> {
    match event {
        EventBody::Operation(operation) => Some((PAYMENT, state_of(operation))),
        EventBody::Service(step) => Some((&step.service, step.state)),
        EventBody::Api(_) => None,
    }
}

/// The event's JSON text.
pub fn render(links: &Links, order: EventOrder<'_>, event: &EventRecord) -> String {
    let mut object = ObjectText::default();
    object.text("id", &event.id);
    match &event.body {
        EventBody::Api(_) => object.text("event_type", "api-event"),
        EventBody::Operation(_) | EventBody::Service(_) => {
            object.text("event_type", "service-event")
        }
    };
    object
        .text("created_at", &rfc3339(event.created_at))
        .text("created_by", &event.created_by.0)
        .integer("version", event.version);
    match &event.body {
        EventBody::Api(api) => write_request(&mut object, api),
        EventBody::Operation(operation) => write_operation(&mut object, links, order, operation),
        EventBody::Service(step) => write_step(&mut object, links, order, step),
    }
    object.end()
}

fn write_request(object: &mut ObjectText, event: &ApiEvent) {
    let mut request = ObjectText::default();
    request.text("method", &event.method).text("path", &event.path);
    if let Some(body) = &event.body {
        request.json("body", &body.0);
    }
    object.json("request", &request.end());
    if let Some(draft_id) = &event.draft_id {
        object.text("draft_id", draft_id);
    }
}

fn write_step(object: &mut ObjectText, links: &Links, order: EventOrder<'_>, step: &ServiceEvent) {
    let order_link = links.order(order.account_id, order.order_id);
    object
        .text("state", step.state.as_str())
        .text("service", &step.service)
        .text("service_status", &step.service_status);
    if let Some(body) = &step.body {
        object.members_of(&body.0);
    }
    object.json("_links", &link_list(&[("order", order_link)]));
}

fn write_operation(
    object: &mut ObjectText,
    links: &Links,
    order: EventOrder<'_>,
    operation: &Operation,
) {
    let item = |item: &OperationItem| {
        Tree::object([
            ("line_id", Tree::integer(item.line_id.number())),
            ("amount", Tree::integer(item.amount.minor_units())),
        ])
    };
    let metadata = Tree::object([
        ("operation_id", Tree::text(operation.id.as_str())),
        ("amount", Tree::integer(operation.amount.minor_units())),
        ("currency", Tree::text(order.currency.code())),
        ("items", Tree::List(operation.items.iter().map(item).collect())),
    ]);
    let order_link = links.order(order.account_id, order.order_id);
    object
        .text("state", state_of(operation).as_str())
        .text("service", PAYMENT)
        .text("service_status", operation.kind.singular())
        .json("metadata", &metadata.to_string())
        .json("_links", &link_list(&[("order", order_link)]));
}

fn state_of(operation: &Operation) -> EventState {
    if operation.success { EventState::Success } else { EventState::Failure }
}
