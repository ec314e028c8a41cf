//! Reads an operation's form into a request. The form is turned into the JSON body that a client
//! would send, and the API's own parser checks that body, so that both accept the same requests.

use crate::clock::{local_moment, rfc3339};
use crate::domain::currency::{Currency, FigureRejected};
use crate::domain::ids::{LineId, ResourceId};
use crate::domain::item::Item;
use crate::domain::line::Line;
use crate::domain::money::Amount;
use crate::domain::operation::{OperationKind, OperationRequest};
use crate::domain::quantity::{Part, Quantity};
use crate::http::admin::form::Form;
use crate::http::admin::words::item_quantity;
use crate::json::Tree;
use crate::store::OrderRecord;
use crate::wire::operation_request;
use crate::wire::problem::Problem;

/// Fields of the payment details: their name in the form and their path in the body.
const DETAILS: [(&str, &str); 4] = [
    ("psp", "/payment_details/psp"),
    ("payment_id", "/payment_details/payment_id"),
    ("payment_product", "/payment_details/payment_product"),
    ("payment_product_type", "/payment_details/payment_product_type"),
];

const CARD: [(&str, &str); 2] =
    [("brand", "/payment_details/card/brand"), ("masked_pan", "/payment_details/card/masked_pan")];

/// Fields that do not describe the operation, so that they are not part of its fingerprint.
const FORM_ONLY_FIELDS: [&str; 6] = ["form_token", "step", "key", "seen", "reviewed", "from"];

/// The form of an operation as it was sent.
pub struct Typed {
    /// One per line, in the order of the items.
    pub lines: Vec<TypedLine>,
    /// Problems of other fields: the field's name, empty for the whole form, and a message.
    pub problems: Vec<(&'static str, String)>,
    /// The body that a client would send.
    pub body: Tree,
    /// The request; `None` while there are problems.
    pub request: Option<OperationRequest>,
}

/// The boxes of one line.
pub struct TypedLine {
    pub line_id: LineId,
    /// The contents of the amount box. A valid quantity has been converted into it.
    pub amount: String,
    /// The contents of the quantity box; empty unless it is invalid.
    pub quantity: String,
    pub problem: String,
    meant: Option<Amount>,
}

/// What a form is about: the kind of operation and its order.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub kind: OperationKind,
    pub order: &'a OrderRecord,
    pub time_zone: &'a str,
    /// The authorization that the operation is booked under, on orders with several.
    pub authorization_id: Option<&'a ResourceId>,
}

impl Subject<'_> {
    /// What an operation of this kind may take from a line now, as a magnitude.
    pub fn available(&self, line: &Line) -> u64 {
        let several = self.order.ledger.multiple_authorizations;
        if several && self.kind != OperationKind::Authorization && self.authorization_id.is_none() {
            return 0;
        }
        line.available(self.kind, self.authorization_id)
    }

    /// Fields that fill every box with all that is left.
    pub fn filled(&self) -> Vec<(String, String)> {
        vec![("others".to_owned(), "all".to_owned())]
    }

    /// Fields that leave every box empty.
    pub fn cleared(&self) -> Vec<(String, String)> {
        vec![("others".to_owned(), "none".to_owned())]
    }

    /// All that is left on a line, as the contents of its box; empty when nothing is left.
    fn all_of(&self, line: &Line) -> String {
        match self.available(line) {
            0 => String::new(),
            available => plain_figure(&self.order.currency, available),
        }
    }

    pub fn read(&self, form: &Form) -> Typed {
        let line = |item: &Item| {
            let at = self.order.ledger.find(item.line_id)?;
            Some(self.read_line(item, &self.order.ledger.lines[at], form))
        };
        let lines: Vec<TypedLine> = self.order.items.iter().filter_map(line).collect();
        let mut problems = self.unknown_fields(form);
        let body = self.body(&lines, form, &mut problems);
        let is_valid = lines.iter().all(|line| line.problem.is_empty()) && problems.is_empty();
        let mut request = None;
        if is_valid {
            match operation_request::parse(self.kind, &body) {
                Ok(parsed) => request = Some(parsed),
                Err(wrong) => problems.extend(wrong.into_iter().map(form_problem)),
            }
        }
        Typed { lines, problems, body, request }
    }

    fn read_line(&self, item: &Item, line: &Line, form: &Form) -> TypedLine {
        let name = amount_name(item.line_id);
        // A line outside the window has no box in the form; "others" decides about it.
        let amount = match form.has(&name) {
            false if form.text("others") == "all" => self.all_of(line),
            _ => form.text(&name).trim().to_owned(),
        };
        let quantity = form.text(&quantity_name(item.line_id)).trim().to_owned();
        let read = if quantity.is_empty() {
            self.read_amount(&amount, line).map(|meant| (amount.clone(), meant))
        } else {
            self.read_quantity(&quantity, item, line).map(|magnitude| {
                let shown = plain_figure(&self.order.currency, magnitude);
                (shown, signed(line, magnitude))
            })
        };
        let line_id = item.line_id;
        match read {
            Ok((amount, meant)) => {
                let meant = meant.filter(|amount| *amount != Amount::ZERO);
                TypedLine { line_id, amount, meant, ..TypedLine::empty(line_id) }
            }
            Err(problem) => TypedLine { amount, quantity, problem, ..TypedLine::empty(line_id) },
        }
    }

    /// The signed amount of a box; `None` when it is empty.
    fn read_amount(&self, typed: &str, line: &Line) -> Result<Option<Amount>, String> {
        if typed.is_empty() {
            return Ok(None);
        }
        let currency = &self.order.currency;
        let minor_units = currency.parse_figure(typed).map_err(|why| match why {
            FigureRejected::NoFigure => {
                "Enter an amount such as 120.00, or leave it empty.".to_owned()
            }
            FigureRejected::TooManyDecimals { decimals: 0 } => {
                format!("{} has no decimals.", currency.code())
            }
            FigureRejected::TooManyDecimals { decimals } => {
                format!("{} has {decimals} decimals.", currency.code())
            }
        })?;
        let gives_back = line.payable().minor_units() < 0;
        if minor_units < 0 && !gives_back {
            return Err("Enter the amount without a minus sign.".to_owned());
        }
        let read = signed(line, minor_units.unsigned_abs());
        read.map(Some).ok_or_else(|| "The amount is too large.".to_owned())
    }

    fn read_quantity(&self, typed: &str, item: &Item, line: &Line) -> Result<u64, String> {
        let of = item_quantity(item).unwrap_or_else(|| "1".to_owned());
        let refused = || format!("Enter how many of the {of}, or an amount.");
        let whole = Quantity::parse(&of).ok_or_else(refused)?;
        let asked = Quantity::parse(typed).filter(|asked| *asked <= whole).ok_or_else(refused)?;
        let (payable, available) = (line.payable().magnitude(), self.available(line));
        Ok(Part { quantity: asked, of: whole, payable, available }.amount())
    }

    /// The body that a client would send. Adds a problem for each field that cannot be converted.
    fn body(
        &self,
        lines: &[TypedLine],
        form: &Form,
        problems: &mut Vec<(&'static str, String)>,
    ) -> Tree {
        let item = |line: &TypedLine| {
            Some(Tree::object([
                ("line_id", Tree::integer(line.line_id.number())),
                ("amount", Tree::integer(line.meant?.minor_units())),
            ]))
        };
        let items: Vec<Tree> = lines.iter().filter_map(item).collect();
        let mut members = vec![("items", Tree::List(items))];
        if let Some(id) = self.authorization_id {
            members.push(("authorization_id", Tree::text(id.as_str())));
        }
        if !form.text("refused").is_empty() {
            members.push(("success", Tree::Bool(false)));
        }
        if let Some(moment) = self.processed_at(form, problems) {
            members.push(("processed_at", Tree::text(moment)));
        }
        members.extend(payment_details(form).map(|tree| ("payment_details", tree)));
        members.extend(metadata(form, problems).map(|tree| ("metadata", tree)));
        Tree::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    fn processed_at(
        &self,
        form: &Form,
        problems: &mut Vec<(&'static str, String)>,
    ) -> Option<String> {
        let typed = form.text("processed_at").trim();
        if typed.is_empty() {
            return None;
        }
        let moment = local_moment(typed, self.time_zone).map(rfc3339);
        if moment.is_none() {
            problems.push((
                "processed_at",
                "Not a valid time. Write it as 2026-11-23T10:00.".to_owned(),
            ));
        }
        moment
    }

    /// A problem for each unknown field. Ignoring one could record less than the sender meant.
    fn unknown_fields(&self, form: &Form) -> Vec<(&'static str, String)> {
        let singles =
            ["authorization_id", "others", "refused", "reason", "processed_at", "metadata"];
        let is_known = |name: &str| {
            let of_line = name.strip_prefix("amount-").or_else(|| name.strip_prefix("quantity-"));
            let line = of_line.and_then(|number| LineId::new(number.parse().ok()?));
            FORM_ONLY_FIELDS.contains(&name)
                || singles.contains(&name)
                || DETAILS.iter().any(|(known, _)| *known == name)
                || CARD.iter().any(|(known, _)| name.strip_prefix("card_") == Some(known))
                || line.is_some_and(|line| self.order.ledger.find(line).is_some())
        };
        let unknown = form.fields().iter().filter(|(name, _)| !is_known(name));
        unknown
            .map(|_| {
                ("", "The form has a field that this order does not have. Reload it.".to_owned())
            })
            .collect()
    }
}

impl TypedLine {
    fn empty(line_id: LineId) -> TypedLine {
        let text = String::new;
        TypedLine { line_id, amount: text(), quantity: text(), problem: text(), meant: None }
    }
}

/// The fields that describe the operation, as typed. The fingerprint of a form's key covers these.
pub fn operation_fields(form: &Form) -> Vec<(&str, &str)> {
    let fields =
        form.fields().iter().filter(|(name, _)| !FORM_ONLY_FIELDS.contains(&name.as_str()));
    fields.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The name of a line's amount box.
pub fn amount_name(line_id: LineId) -> String {
    format!("amount-{}", line_id.number())
}

/// The name of a line's quantity box.
pub fn quantity_name(line_id: LineId) -> String {
    format!("quantity-{}", line_id.number())
}

/// A figure without the grouping spaces, which would be in the way when editing it in a box.
fn plain_figure(currency: &Currency, magnitude: u64) -> String {
    currency.figure(magnitude.into()).replace('\u{a0}', "")
}

fn signed(line: &Line, magnitude: u64) -> Option<Amount> {
    // A line with nothing to pay counts as positive; the domain refuses any amount on it.
    let sign = if line.payable().minor_units() < 0 { -1 } else { 1 };
    Amount::new(i64::try_from(magnitude).ok()?.checked_mul(sign)?)
}

fn payment_details(form: &Form) -> Option<Tree> {
    let texts = |names: &[(&str, &str)], prefix: &str| -> Vec<(String, Tree)> {
        let text = |name: &str| form.text(&format!("{prefix}{name}")).trim().to_owned();
        let typed = names.iter().map(|(name, _)| ((*name).to_owned(), text(name)));
        let typed = typed.filter(|(_, text)| !text.is_empty());
        typed.map(|(name, text)| (name, Tree::Text(text))).collect()
    };
    let mut details = texts(&DETAILS, "");
    let card = texts(&CARD, "card_");
    if !card.is_empty() {
        details.push(("card".to_owned(), Tree::Object(card)));
    }
    (!details.is_empty()).then_some(Tree::Object(details))
}

/// The metadata: lines of `name: value`, and the gateway's reason.
fn metadata(form: &Form, problems: &mut Vec<(&'static str, String)>) -> Option<Tree> {
    let mut members: Vec<(String, Tree)> = Vec::new();
    let reason = form.text("reason").trim();
    if !reason.is_empty() {
        members.push(("reason".to_owned(), Tree::text(reason)));
    }
    for line in form.text("metadata").lines().filter(|line| !line.trim().is_empty()) {
        let pair = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        let Some((name, value)) = pair.filter(|(name, _)| !name.is_empty()) else {
            problems.push(("metadata", "Write one name: value per line.".to_owned()));
            break;
        };
        if members.iter().any(|(known, _)| known == name) {
            problems.push(("metadata", format!("{name} is given twice.")));
            break;
        }
        members.push((name.to_owned(), Tree::text(value)));
    }
    (!members.is_empty()).then_some(Tree::Object(members))
}

/// A problem of the body, assigned to the field of the form that it came from.
fn form_problem(problem: Problem) -> (&'static str, String) {
    let message = match problem.code {
        "empty" => "Enter an amount on at least one line.".to_owned(),
        _ => problem.message,
    };
    (field_at(&problem.path), message)
}

/// The field of the form that a path in the body came from; empty when no field has it.
fn field_at(path: &str) -> &'static str {
    let details = DETAILS.iter().find(|(_, place)| *place == path).map(|(name, _)| *name);
    match path {
        "/payment_details/card/masked_pan" => "card_masked_pan",
        "/payment_details/card/brand" => "card_brand",
        "/processed_at" => "processed_at",
        "/metadata" => "metadata",
        _ => details.unwrap_or_default(),
    }
}
