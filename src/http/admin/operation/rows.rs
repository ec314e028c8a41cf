//! The lines of an operation's form with their input fields.

use super::line_fields::TypedLine;
use super::review::Refused;
use super::subject::Subject;
use super::typed::Typed;
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::domain::ledger_sums::LedgerSums;
use crate::domain::operation::OperationKind;
use crate::domain::quantity::Quantity;
use crate::http::admin::words::{cut, figure};
use crate::store::EventRecord;

/// Characters of a line's description.
const DESCRIPTION_CHARS_MAX: usize = 120;

/// A line with its input fields.
pub struct Row {
    pub number: i64,
    pub description: String,
    pub quantity: String,
    /// How much of the quantity is left; empty when nothing is.
    pub quantity_left: String,
    pub payable: String,
    pub so_far: String,
    pub left: String,
    /// True if the line has fields to type in.
    pub open: bool,
    pub gives_back: bool,
    pub by_quantity: bool,
    pub amount: String,
    pub reading: String,
    pub quantity_typed: String,
    pub problem: String,
    /// The choices for an amount that can be read in two ways.
    pub readings: Vec<(u64, String)>,
    /// The amount of the typed quantity; empty without one.
    pub share: String,
    /// True if an operation changed this line since the form was first shown.
    pub changed: bool,
}

impl Row {
    /// True if a note is shown about the typed values.
    pub fn has_note(&self) -> bool {
        !(self.problem.is_empty() && self.share.is_empty() && self.reading.is_empty())
    }
}

/// The inputs of the rows.
pub struct Sources<'a> {
    pub subject: &'a Subject<'a>,
    pub typed: &'a Typed,
    pub refused: Option<&'a Refused>,
    /// Events since the form was first shown.
    pub changed: &'a [EventRecord],
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

/// The rows of all lines, in the order of the items.
pub fn rows(sources: &Sources<'_>) -> Vec<Row> {
    let Sources { subject, typed, refused, changed } = sources;
    let items = subject.order.items.iter().zip(&typed.lines);
    let row = |(item, typed): (&Item, &TypedLine)| {
        let line = &subject.order.ledger.lines[subject.order.ledger.find(item.line_id)?];
        let currency = &subject.order.currency;
        let available = subject.available(line);
        let shown = |magnitude| figure(currency, line.payable().sign_applied_to(magnitude));
        let refusal = refused.and_then(|refused| {
            refused.lines.iter().find(|(line, _)| *line == item.line_id).map(|(_, why)| why.clone())
        });
        let readings = typed.readings.iter().map(|it| (it.minor_units, it.figure.clone()));
        Some(Row {
            number: item.line_id.number(),
            description: cut(&typed.item.description, DESCRIPTION_CHARS_MAX),
            by_quantity: typed.item.whole_quantity().is_some_and(|whole| whole != Quantity::ONE)
                || !typed.quantity.is_empty(),
            quantity: typed.item.quantity.clone().unwrap_or_default(),
            quantity_left: typed.left.map(|left| left.to_string()).unwrap_or_default(),
            payable: figure(currency, line.payable().minor_units().into()),
            so_far: figure(currency, so_far(subject.kind, &subject.order.ledger.sums_of(line))),
            left: shown(available),
            open: 0 < available || !typed.amount.is_empty() || !typed.quantity.is_empty(),
            gives_back: line.payable().minor_units() < 0,
            amount: typed.amount.clone(),
            reading: typed.reading.clone(),
            quantity_typed: typed.quantity.clone(),
            readings: readings.collect(),
            share: typed.share.clone(),
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
