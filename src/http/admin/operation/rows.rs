//! The lines of an operation's form with their boxes. A long order is shown a window at a time.

use super::review::Refused;
use super::typed::{Subject, Typed, TypedLine, amount_name, quantity_name};
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::domain::ledger_sums::LedgerSums;
use crate::domain::operation::OperationKind;
use crate::http::admin::form::Form;
use crate::http::admin::reply::form_href;
use crate::http::admin::words::{figure, item_description, item_quantity};
use crate::store::EventRecord;

/// Lines on a page. The other lines of a longer order are all taken or all left.
pub const ROWS_MAX: usize = 50;

/// The lines that the page shows.
pub struct Window {
    pub rows: Vec<Row>,
    /// The first line shown, counted from 0.
    pub from: usize,
    /// Which lines are shown, as `Lines 51 to 100 of 1000`; empty when all are.
    pub words: String,
    /// Number of lines that are not shown.
    pub others: usize,
    /// True if everything left on those is taken.
    pub takes_others: bool,
    pub previous_href: String,
    pub next_href: String,
}

/// A line with its boxes.
pub struct Row {
    pub number: i64,
    pub description: String,
    pub quantity: String,
    pub payable: String,
    pub so_far: String,
    pub left: String,
    /// True if the line has boxes to type in.
    pub open: bool,
    pub gives_back: bool,
    pub by_quantity: bool,
    pub amount_name: String,
    pub amount: String,
    pub quantity_name: String,
    pub quantity_typed: String,
    pub problem: String,
    /// True if an operation changed this line since the form was first shown.
    pub changed: bool,
}

/// The inputs of the rows.
pub struct Sources<'a> {
    pub subject: &'a Subject<'a>,
    pub form: &'a Form,
    pub typed: &'a Typed,
    pub refused: Option<&'a Refused>,
    /// Events since the form was first shown.
    pub changed: &'a [EventRecord],
}

/// The window that the form's field `from` asks for. `self_href` and `key` are the form's.
pub fn window(sources: &Sources<'_>, self_href: &str, key: &str) -> Window {
    let Sources { subject, form, .. } = sources;
    let all = rows(sources);
    let count = all.len();
    let from = form.text("from").parse().unwrap_or(0).min(count.saturating_sub(1));
    let rows: Vec<Row> = all.into_iter().skip(from).take(ROWS_MAX).collect();
    let others = count - rows.len();
    let authorization_id = subject.authorization_id.map_or("", |id| id.as_str());
    let at = |from: usize| format!("{}&from={from}", form_href(self_href, key, authorization_id));
    let end = from + rows.len();
    Window {
        words: match others {
            0 => String::new(),
            _ => format!("Lines {} to {end} of {count}", from + 1),
        },
        takes_others: form.text("others") == "all",
        previous_href: if 0 < from { at(from.saturating_sub(ROWS_MAX)) } else { String::new() },
        next_href: if end < count { at(end) } else { String::new() },
        rows,
        from,
        others,
    }
}

/// The signed sum of all operations of a kind so far.
pub fn so_far(kind: OperationKind, sums: &LedgerSums) -> i128 {
    match kind {
        OperationKind::Authorization => sums.authorized,
        OperationKind::Capture => sums.captured,
        OperationKind::Refund => sums.refunded,
        OperationKind::Cancellation => sums.cancelled,
    }
}

fn rows(sources: &Sources<'_>) -> Vec<Row> {
    let Sources { subject, typed, refused, changed, .. } = sources;
    let items = subject.order.items.iter().zip(&typed.lines);
    let row = |(item, typed): (&Item, &TypedLine)| {
        let line = &subject.order.ledger.lines[subject.order.ledger.find(item.line_id)?];
        let currency = &subject.order.currency;
        let available = subject.available(line);
        let shown = |magnitude| figure(currency, line.payable().sign_applied_to(magnitude));
        let quantity = item_quantity(item);
        let refusal = refused.and_then(|refused| {
            refused.lines.iter().find(|(line, _)| *line == item.line_id).map(|(_, why)| why.clone())
        });
        Some(Row {
            number: item.line_id.number(),
            description: item_description(item),
            by_quantity: quantity.as_deref().is_some_and(|quantity| quantity != "1"),
            quantity: quantity.unwrap_or_default(),
            payable: figure(currency, line.payable().minor_units().into()),
            so_far: figure(currency, so_far(subject.kind, &subject.order.ledger.sums_of(line))),
            left: shown(available),
            open: 0 < available || !typed.amount.is_empty() || !typed.quantity.is_empty(),
            gives_back: line.payable().minor_units() < 0,
            amount_name: amount_name(item.line_id),
            amount: typed.amount.clone(),
            quantity_name: quantity_name(item.line_id),
            quantity_typed: typed.quantity.clone(),
            problem: refusal.unwrap_or_else(|| typed.problem.clone()),
            changed: changed.iter().any(|event| has_moved(event, item.line_id)),
        })
    };
    items.filter_map(row).collect()
}

fn has_moved(event: &EventRecord, line_id: LineId) -> bool {
    let operation = event.operation().filter(|operation| operation.success);
    operation.is_some_and(|operation| operation.items.iter().any(|item| item.line_id == line_id))
}
