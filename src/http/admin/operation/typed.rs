//! Reads an operation's form into a request. The form is turned into the JSON body that a client
//! would send, and the API's own parser checks that body, so that both accept the same requests.

use super::line_fields::{LINE_FIELDS, TypedLine};
use super::moves::moves;
use super::subject::Subject;
use super::words::Words;
use crate::clock::{local_moment, rfc3339};
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::domain::operation::{OperationKind, OperationRequest};
use crate::http::admin::form::Form;
use crate::json::Tree;
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
const FORM_ONLY_FIELDS: [&str; 6] = ["form_token", "button", "key", "shown", "seen", "reviewed"];

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

impl Subject<'_> {
    /// Fields that fill every amount with all that is left.
    pub fn filled(&self) -> Vec<(String, String)> {
        self.order.ledger.lines.iter().flat_map(|line| self.all_of(line)).collect()
    }

    /// The fields of a form that was just opened. Captures and reservations mostly take all that
    /// is left. Refunds and releases mostly take a part, so that all of it must be asked for.
    pub fn opened(&self) -> Vec<(String, String)> {
        match self.kind {
            OperationKind::Authorization | OperationKind::Capture => self.filled(),
            OperationKind::Refund | OperationKind::Cancellation => Vec::new(),
        }
    }

    pub fn read(&self, form: &Form) -> Typed {
        let moves = moves(self.loaded);
        let line = |item: &Item| {
            let at = self.order.ledger.find(item.line_id)?;
            let moves = moves.get(&item.line_id).map(Vec::as_slice).unwrap_or_default();
            Some(self.read_line(item, &self.order.ledger.lines[at], moves, form))
        };
        let lines: Vec<TypedLine> = self.order.items.iter().filter_map(line).collect();
        let mut problems = self.unknown_fields(form);
        problems.extend(repeated_fields(form));
        let body = self.body(&lines, form, &mut problems);
        let is_valid = lines.iter().all(|line| line.problem.is_empty()) && problems.is_empty();
        let mut request = None;
        if is_valid {
            match operation_request::parse(self.kind, body.clone()) {
                Ok(parsed) => request = Some(parsed),
                Err(wrong) => problems.extend(wrong.into_iter().map(form_problem)),
            }
        }
        Typed { lines, problems, body, request }
    }

    /// The body that a client would send. Adds a problem for each field that cannot be converted.
    fn body(
        &self,
        lines: &[TypedLine],
        form: &Form,
        problems: &mut Vec<(&'static str, String)>,
    ) -> Tree {
        let item = |line: &TypedLine| {
            let meant = line.meant?;
            let line_id = ("line_id", Tree::integer(line.line_id.number()));
            let amount = ("amount", Tree::integer(meant.amount.minor_units()));
            // A field of ours, so that later parts by quantity take the exact rest.
            let quantity = meant.quantity.map(|it| ("quantity", Tree::Number(it.to_string())));
            let members = [line_id, amount].into_iter().chain(quantity);
            Some(Tree::Object(members.map(|(key, tree)| (key.to_owned(), tree)).collect()))
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
        let singles = ["authorization_id", "refused", "reason", "processed_at", "metadata"];
        let is_known = |name: &str| {
            let of_line = LINE_FIELDS.iter().find_map(|prefix| name.strip_prefix(prefix));
            let line = of_line.and_then(|number| LineId::new(number.parse().ok()?));
            FORM_ONLY_FIELDS.contains(&name)
                || singles.contains(&name)
                || (name == "why" && !Words::of(self.kind).why.is_empty())
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

/// A problem if a field was sent twice: only the first would be read.
fn repeated_fields(form: &Form) -> Option<(&'static str, String)> {
    let mut names: Vec<&str> = form.fields().iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let is_repeated = names.windows(2).any(|pair| pair[0] == pair[1]);
    is_repeated.then(|| ("", "The form has a field twice. Reload it.".to_owned()))
}

/// The fields that describe the operation, as typed. The fingerprint of a form's key covers these.
pub fn operation_fields(form: &Form) -> Vec<(&str, &str)> {
    let fields =
        form.fields().iter().filter(|(name, _)| !FORM_ONLY_FIELDS.contains(&name.as_str()));
    fields.map(|(name, value)| (name.as_str(), value.as_str())).collect()
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

/// The metadata: lines of `name: value`, why a person refunds or releases, and why the gateway
/// refused. Without the first, the gateway's reason is the only one.
fn metadata(form: &Form, problems: &mut Vec<(&'static str, String)>) -> Option<Tree> {
    let mut members: Vec<(String, Tree)> = Vec::new();
    let (why, refusal) = (form.text("why").trim(), form.text("reason").trim());
    if !why.is_empty() {
        members.push(("reason".to_owned(), Tree::text(why)));
    }
    if !refusal.is_empty() {
        let name = if why.is_empty() { "reason" } else { "decline_reason" };
        members.push((name.to_owned(), Tree::text(refusal)));
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
        _ if path == "/metadata" || path.starts_with("/metadata/") => "metadata",
        _ => details.unwrap_or_default(),
    }
}
