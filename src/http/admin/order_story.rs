//! What happened to an order, the newest first.

use super::super::api::event_text;
use super::super::links::Links;
use super::order_read::OrderRead;
use super::order_sections::{Section, Whole};
use super::words;
use crate::clock::rfc3339;
use crate::store::{EventBody, EventRecord};

/// Bytes of the JSON of one event, and of all of them on the page.
const EVENT_RAW_BYTES_MAX: usize = 4 << 10;
const RAW_BYTES_MAX: usize = 28 << 10;

/// An event.
pub struct EventRow {
    pub at: String,
    pub when: String,
    pub what: String,
    pub by: String,
    /// Its JSON; empty where that is too long for the page.
    pub raw: String,
}

/// The events. The newest show their JSON, as long as there is room for it.
pub fn event_rows(read: &OrderRead, links: &Links, whole: &Whole) -> Vec<EventRow> {
    let newest = read.order.events.iter().rev().take(whole.shown_max(Section::Events));
    let mut room = RAW_BYTES_MAX;
    newest.map(|event| event_row(read, links, event, &mut room)).collect()
}

fn event_row(read: &OrderRead, links: &Links, event: &EventRecord, room: &mut usize) -> EventRow {
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
        EventBody::Service(step) => format!("{}: {}", step.service, step.service_status),
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
        raw: raw(event_text(links, &read.order, event), room),
    }
}

/// The JSON if there is room for it, in what it takes on the page: a quote takes five bytes.
fn raw(text: String, room: &mut usize) -> String {
    let bytes = text.len() + 4 * text.matches('"').count();
    if EVENT_RAW_BYTES_MAX < text.len() || *room < bytes {
        return String::new();
    }
    *room -= bytes;
    text
}
