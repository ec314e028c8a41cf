//! The page with an operation's form: builds the values of its template.

use askama::Template;

use super::review::{Review, review};
use super::rows::{Row, Sources, rows, so_far};
use super::subject::Subject;
use super::typed::Typed;
use super::words::{Words, refusal};
use crate::domain::ids::ResourceId;
use crate::domain::operation::{Operation, OperationKind};
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::order::read::OrderRead;
use crate::http::admin::words::{figure, money, of_money};
use crate::json::Tree;
use crate::store::{EventRecord, OrderRecord};
use crate::wire::curl::Curl;

/// Bytes of the JSON body in the curl command; a longer command is not shown.
const CURL_BYTES_MAX: usize = 8 << 10;

#[derive(Template)]
#[template(path = "operation/form.html")]
pub struct OperationPage {
    pub frame: Frame,
    pub order_id: String,
    pub order_href: String,
    pub self_href: String,
    pub words: &'static Words,
    pub key: String,
    /// A notice at the top of the page; may be empty.
    pub notice: String,
    /// Why the page has no form; empty when it has one.
    pub no_form: &'static str,
    pub figures: Vec<(&'static str, String)>,
    pub authorizations: Vec<Choice>,
    /// The authorization whose lines the page shows; empty while one has to be chosen, and on
    /// orders that do not have several.
    pub shown: String,
    /// True if an authorization has to be chosen before the form is shown.
    pub must_choose: bool,
    /// What happened to the order since the form was first shown.
    pub changes: Vec<String>,
    pub rows: Vec<Row>,
    pub details: Vec<Detail>,
    pub has_details: bool,
    pub refused: bool,
    pub reason: String,
    /// Why money is given back or released, as typed.
    pub why: String,
    pub metadata: String,
    pub metadata_problem: String,
    pub problems: Vec<String>,
    pub review: Option<Review>,
    /// A digest of the reviewed operation; the form is recorded only if it still matches.
    pub reviewed: String,
    /// The number of events that the order had when the page was made.
    pub seen: usize,
    pub curl: String,
}

/// An authorization that the operation may draw on.
pub struct Choice {
    pub id: String,
    pub name: String,
    pub left: String,
    pub chosen: bool,
}

/// An optional field.
pub struct Detail {
    pub name: &'static str,
    pub label: &'static str,
    pub kind: &'static str,
    pub value: String,
    pub problem: String,
}

/// Values carried over from the form's previous page.
pub struct Before<'a> {
    pub notice: &'a str,
    pub key: String,
    /// The number of events that the order had when the form was first shown.
    pub seen: Option<usize>,
}

/// The page's frame and addresses.
pub struct Place<'a> {
    pub frame: Frame,
    pub order_href: String,
    pub api_href: String,
    pub before: Before<'a>,
}

/// Builds the page from the order and the typed values.
pub fn operation_page(
    subject: &Subject<'_>,
    loaded: &OrderRead,
    form: &Form,
    typed: &Typed,
    place: Place<'_>,
) -> OperationPage {
    let order = subject.order;
    let seen = order.events.len();
    let changed: &[EventRecord] =
        order.events.get(place.before.seen.unwrap_or(seen)..).unwrap_or(&[]);
    let (review, refused) = match review(subject, typed) {
        Some(Ok(review)) => (Some(review), None),
        Some(Err(refused)) => (None, Some(refused)),
        None => (None, None),
    };
    let self_href = format!("{}/{}", place.order_href, subject.kind.plural());
    let (no_form, must_choose) = (no_form(subject), must_choose(subject));
    let mut problems = Vec::new();
    // Without a form on the page there is nothing to correct, so problems are left out.
    if no_form.is_empty() && !must_choose {
        problems.extend(problems_of(typed, ""));
        problems.extend(refused.iter().map(|r| r.reason.to_owned()).filter(|r| !r.is_empty()));
    }
    let refused = refused.as_ref();
    let sources = Sources { subject, typed, refused, changed };
    OperationPage {
        order_id: order.order_id.as_str().to_owned(),
        words: Words::of(subject.kind),
        notice: place.before.notice.to_owned(),
        no_form,
        figures: figures(subject),
        authorizations: choices(subject, loaded),
        shown: subject.authorization_id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
        must_choose,
        changes: changed.iter().map(|event| change(loaded, event)).collect(),
        rows: rows(&sources),
        has_details: detail_fields().any(|(name, _, _)| !form.text(name).is_empty())
            || !form.text("metadata").is_empty(),
        details: detail_fields().map(|field| detail(field, form, typed)).collect(),
        refused: !form.text("refused").is_empty(),
        reason: form.text("reason").to_owned(),
        why: form.text("why").to_owned(),
        metadata: form.text("metadata").to_owned(),
        metadata_problem: problems_of(typed, "metadata").collect::<Vec<_>>().join(" "),
        problems,
        reviewed: reviewed(subject, typed),
        review,
        key: place.before.key,
        seen,
        curl: curl(&place.api_href, subject.kind, &typed.body),
        frame: place.frame,
        order_href: place.order_href,
        self_href,
    }
}

/// A digest of what the review shows: the state of the order (its number of events), the amounts,
/// the authorization and the outcome.
pub fn reviewed(subject: &Subject<'_>, typed: &Typed) -> String {
    let member = |key: &str| typed.body.member(key).map(Tree::to_string).unwrap_or_default();
    let shown = ["items", "authorization_id", "success"].map(member).join("\n");
    let hash = crate::digest::sha256(shown.as_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", subject.order.events.len())
}

/// True if an authorization has to be chosen first.
pub fn must_choose(subject: &Subject<'_>) -> bool {
    subject.order.ledger.multiple_authorizations
        && subject.kind != OperationKind::Authorization
        && subject.authorization_id.is_none()
}

/// The authorizations with something left for this kind of operation, oldest first.
pub fn authorizations_left(order: &OrderRecord, kind: OperationKind) -> Vec<&ResourceId> {
    if kind == OperationKind::Authorization {
        return Vec::new();
    }
    let has_left =
        |id: &&ResourceId| order.ledger.lines.iter().any(|line| 0 < line.available(kind, Some(id)));
    order.ledger.authorizations.iter().filter(has_left).collect()
}

fn no_form(subject: &Subject<'_>) -> &'static str {
    let ledger = &subject.order.ledger;
    if let Err(rejected) = ledger.expect_status(subject.kind) {
        return refusal(&rejected);
    }
    if ledger.has_left(subject.kind) { "" } else { Words::of(subject.kind).nothing_left }
}

fn figures(subject: &Subject<'_>) -> Vec<(&'static str, String)> {
    let words = Words::of(subject.kind);
    let sums = subject.order.ledger.sums();
    let so_far = so_far(subject.kind, &sums);
    let money = |amount| money(&subject.order.currency, amount);
    let under = |id| Subject { authorization_id: Some(id), ..*subject }.left(&subject.order.ledger);
    let left = match must_choose(subject) {
        true => authorizations_left(subject.order, subject.kind).into_iter().map(under).sum(),
        false => subject.left(&subject.order.ledger),
    };
    vec![
        ("Order total", money(sums.payable)),
        (words.so_far, money(so_far)),
        (words.left, money(left)),
    ]
}

fn choices(subject: &Subject<'_>, loaded: &OrderRead) -> Vec<Choice> {
    let order = subject.order;
    if !order.ledger.multiple_authorizations || subject.kind == OperationKind::Authorization {
        return Vec::new();
    }
    let choice = |id: &ResourceId| {
        let under = Subject { authorization_id: Some(id), ..*subject };
        let made = order.events.iter().filter_map(EventRecord::operation).find(|op| op.id == *id);
        let name =
            made.map_or_else(|| id.as_str().to_owned(), |made| authorization_name(loaded, made));
        Choice {
            id: id.as_str().to_owned(),
            name,
            left: money(&order.currency, under.left(&order.ledger)),
            chosen: subject.authorization_id == Some(id),
        }
    };
    let mut offered = authorizations_left(order, subject.kind);
    // The chosen one stays, so that the form does not lose it when another user takes the rest.
    offered.extend(subject.authorization_id.filter(|chosen| !offered.contains(chosen)));
    let mut choices: Vec<Choice> = offered.into_iter().map(choice).collect();
    name_alike(&mut choices);
    choices
}

/// Characters of an id that tell choices of one name apart.
const ID_CHARS: usize = 8;

/// Adds the beginnings of their ids to choices of the same name. The order's page has the whole
/// ids.
fn name_alike(choices: &mut [Choice]) {
    let names: Vec<String> = choices.iter().map(|choice| choice.name.clone()).collect();
    for choice in choices {
        if 1 < names.iter().filter(|name| **name == choice.name).count() {
            let id: String = choice.id.chars().take(ID_CHARS).collect();
            choice.name.push_str(&format!(", id {id}…"));
        }
    }
}

fn authorization_name(loaded: &OrderRead, made: &Operation) -> String {
    let amount = of_money(&loaded.order.currency, made.amount.minor_units().into());
    let document = loaded.operation_document(made);
    let details = document.member("payment_details");
    let payment_id =
        details.and_then(|details| details.member("payment_id")).and_then(Tree::as_text);
    let when = loaded.local(made.created_at);
    let parts = [Some(format!("Reservation{amount}")), Some(when), payment_id.map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A sentence about an event that happened while the form was open.
fn change(loaded: &OrderRead, event: &EventRecord) -> String {
    let by = loaded.name_of(&event.created_by);
    let when = loaded.local(event.created_at);
    let Some(operation) = event.operation() else {
        return format!("{by} changed the order, {when}.");
    };
    let currency = &loaded.order.currency;
    let words = Words::of(operation.kind);
    let lines: Vec<String> = operation
        .items
        .iter()
        .map(|item| {
            let amount = figure(currency, item.amount.minor_units().into());
            format!("{amount} on line {}", item.line_id.number())
        })
        .collect();
    let outcome = if operation.success { "" } else { "; the gateway refused it" };
    let gives_back = operation.items.iter().any(|item| item.amount.minor_units() < 0);
    let colon = if gives_back { ":" } else { "" };
    format!("{by} {}{colon} {}, {when}{outcome}.", words.verb_past, lines.join(", "))
}

fn detail_fields() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    [
        ("processed_at", "When it was done at the gateway", "datetime-local"),
        ("psp", "Gateway", "text"),
        ("payment_id", "Payment id", "text"),
        ("payment_product", "Product", "text"),
        ("payment_product_type", "Kind of product", "text"),
        ("card_brand", "Card brand", "text"),
        ("card_masked_pan", "Card number, masked", "text"),
    ]
    .into_iter()
}

fn detail(
    (name, label, kind): (&'static str, &'static str, &'static str),
    form: &Form,
    typed: &Typed,
) -> Detail {
    let problem = problems_of(typed, name).collect::<Vec<_>>().join(" ");
    Detail { name, label, kind, value: form.text(name).to_owned(), problem }
}

fn problems_of(typed: &Typed, field: &'static str) -> impl Iterator<Item = String> {
    typed.problems.iter().filter(move |(name, _)| *name == field).map(|(_, why)| why.clone())
}

/// The same operation as a curl command; empty when it is too long to read.
fn curl(api_href: &str, kind: OperationKind, body: &Tree) -> String {
    if CURL_BYTES_MAX < body.to_string().len() {
        return String::new();
    }
    Curl::post(&format!("{api_href}/{}", kind.plural()))
        .token_of_variable()
        .header_of_variable("Idempotency-Key", "$KEY")
        .body(body)
        .lines()
}
