//! The input fields of one line in an operation's form: an amount, or a quantity of the line.

use super::subject::Subject;
use crate::domain::currency::FigureRejected;
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::domain::line::Line;
use crate::domain::line_quantities::{LineQuantities, Moved};
use crate::domain::money::Amount;
use crate::domain::quantity::{Quantity, QuantityRejected};
use crate::http::admin::form::Form;
use crate::http::admin::words::{description_in, parsed, quantity_in};

/// The beginnings of the names of a line's fields; the line's number follows. A reading is the
/// amount in minor units that was chosen for a text that can be read in two ways.
pub const LINE_FIELDS: [&str; 3] = [AMOUNT, QUANTITY, READING];

pub const AMOUNT: &str = "amount-";
pub const QUANTITY: &str = "quantity-";
pub const READING: &str = "reading-";

const TOO_LARGE: &str = "The amount is too large.";

/// The fields of one line.
pub struct TypedLine {
    pub line_id: LineId,
    pub item: ItemTexts,
    /// The text of the amount field, as typed.
    pub amount: String,
    /// The chosen reading of the amount field; empty if its text has only one.
    pub reading: String,
    /// The text of the quantity field, as typed.
    pub quantity: String,
    /// Why the fields are invalid; empty if they are valid.
    pub problem: String,
    /// The amount of a valid quantity, such as `1 of 5 is 79.60`; empty without a valid quantity.
    pub share: String,
    /// The possible readings of the amount field, to choose from, if there are two.
    pub readings: Vec<Reading>,
    /// `None` if the fields are empty or invalid.
    pub meant: Option<Meant>,
    /// How much of the line's quantity is left; `None` without a quantity.
    pub left: Option<Quantity>,
}

/// The parts of an item's document that the form shows.
pub struct ItemTexts {
    /// The description, or else the id; empty if the item has neither.
    pub description: String,
    /// The quantity at 6 decimals; `None` if the item has no quantity.
    pub quantity: Option<String>,
}

/// The signed amount of a line, and the typed quantity, if a quantity was typed. The amount of a
/// quantity can be 0, if its unit costs less than a minor unit.
#[derive(Debug, Clone, Copy)]
pub struct Meant {
    pub amount: Amount,
    pub quantity: Option<Quantity>,
}

/// One way to read an amount field.
pub struct Reading {
    pub minor_units: u64,
    pub figure: String,
}

/// Why an amount field is invalid.
struct WrongAmount {
    problem: String,
    readings: Vec<Reading>,
}

/// A valid quantity.
struct Share {
    meant: Meant,
    words: String,
}

/// A line's quantity, whole and in each of the ledger's boxes.
struct Quantities {
    boxes: LineQuantities,
    whole: Quantity,
}

impl ItemTexts {
    fn of(item: &Item) -> ItemTexts {
        let document = parsed(&item.document);
        ItemTexts { description: description_in(&document), quantity: quantity_in(&document) }
    }

    /// The quantity; `None` if a part of the line cannot be asked for by quantity.
    pub fn whole_quantity(&self) -> Option<Quantity> {
        Quantity::of_json_number(self.quantity.as_ref()?)
    }
}

impl Subject<'_> {
    /// Reads both fields of a line. Each is checked; if both are filled, they must mean the same.
    /// `moves` are the successful operations on the line, oldest first.
    pub fn read_line(&self, item: &Item, line: &Line, moves: &[Moved], form: &Form) -> TypedLine {
        let line_id = item.line_id;
        let text = |prefix| form.text(&field_name(prefix, line_id)).trim().to_owned();
        let (amount, reading, quantity) = (text(AMOUNT), text(READING), text(QUANTITY));
        let of_amount = self.read_amount(&amount, &reading, line);
        let item = ItemTexts::of(item);
        let quantities = item.whole_quantity().map(|whole| {
            let boxes = LineQuantities::after(line.payable().magnitude(), whole, moves);
            Quantities { boxes, whole }
        });
        let of_quantity = self.read_quantity(&quantity, quantities.as_ref(), line);
        let empty = TypedLine {
            line_id,
            item,
            amount,
            reading: String::new(),
            quantity,
            problem: String::new(),
            share: String::new(),
            readings: Vec::new(),
            meant: None,
            left: quantities.and_then(|it| it.boxes.left(self.kind, self.authorization_id)),
        };
        match (of_amount, of_quantity) {
            (Ok(None), Ok(None)) => empty,
            (Ok(Some(signed)), Ok(None)) => {
                // A text with a chosen reading is shown as the figure that was chosen.
                let (amount, reading) = match reading.is_empty() {
                    true => (empty.amount, String::new()),
                    false => self.amount_field(signed.magnitude()),
                };
                let meant = Meant { amount: signed, quantity: None };
                let meant = Some(meant).filter(|_| signed != Amount::ZERO);
                TypedLine { amount, reading, meant, ..empty }
            }
            (Ok(typed), Ok(Some(share))) if typed.is_none_or(|it| it == share.meant.amount) => {
                TypedLine { share: share.words, meant: Some(share.meant), ..empty }
            }
            (Err(wrong), Ok(None)) => {
                TypedLine { problem: wrong.problem, readings: wrong.readings, ..empty }
            }
            (Ok(None), Err(problem)) => TypedLine { problem, ..empty },
            (of_amount, of_quantity) => {
                TypedLine { problem: self.both(of_amount, of_quantity), ..empty }
            }
        }
    }

    /// The refusal of two filled fields, with the meaning of each.
    fn both(
        &self,
        of_amount: Result<Option<Amount>, WrongAmount>,
        of_quantity: Result<Option<Share>, String>,
    ) -> String {
        let figure = |amount: Amount| self.order.currency.figure(amount.magnitude().into());
        let amount = match of_amount {
            Ok(amount) => format!("the amount says {}.", amount.map(figure).unwrap_or_default()),
            Err(wrong) => format!("the amount is invalid. {}", wrong.problem),
        };
        match of_quantity {
            Ok(share) => {
                let share = share.map(|share| share.words).unwrap_or_default();
                format!("Fill in one of the two: {share}, {amount}")
            }
            Err(problem) => {
                format!("Fill in one of the two: the quantity is invalid. {problem} And {amount}")
            }
        }
    }

    /// The signed amount of a field; `None` when it is empty. A `reading` that is neither of the
    /// two readings of the text is ignored: it belongs to a text that was typed before.
    fn read_amount(
        &self,
        typed: &str,
        reading: &str,
        line: &Line,
    ) -> Result<Option<Amount>, WrongAmount> {
        if typed.is_empty() {
            return Ok(None);
        }
        let minor_units = match self.order.currency.parse_figure(typed) {
            Ok(minor_units) => minor_units,
            Err(FigureRejected::Ambiguous { grouped, decimal }) => {
                let mut readings = [Some(grouped), decimal].into_iter().flatten();
                let is_chosen = |it: &i64| it.unsigned_abs().to_string() == reading;
                let chosen = readings.find(is_chosen);
                chosen.ok_or_else(|| self.ambiguous(typed, grouped, decimal))?
            }
            Err(FigureRejected::NoFigure) => {
                let example = self.order.currency.example();
                return wrong(&format!("Enter an amount such as {example}, or leave it empty."));
            }
            Err(FigureRejected::TooLarge) => return wrong(TOO_LARGE),
            Err(FigureRejected::TooManyDecimals { .. }) => return wrong(&self.decimals()),
        };
        if minor_units < 0 && 0 <= line.payable().minor_units() {
            return wrong("Enter the amount without a minus sign.");
        }
        match signed(line, minor_units.unsigned_abs()) {
            None => wrong(TOO_LARGE),
            amount => Ok(amount),
        }
    }

    fn ambiguous(&self, typed: &str, grouped: i64, decimal: Option<i64>) -> WrongAmount {
        let figure = |it: i64| self.order.currency.figure(it.unsigned_abs().into());
        let second = decimal.map_or_else(|| typed.replace(',', "."), figure);
        let why = if decimal.is_none() { format!(" {}", self.decimals()) } else { String::new() };
        let readings = [Some(grouped), decimal].into_iter().flatten();
        let reading = |it: i64| Reading { minor_units: it.unsigned_abs(), figure: figure(it) };
        WrongAmount {
            problem: format!("Did you mean {} or {second}?{why}", figure(grouped)),
            readings: readings.map(reading).collect(),
        }
    }

    fn decimals(&self) -> String {
        let currency = &self.order.currency;
        match currency.decimals() {
            0 => format!("{} has no decimals.", currency.code()),
            decimals => format!("{} has {decimals} decimals.", currency.code()),
        }
    }

    /// The amount of a typed quantity; `None` when its field is empty.
    fn read_quantity(
        &self,
        typed: &str,
        quantities: Option<&Quantities>,
        line: &Line,
    ) -> Result<Option<Share>, String> {
        if typed.is_empty() {
            return Ok(None);
        }
        let Quantities { boxes, whole } = quantities.ok_or("Enter an amount instead.")?;
        let refused = || format!("Enter how many of the {whole}, or an amount.");
        let asked = Quantity::parse(typed).map_err(|why| match why {
            QuantityRejected::NoQuantity => refused(),
            QuantityRejected::Ambiguous { grouped, decimal } => two_quantities(grouped, decimal),
        })?;
        if *whole < asked {
            return Err(format!("The order has {whole} of these. Enter at most {whole}."));
        }
        let left = boxes.left(self.kind, self.authorization_id);
        let part = boxes.part(self.kind, self.authorization_id, asked);
        let magnitude = part.ok_or_else(|| match left {
            None => "Nothing is left on this line.".to_owned(),
            Some(left) => format!("Only {left} of the {whole} is left."),
        })?;
        let amount = signed(line, magnitude).ok_or(TOO_LARGE)?;
        let figure = self.order.currency.figure(magnitude.into());
        let words = format!("{asked} of {whole} is {figure}");
        if amount == Amount::ZERO && !has_tiny_units(line, *whole) {
            return Err(format!("{words}. Enter more of the {whole}, or an amount."));
        }
        Ok(Some(Share { meant: Meant { amount, quantity: Some(asked) }, words }))
    }

    /// The fields that fill in all that is left on a line; empty when nothing is left.
    pub fn all_of(&self, line: &Line) -> Vec<(String, String)> {
        let available = self.available(line);
        if available == 0 {
            return Vec::new();
        }
        let (text, reading) = self.amount_field(available);
        let mut fields = vec![(field_name(AMOUNT, line.line_id()), text)];
        if !reading.is_empty() {
            fields.push((field_name(READING, line.line_id()), reading));
        }
        fields
    }

    /// An amount as the text of its field, and its reading if the text can be read in two ways. In
    /// a currency with three decimals, `1.250` can also be read as 1250.
    fn amount_field(&self, magnitude: u64) -> (String, String) {
        let currency = &self.order.currency;
        // Without the grouping spaces, which would be in the way when the amount is edited.
        let text = currency.figure(magnitude.into()).replace('\u{a0}', "");
        match currency.parse_figure(&text) {
            Err(FigureRejected::Ambiguous { .. }) => (text, magnitude.to_string()),
            _ => (text, String::new()),
        }
    }
}

/// The name of a line's field.
pub fn field_name(prefix: &str, line_id: LineId) -> String {
    format!("{prefix}{}", line_id.number())
}

/// Asks which of two quantities was meant, each written so that it can be read in only one way.
fn two_quantities(grouped: Quantity, decimal: Quantity) -> String {
    let decimal = decimal.to_string();
    let behind = decimal.split_once('.').map_or(0, |(_, behind)| behind.len());
    let zero = if behind == 3 { "0" } else { "" };
    format!("Did you mean {grouped} or {decimal}{zero}? Write it like that.")
}

/// True if one unit of a line costs less than a minor unit, so that whole units can come to 0.
fn has_tiny_units(line: &Line, whole: Quantity) -> bool {
    u128::from(line.payable().magnitude()) * Quantity::ONE.millionths() < whole.millionths()
}

fn wrong(problem: &str) -> Result<Option<Amount>, WrongAmount> {
    Err(WrongAmount { problem: problem.to_owned(), readings: Vec::new() })
}

fn signed(line: &Line, magnitude: u64) -> Option<Amount> {
    // A line with nothing to pay counts as positive; the domain refuses any amount on it.
    let sign = if line.payable().minor_units() < 0 { -1 } else { 1 };
    Amount::new(i64::try_from(magnitude).ok()?.checked_mul(sign)?)
}
