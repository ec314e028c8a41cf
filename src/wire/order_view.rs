//! Renders an order (docs/contract.md, Facts 4) with its sums (docs/contract.md, Decision 2).

use super::comment_view;
use super::event_view::{self, IncludeEvents};
use super::links::{Links, link_list};
use super::operation_view;
use super::receipt_view::has_receipt;
use crate::clock::rfc3339;
use crate::domain::item::{Item, Totals};
use crate::domain::ledger::Ledger;
use crate::domain::ledger_sums::LedgerSums;
use crate::domain::operation::OperationKind;
use crate::json::ObjectText;
use crate::store::OrderRecord;

/// Bytes that the JSON of most orders takes in addition to their documents, items and operations.
const ROOM_AROUND: usize = 2_048;

/// The order's JSON text.
pub fn render(links: &Links, order: &OrderRecord, include: IncludeEvents) -> String {
    let operations = OperationKind::ALL.map(|kind| operation_texts(links, order, kind));
    let items: Vec<String> =
        order.items.iter().map(|item| item_text(&order.ledger, item)).collect();
    let parts = operations.iter().flatten().chain(&items).map(|part| part.len() + 1);
    let room = parts.sum::<usize>() + order.document.0.len() + order.options_document.0.len();
    let mut object = ObjectText::with_room(room + ROOM_AROUND);
    object
        .text("id", order.id.as_str())
        .text("order_id", order.order_id.as_str())
        .text("currency", order.currency.code())
        .text("status", order.ledger.status.as_str())
        .text("payment_status", order.payment_status.as_str())
        .text("created_at", &rfc3339(order.created_at))
        .text("created_by", &order.created_by.0)
        .text("updated_at", &rfc3339(order.updated_at));
    if let Some(at) = order.expires_at {
        object.text("expires_at", &rfc3339(at));
    }
    write_status(&mut object, order);
    write_totals(&mut object, &order.items);
    write_sums(&mut object, &order.ledger.sums());
    object.members_of(&order.document.0);
    let comments: Vec<String> = order.comments.iter().map(comment_view::render).collect();
    object
        .list("items", &items)
        .json("options", &order.options_document.0)
        .list("comments", &comments);
    for (kind, operations) in OperationKind::ALL.iter().zip(&operations) {
        object.list(kind.plural(), operations);
    }
    if include != IncludeEvents::None {
        event_view::write_events(&mut object, links, order, include);
    }
    object
        .text("paging_token", order.id.as_str())
        .json("_links", &link_list(&order_links(links, order)))
        .end()
}

fn operation_texts(links: &Links, order: &OrderRecord, kind: OperationKind) -> Vec<String> {
    let operations = order.operations_of(kind);
    let render = |one| operation_view::render(links, &order.account_id, &order.order_id, one);
    operations.map(render).collect()
}

fn write_status(object: &mut ObjectText, order: &OrderRecord) {
    if let Some((at, by)) = &order.closed {
        object.text("closed_at", &rfc3339(*at)).text("closed_by", &by.0);
    }
    if let Some(cancelled) = &order.cancelled {
        object.text("cancelled_at", &rfc3339(cancelled.at)).text("cancelled_by", &cancelled.by.0);
        if let Some(reason) = cancelled.reason {
            object.text("cancelled_reason", reason.as_str());
        }
    }
}

/// Writes the totals of an order's or a draft's items.
pub fn write_totals(object: &mut ObjectText, items: &[Item]) {
    // In range, since that was checked when the items were recorded.
    let totals = Totals::of(items.iter().map(|item| &item.price)).unwrap_or_default();
    object
        .integer("gross_amount", totals.gross)
        .integer("total_discount", totals.discount)
        .integer("total_manual_discount_amount", totals.manual_discount)
        .integer("net_amount", totals.net)
        .integer("payable_amount", totals.payable);
}

/// Writes the sums of an order or of one of its lines.
fn write_sums(object: &mut ObjectText, sums: &LedgerSums) {
    object
        .integer("authorized_amount", sums.authorized)
        .integer("captured_amount", sums.captured)
        .integer("cancelled_amount", sums.cancelled)
        .integer("refunded_amount", sums.refunded)
        .integer("remaining_amount", sums.remaining);
}

fn item_text(ledger: &Ledger, item: &Item) -> String {
    let mut object = ObjectText::default();
    object
        .integer("line_id", item.line_id.number())
        .members_of(&item.document.0)
        .integer("version", item.version);
    let line = ledger.find(item.line_id).map(|at| &ledger.lines[at]);
    write_sums(&mut object, &line.map(|line| ledger.sums_of(line)).unwrap_or_default());
    object.end()
}

fn order_links(links: &Links, order: &OrderRecord) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("self", links.order(&order.account_id, &order.order_id)),
        ("events", links.events(&order.account_id, &order.order_id)),
        ("draft", links.draft(&order.account_id, &order.draft_id)),
    ];
    if let Some(id) = &order.open_session {
        all.push(("session", links.session(&order.account_id, &order.order_id, id)));
    }
    if has_receipt(order.operations_of(OperationKind::Capture)) {
        all.push(("receipt", links.receipt(&order.account_id, &order.order_id)));
    }
    all
}
