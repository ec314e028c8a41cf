//! Parses a change to an order: which fields it may change, and which it may only repeat
//! (docs/contract.md, Decision 6).

use super::order_fields::{DISCOUNT_LINE, ITEM, OPTIONS, ORDER};
use super::problem::Problem;
use super::shape::{Shape, clean};
use crate::app::{ItemChange, ORDER_TIME_TO_LIVE, OrderChange, PartChange};
use crate::domain::ids::LineId;
use crate::domain::item::ITEMS_MAX;
use crate::domain::operation::duplicate_positions;
use crate::json::Tree;

/// Fields of an order that may be changed; each is replaced as a whole.
const OF_AN_ORDER: [&str; 14] = [
    "external_ids",
    "external_links",
    "itinerary",
    "courier_id",
    "pickup_at",
    "delivery_at",
    "delivery_id",
    "comment",
    "customer",
    "shipping_address",
    "billing_address",
    "metadata",
    "attachments",
    "attachment",
];

/// Fields of an item that may be changed, without those of its discounts.
const OF_AN_ITEM: [&str; 10] = [
    "status",
    "external_id",
    "original_currency",
    "original_gross_amount",
    "conversion_rate_ppm",
    "conversion_rate_timestamp",
    "conversion_rate_source",
    "attachment",
    "metadata",
    "comment",
];

const OF_A_DISCOUNT: [&str; 1] = ["discount_subtype"];

const OF_THE_OPTIONS: [&str; 2] = [ORDER_TIME_TO_LIVE, "multiple_authorizations"];

const SOME_ITEM: Shape = ITEM.part();
const SOME_ITEMS: Shape = Shape::List(&SOME_ITEM, ITEMS_MAX);

/// Parses a change, or reports everything that is wrong with the body.
pub fn parse(body: &Tree) -> Result<OrderChange, Vec<Problem>> {
    let mut problems = Vec::new();
    let order = clean(body.without(&["items", "options"]), ORDER.part(), "", &mut problems);
    let sent = |key: &str| body.member(key).filter(|value| **value != Tree::Null);
    let mut part = |key: &str, shape: Shape| {
        sent(key).map(|value| clean(value.clone(), shape, &format!("/{key}"), &mut problems))
    };
    let options = part("options", OPTIONS.part());
    let items = part("items", SOME_ITEMS);
    let items = items.as_ref().map(Tree::elements).unwrap_or_default();
    let line_ids = line_ids(items, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(OrderChange {
        order: divide(&order, ORDER, &OF_AN_ORDER),
        options: options.map(|sent| divide(&sent, OPTIONS, &OF_THE_OPTIONS)).unwrap_or_default(),
        removes_time_to_live: removes_time_to_live(body),
        items: items.iter().zip(line_ids).map(|(item, id)| item_change(item, id)).collect(),
    })
}

/// True if a change sends `options.order_time_to_live` as `null`, which removes it.
pub fn removes_time_to_live(body: &Tree) -> bool {
    let sent = body.member("options").and_then(|options| options.member(ORDER_TIME_TO_LIVE));
    sent == Some(&Tree::Null)
}

/// The problem that an order or draft is older than the time to live that was sent.
pub fn time_to_live_passed() -> Problem {
    let message = "The time counts from created_at and has passed already; send more seconds, or \
                   null to remove the option.";
    Problem::new("/options/order_time_to_live", "bad_value", message)
}

/// Reads the line id of each item, and reports missing and repeated ones.
fn line_ids(items: &[Tree], problems: &mut Vec<Problem>) -> Vec<LineId> {
    let id = |item: &Tree| item.member("line_id").and_then(Tree::as_integer).and_then(LineId::new);
    for (at, item) in items.iter().enumerate() {
        if problems.is_empty() && item.member("line_id").is_none() {
            let message = "Name the line that this item changes.";
            problems.push(Problem::new(format!("/items/{at}/line_id"), "required", message));
        }
    }
    let ids: Vec<LineId> = items.iter().filter_map(id).collect();
    let duplicate = |at: usize| {
        let message = "An earlier item changes this line; send one item per line.";
        Problem::new(format!("/items/{at}/line_id"), "duplicate_line", message)
    };
    if problems.is_empty() {
        problems.extend(duplicate_positions(items.iter().map(id)).into_iter().map(duplicate));
    }
    ids
}

fn item_change(item: &Tree, line_id: LineId) -> ItemChange {
    let discounts = item.member("discount_lines").map(Tree::elements);
    ItemChange {
        line_id,
        part: divide(&item.without(&["line_id", "discount_lines"]), ITEM, &OF_AN_ITEM),
        discount_lines: discounts.map(|lines| {
            lines.iter().map(|line| divide(line, DISCOUNT_LINE, &OF_A_DISCOUNT)).collect()
        }),
    }
}

/// Divides members into those that may change, unknown ones among them, and those that may only
/// repeat the value that the order has.
fn divide(sent: &Tree, shape: Shape, changeable: &[&str]) -> PartChange {
    let Tree::Object(members) = sent else { return PartChange::default() };
    let may = |key: &str| changeable.contains(&key) || !shape.knows(key);
    let (changed, repeated) = members.iter().cloned().partition(|(key, _)| may(key));
    PartChange { changed, repeated }
}
