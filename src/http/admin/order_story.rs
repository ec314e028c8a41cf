//! What happened to an order, the newest first.

use super::super::api::event_text;
use super::super::links::Links;
use super::order_read::OrderRead;
use super::words;
use crate::clock::rfc3339;
use crate::store::{EventBody, EventRecord};

/// An event.
pub struct EventRow {
    pub at: String,
    pub when: String,
    pub what: String,
    pub by: String,
    pub raw: String,
}

/// The events.
pub fn event_rows(read: &OrderRead, links: &Links) -> Vec<EventRow> {
    read.order.events.iter().rev().map(|event| event_row(read, links, event)).collect()
}

fn event_row(read: &OrderRead, links: &Links, event: &EventRecord) -> EventRow {
    let what = match &event.body {
        EventBody::Operation(operation) => {
            let minor_units = operation.amount.minor_units();
            let amount = words::money(&read.order.currency, minor_units.into());
            // "Capture of give back 50.00" is no English.
            let of = if minor_units < 0 { ":" } else { " of" };
            let kind = words::operation(operation.kind);
            let refused = if operation.success { "" } else { " refused by the gateway" };
            format!("{kind}{of} {amount}{refused}")
        }
        EventBody::Api(api) if api.draft_id.is_some() => "Order made".to_owned(),
        EventBody::Api(api) => match api.path.rsplit('/').next() {
            Some("open") => "Opened again".to_owned(),
            Some("close") => "Closed".to_owned(),
            Some("cancel") => "Cancelled".to_owned(),
            _ => "Changed".to_owned(),
        },
    };
    EventRow {
        at: rfc3339(event.created_at),
        when: read.local(event.created_at),
        what,
        by: read.name_of(&event.created_by),
        raw: event_text(links, &read.order, event),
    }
}
