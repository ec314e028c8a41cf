//! Renders a draft (docs/contract.md, Facts 2).

use super::links::{Links, link_list};
use super::order_view::write_totals;
use crate::clock::rfc3339;
use crate::domain::item::Item;
use crate::json::ObjectText;
use crate::store::{DraftEvent, DraftRecord};

/// The draft's JSON text.
pub fn render(links: &Links, draft: &DraftRecord) -> String {
    let asked = &draft.draft;
    let mut object = ObjectText::default();
    object
        .text("id", &draft.id)
        .text("status", draft.status.as_str())
        .text("created_at", &rfc3339(draft.created_at))
        .text("created_by", &draft.created_by.0)
        .text("updated_at", &rfc3339(draft.updated_at));
    if let Some(at) = draft.expires_at {
        object.text("expires_at", &rfc3339(at));
    }
    object.json("order", &order_text(draft)).json("options", &asked.options_document.0);
    if let Some(store) = &asked.store_document {
        object.json("store", &store.0);
    }
    let events: Vec<String> = draft.events.iter().map(event_text).collect();
    object.list("events", &events);
    let mut all = vec![("self", links.draft(&draft.account_id, &draft.id))];
    let orders = draft.order_ids.iter().map(|id| ("order", links.order(&draft.account_id, id)));
    all.extend(orders);
    object.text("paging_token", &draft.id).json("_links", &link_list(&all)).end()
}

fn order_text(draft: &DraftRecord) -> String {
    let asked = &draft.draft;
    let mut order = ObjectText::default();
    order.text("currency", asked.currency.code());
    if let Some(order_id) = draft.order_ids.first().or(asked.order_name.as_ref()) {
        order.text("order_id", order_id.as_str());
    }
    write_totals(&mut order, &asked.items);
    let items: Vec<String> = asked.items.iter().map(item_text).collect();
    order.members_of(&asked.document.0).list("items", &items).end()
}

fn item_text(item: &Item) -> String {
    let mut object = ObjectText::default();
    object
        .integer("line_id", item.line_id.number())
        .members_of(&item.document.0)
        .integer("version", item.version)
        .end()
}

fn event_text(event: &DraftEvent) -> String {
    let mut request = ObjectText::default();
    request.text("method", &event.method).text("path", &event.path);
    let mut object = ObjectText::default();
    object
        .text("id", &event.id)
        .text("event_type", "api-event")
        .text("created_at", &rfc3339(event.created_at))
        .text("created_by", &event.created_by.0)
        .integer("version", event.version)
        .json("request", &request.end())
        .end()
}
