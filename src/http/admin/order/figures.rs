//! An order's money as the template needs it: the sums, the bar of the four boxes, one row per
//! line.

use super::read::OrderRead;
use super::sections::{Section, Whole};
use crate::domain::boxes::Boxes;
use crate::domain::item::Item;
use crate::domain::line::Line;
use crate::domain::order::OrderStatus;
use crate::http::admin::words;
use crate::json::Tree;
use crate::store::OrderRecord;

const DESCRIPTION_CHARS_MAX: usize = 120;

/// The most destinations shown of a line's payout, unless the lines are shown in full.
const DESTINATIONS_MAX: usize = 5;

/// Characters of a note under a line's description.
const NOTE_CHARS_MAX: usize = 80;

/// Width of the bar, in units of its SVG.
const BAR_WIDTH: u128 = 1_000;

/// One of the four boxes, summed over all lines of one sign.
#[derive(Clone, Copy)]
struct BarPartKind {
    class: &'static str,
    gives_back: bool,
    name: &'static str,
    amount: fn(&Boxes) -> u64,
}

/// A named sum.
pub struct Figure {
    pub name: &'static str,
    pub amount: String,
}

/// The four boxes of all lines, drawn side by side.
pub struct Bar {
    /// The sum of all parts; the bar is not drawn when it is 0.
    pub whole: u128,
    pub label: String,
    pub parts: Vec<BarPart>,
}

/// One box in the bar.
pub struct BarPart {
    /// The CSS class.
    pub kind: &'static str,
    /// True for lines with a negative payable amount.
    pub gives_back: bool,
    pub name: &'static str,
    pub amount: String,
    pub start: u128,
    pub width: u128,
}

/// A line in the table.
pub struct LineRow {
    pub number: i64,
    pub description: String,
    /// The status, what the line reverses, the store, the comment and the payouts.
    pub notes: Vec<String>,
    /// Empty when it was not sent.
    pub quantity: String,
    pub payable: String,
    pub held: String,
    pub captured: String,
    pub refunded: String,
    pub remaining: String,
}

const BAR_PARTS: [BarPartKind; 8] = [
    pays("kept", "Captured and kept", |boxes| boxes.kept),
    pays("held", "Still reserved", |boxes| boxes.held),
    pays("refunded", "Refunded", |boxes| boxes.refunded),
    pays("unreserved", "Not reserved", |boxes| boxes.unreserved),
    gives_back("kept", "Given back", |boxes| boxes.kept),
    gives_back("held", "Reserved to give back", |boxes| boxes.held),
    gives_back("refunded", "Give-back reversed", |boxes| boxes.refunded),
    gives_back("unreserved", "Give-back not reserved", |boxes| boxes.unreserved),
];

const fn pays(class: &'static str, name: &'static str, amount: fn(&Boxes) -> u64) -> BarPartKind {
    BarPartKind { class, gives_back: false, name, amount }
}

const fn gives_back(
    class: &'static str,
    name: &'static str,
    amount: fn(&Boxes) -> u64,
) -> BarPartKind {
    BarPartKind { class, gives_back: true, name, amount }
}

/// The signed sums of an order.
pub fn figures(order: &OrderRecord) -> Vec<Figure> {
    let sums = order.ledger.sums();
    let all = [
        ("Total", sums.payable),
        ("Reserved", sums.authorized),
        ("Captured", sums.captured),
        ("Released", sums.cancelled),
        ("Refunded", sums.refunded),
    ];
    let figure = |(name, amount)| Figure { name, amount: words::money(&order.currency, amount) };
    let is_cancelled = order.ledger.status == OrderStatus::Cancelled;
    let last = match is_cancelled && order.ledger.holds() {
        true => ("To release", words::held(&order.currency, &order.ledger)),
        false => ("Left to capture", words::remaining(&order.currency, &order.ledger)),
    };
    let last = Figure { name: last.0, amount: last.1 };
    all.into_iter().map(figure).chain([last]).collect()
}

/// The bar is drawn from magnitudes, so that lines that give money back have a width too. They have
/// parts of their own, so that the legend adds up to the signed sums above the bar.
pub fn bar(order: &OrderRecord) -> Bar {
    let sum = |gives_back: bool, part: fn(&Boxes) -> u64| -> u128 {
        let lines = order.ledger.lines.iter();
        let lines = lines.filter(|line| (line.payable().minor_units() < 0) == gives_back);
        lines.map(|line| u128::from(part(&line.boxes()))).sum()
    };
    let all = BAR_PARTS.map(|kind| (kind, sum(kind.gives_back, kind.amount)));
    let whole: u128 = all.iter().map(|(_, amount)| amount).sum();
    let mut start = 0;
    let mut parts = Vec::new();
    for (kind, amount) in all.into_iter().filter(|(_, amount)| *amount != 0) {
        let width = amount * BAR_WIDTH / whole.max(1);
        let shown = i128::try_from(amount).unwrap_or(i128::MAX);
        parts.push(BarPart {
            kind: kind.class,
            gives_back: kind.gives_back,
            name: kind.name,
            amount: order.currency.display(shown),
            start,
            width,
        });
        start += width;
    }
    // Widths are rounded down, so the last part takes the rest of the bar.
    if let Some(last) = parts.last_mut() {
        last.width = BAR_WIDTH - last.start;
    }
    let words: Vec<String> = parts.iter().map(|p| format!("{} {}", p.name, p.amount)).collect();
    Bar { whole, label: words.join(", "), parts }
}

/// One row per line, in the order of the items.
pub fn line_rows(read: &OrderRead, whole: &Whole) -> Vec<LineRow> {
    let order = &read.order;
    let row = |item: &Item| {
        let at = order.ledger.find(item.line_id)?;
        Some(line_row(read, item, &order.ledger.lines[at], whole))
    };
    order.items.iter().take(whole.shown_max(Section::Lines)).filter_map(row).collect()
}

fn line_row(read: &OrderRead, item: &Item, line: &Line, whole: &Whole) -> LineRow {
    let order = &read.order;
    let figure = |amount: i128| words::figure(&order.currency, amount);
    let sums = order.ledger.sums_of(line);
    let document = read.item_document(item);
    LineRow {
        number: item.line_id.number(),
        description: words::cut(&words::description_in(&document), DESCRIPTION_CHARS_MAX),
        notes: notes(&document).into_iter().chain(payouts(order, line, whole)).collect(),
        quantity: words::quantity_in(&document).unwrap_or_default(),
        payable: words::money(&order.currency, sums.payable),
        held: figure(sums.held),
        captured: figure(sums.captured),
        refunded: figure(sums.refunded),
        remaining: figure(sums.remaining),
    }
}

/// The amounts of each destination of the line's payout.
fn payouts(order: &OrderRecord, line: &Line, whole: &Whole) -> Vec<String> {
    let Some(payout) = line.payout() else { return Vec::new() };
    let figure =
        |amount: u64| words::figure(&order.currency, line.payable().sign_applied_to(amount));
    let shares = payout.rule().shares.as_slice();
    let shown_max = if whole.has(Section::Lines) { usize::MAX } else { DESTINATIONS_MAX };
    let all = shares.iter().zip(payout.boxes()).take(shown_max).map(|(share, boxes)| {
        let held = match boxes.held {
            0 => String::new(),
            held => format!(", {} still reserved", figure(held)),
        };
        format!("Payout to {}: {}{held}", share.destination.as_str(), figure(boxes.kept))
    });
    let left = words::count_left(shares.len().saturating_sub(shown_max));
    all.chain((!left.is_empty()).then_some(left)).collect()
}

/// Notes under a line's description.
fn notes(document: &Tree) -> Vec<String> {
    let text = |key: &str| document.member(key).and_then(Tree::as_text);
    let member = |key: &str, inner: &str| document.member(key).and_then(|tree| tree.member(inner));
    let reversed = member("related_item", "line_id").and_then(Tree::as_integer);
    let reversal = match (reversed, text("reversed_reason")) {
        (Some(line), Some(reason)) => Some(format!("Reverses line {line}: {reason}")),
        (Some(line), None) => Some(format!("Reverses line {line}")),
        (None, reason) => reason.map(|reason| format!("Reverses: {reason}")),
    };
    let store = member("store", "name").or_else(|| member("store", "id")).and_then(Tree::as_text);
    let all = [
        text("status").map(|status| format!("Status: {status}")),
        reversal,
        store.map(|store| format!("Store: {store}")),
        text("comment").map(|comment| format!("\u{201c}{comment}\u{201d}")),
    ];
    all.into_iter().flatten().map(|note| words::cut(&note, NOTE_CHARS_MAX)).collect()
}
