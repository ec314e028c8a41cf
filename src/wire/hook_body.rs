//! Renders the bodies of webhook deliveries (docs/contract.md, Decisions 9 and 10): the objects are
//! those that the API answers, written so that JavaScript keeps their bytes.

use super::event_view::{EventOrder, IncludeEvents};
use super::field_mask::FieldMask;
use super::links::{Links, link_list};
use super::{draft_view, event_view, order_view};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use crate::domain::hook::HookEvent;
use crate::domain::ids::{AccountId, EventSeq};
use crate::json::{ObjectText, Tree, list_text, script_text};
use crate::store::{DraftRecord, EventRecord, HookSettings, OrderRecord};

/// The most bytes of an object in a body. A longer order or draft is replaced by a short form with
/// `truncated: true`, so that an order with a long history is not sent with each of its events.
const OBJECT_BYTES_MAX: usize = 256 << 10;

/// The objects of a body, in their order, each with its JSON text.
pub type Objects = Vec<(&'static str, String)>;

/// An order as bodies show it.
pub fn order_object(links: &Links, order: &OrderRecord) -> String {
    let text = order_view::render(links, order, IncludeEvents::None);
    if text.len() <= OBJECT_BYTES_MAX {
        return script_text(text);
    }
    let mut short = ObjectText::default();
    short
        .text("id", order.id.as_str())
        .text("order_id", order.order_id.as_str())
        .text("currency", order.currency.code())
        .text("status", order.ledger.status.as_str())
        .text("payment_status", order.payment_status.as_str())
        .flag("truncated", true)
        .json("_links", &link_list(&[("self", links.order(&order.account_id, &order.order_id))]));
    script_text(short.end())
}

/// An event of an order as bodies show it.
pub fn event_object(links: &Links, order: EventOrder<'_>, event: &EventRecord) -> String {
    let text = event_view::render(links, order, event);
    if text.len() <= OBJECT_BYTES_MAX {
        return script_text(text);
    }
    let events = links.events(order.account_id, order.order_id);
    let mut short = ObjectText::default();
    short
        .text("id", &event.id)
        .integer("version", event.version)
        .flag("truncated", true)
        .json("_links", &link_list(&[("events", events)]));
    script_text(short.end())
}

/// A draft as bodies show it.
pub fn draft_object(links: &Links, draft: &DraftRecord) -> String {
    let text = draft_view::render(links, draft);
    if text.len() <= OBJECT_BYTES_MAX {
        return script_text(text);
    }
    let mut short = ObjectText::default();
    short
        .text("id", &draft.id)
        .text("status", draft.status.as_str())
        .flag("truncated", true)
        .json("_links", &link_list(&[("self", links.draft(&draft.account_id, &draft.id))]));
    script_text(short.end())
}

/// An order or draft that has expired: its ids, and since when it is gone.
pub fn removed_object(ids: &[(&'static str, &str)], removed_at: Timestamp) -> String {
    let mut object = ObjectText::default();
    for (name, id) in ids {
        object.text(name, id);
    }
    script_text(object.text("deleted_at", &rfc3339(removed_at)).end())
}

/// A list of objects that are rendered already.
pub fn list_object(objects: &[String]) -> String {
    list_text(objects)
}

/// The identity of a delivery.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    pub account_id: &'a AccountId,
    pub event: HookEvent,
    pub event_delivery: &'a str,
    pub seq: EventSeq,
}

/// A whole body. The envelope is always there; the hook's fields select from the objects.
pub fn render(envelope: Envelope<'_>, objects: &Objects, settings: &HookSettings) -> String {
    let room = objects.iter().map(|(name, text)| name.len() + text.len() + 4).sum::<usize>();
    let mut body = ObjectText::with_room(room + 200);
    body.text("account_id", envelope.account_id.as_str())
        .text("event", envelope.event.as_str())
        .text("event_delivery", envelope.event_delivery)
        .integer("seq", envelope.seq.0);
    let mask = FieldMask::of(settings.fields.as_ref(), settings.exclude_fields.as_ref());
    for (name, text) in objects {
        match &mask {
            None => {
                body.json(name, text);
            }
            Some(mask) => {
                if let Some(kept) = mask.kept(name, text) {
                    body.json(name, &kept);
                }
            }
        }
    }
    body.end()
}

/// The body of a ping: the hook itself, without its secret's value.
pub fn ping_body(hook: String) -> String {
    script_text(hook)
}

/// The JSON object of an answer's headers. If a name comes twice, the first value is kept.
pub fn headers_text(headers: &[(String, String)]) -> String {
    let mut members: Vec<(String, Tree)> = Vec::new();
    for (name, value) in headers {
        if !members.iter().any(|(known, _)| known == name) {
            members.push((name.clone(), Tree::text(value)));
        }
    }
    Tree::Object(members).to_string()
}
