//! An order's payment operations, a card each, the newest first.

use super::super::api::operations_of;
use super::order_figures::describe;
use super::order_read::OrderRead;
use super::words;
use crate::clock::parse_rfc3339;
use crate::domain::operation::{Operation, OperationItem, OperationKind};
use crate::json::{self, Tree};

/// Lines and members of the metadata that a card shows.
const LINES_MAX: usize = 5;
const MEMBERS_MAX: usize = 8;

/// Characters of a text on a card.
const TEXT_CHARS_MAX: usize = 80;

/// Members of the metadata in which gateways say why they refused.
const REASONS: [&str; 7] = [
    "reason",
    "decline_reason",
    "failure_reason",
    "error_message",
    "error_description",
    "error",
    "message",
];

/// What is shown of an operation.
pub struct OperationCard {
    pub kind: &'static str,
    pub amount: String,
    pub success: bool,
    /// Why it failed; empty when nobody said.
    pub reason: String,
    pub facts: Vec<Fact>,
    /// What the client said besides, under its own names.
    pub members: Vec<Member>,
    /// How many more members there are; empty when none.
    pub members_left: String,
}

/// Something an operation says, and what it is called.
pub struct Fact {
    pub name: &'static str,
    pub texts: Vec<String>,
}

/// A member of the metadata.
pub struct Member {
    pub name: String,
    pub text: String,
}

/// The cards.
pub fn operation_cards(read: &OrderRead) -> Vec<OperationCard> {
    let order = &read.order;
    let mut all: Vec<&Operation> =
        OperationKind::ALL.iter().flat_map(|kind| operations_of(order, *kind)).collect();
    all.sort_by_key(|operation| std::cmp::Reverse(operation.seq));
    all.into_iter().map(|operation| operation_card(read, operation)).collect()
}

fn operation_card(read: &OrderRead, operation: &Operation) -> OperationCard {
    let document = json::parse(operation.document.0.as_bytes()).unwrap_or(Tree::Null);
    let members = match document.member("metadata") {
        Some(Tree::Object(members)) => members.as_slice(),
        _ => &[],
    };
    let left = members.len().saturating_sub(MEMBERS_MAX);
    let shown = members.iter().take(MEMBERS_MAX);
    OperationCard {
        kind: words::operation(operation.kind),
        amount: words::money(&read.order.currency, operation.amount.minor_units().into()),
        success: operation.success,
        reason: reason(members),
        facts: facts(read, operation, &document),
        members: shown
            .map(|(name, value)| Member { name: cut(name), text: cut(&plain(value)) })
            .collect(),
        members_left: words::count_left(left),
    }
}

/// Why the gateway refused, where the metadata says so.
fn reason(members: &[(String, Tree)]) -> String {
    let find = |key: &&str| members.iter().find(|(name, _)| name == key);
    let found = REASONS.iter().find_map(find);
    found.map_or_else(String::new, |(_, value)| cut(&plain(value)))
}

fn facts(read: &OrderRead, operation: &Operation, document: &Tree) -> Vec<Fact> {
    let details = document.member("payment_details").unwrap_or(&Tree::Null);
    let card = details.member("card").unwrap_or(&Tree::Null);
    let one = |name, text: String| Fact { name, texts: vec![text] };
    let mut facts = vec![
        one("When", read.local(operation.created_at)),
        one("Who", read.name_of(&operation.created_by)),
        // A failure is told above the facts, with its reason.
        one("Result", if operation.success { "succeeded" } else { "" }.to_owned()),
        Fact { name: "Lines", texts: lines(read, &operation.items) },
        one("Processed", processed_at(read, document)),
        one("Processed by", joined(document, &["processed_by"])),
        one("Gateway", joined(details, &["psp"])),
        one("Payment id", joined(details, &["payment_id"])),
        one("Product", joined(details, &["payment_product", "payment_product_type"])),
        one("Card", joined(card, &["brand", "type", "masked_pan"])),
        one("Authorization", authorization_id(read, operation)),
    ];
    facts.retain(|fact| fact.texts.iter().any(|text| !text.is_empty()));
    facts
}

/// The id that draws on a reservation name; only where an order can have several.
fn authorization_id(read: &OrderRead, operation: &Operation) -> String {
    if !read.order.ledger.multiple_authorizations {
        return String::new();
    }
    let id = match operation.kind {
        OperationKind::Authorization => Some(&operation.id),
        _ => operation.authorization_id.as_ref(),
    };
    id.map_or_else(String::new, |id| id.as_str().to_owned())
}

/// When the gateway did it, on the shop's clocks; as it was sent where that is no time.
fn processed_at(read: &OrderRead, document: &Tree) -> String {
    let sent = document.member("processed_at").and_then(Tree::as_text).unwrap_or_default();
    parse_rfc3339(sent).map_or_else(|| cut(sent), |at| read.local(at))
}

fn lines(read: &OrderRead, items: &[OperationItem]) -> Vec<String> {
    let line = |item: &OperationItem| {
        let amount = words::figure(&read.order.currency, item.amount.minor_units().into());
        let known = read.order.items.iter().find(|known| known.line_id == item.line_id);
        let description = known.map(describe).unwrap_or_default();
        format!("{} {}: {amount}", item.line_id.number(), cut(&description))
    };
    let mut lines: Vec<String> = items.iter().take(LINES_MAX).map(line).collect();
    let left = words::count_left(items.len().saturating_sub(LINES_MAX));
    lines.extend((!left.is_empty()).then_some(left));
    lines
}

/// The texts of those members, those that are there, with spaces between.
fn joined(tree: &Tree, keys: &[&str]) -> String {
    let texts = keys.iter().filter_map(|key| tree.member(key).and_then(Tree::as_text));
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    cut(&texts.join(" "))
}

/// A value as a person reads it: a text without its quotes, all else as JSON.
fn plain(value: &Tree) -> String {
    value.as_text().map_or_else(|| value.to_string(), str::to_owned)
}

fn cut(text: &str) -> String {
    words::cut(text, TEXT_CHARS_MAX)
}
