//! An order's payment operations, one card each, newest first.

use std::collections::{BTreeMap, BTreeSet};

use super::read::OrderRead;
use super::sections::{Section, Whole};
use crate::clock::parse_rfc3339;
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::domain::operation::{Operation, OperationItem, OperationKind};
use crate::http::admin::words;
use crate::json::Tree;

/// How much a card shows.
#[derive(Clone, Copy)]
struct Limits {
    lines_max: usize,
    /// Members of the metadata.
    members_max: usize,
    text_chars_max: usize,
}

const GLANCE: Limits = Limits { lines_max: 5, members_max: 8, text_chars_max: 80 };
const UNLIMITED: Limits =
    Limits { lines_max: usize::MAX, members_max: usize::MAX, text_chars_max: usize::MAX };

/// Members of the metadata in which gateways give the reason of a refusal, in order of preference.
const REASONS: [&str; 7] = [
    "decline_reason",
    "reason",
    "failure_reason",
    "error_message",
    "error_description",
    "error",
    "message",
];

/// The member of the metadata in which a refund or a release says why it was made.
const WHY: &str = "reason";

pub struct OperationCard {
    /// The operation's id.
    pub id: String,
    pub kind: &'static str,
    pub amount: String,
    pub success: bool,
    /// Why the operation failed; empty when the client sent no reason.
    pub reason: String,
    pub facts: Vec<Fact>,
    /// Other metadata of the client, under its own names.
    pub members: Vec<Member>,
    /// "and 3 more", when members are left out; otherwise empty.
    pub members_left: String,
}

/// A named fact about an operation.
pub struct Fact {
    pub name: &'static str,
    pub texts: Vec<String>,
}

/// A member of the metadata.
pub struct Member {
    pub name: String,
    pub text: String,
}

/// The sources that all cards are made from.
struct Source<'a> {
    read: &'a OrderRead,
    limits: Limits,
    /// The descriptions of the lines on the cards, cut to the limits.
    descriptions: BTreeMap<LineId, String>,
}

/// The newest operations, shortened; or all of them in full, if the address asks for that.
pub fn operation_cards(read: &OrderRead, whole: &Whole) -> Vec<OperationCard> {
    let order = &read.order;
    let mut all: Vec<&Operation> =
        OperationKind::ALL.iter().flat_map(|kind| order.operations_of(*kind)).collect();
    all.sort_by_key(|operation| std::cmp::Reverse(operation.seq));
    all.truncate(whole.shown_max(Section::Operations));
    let limits = if whole.has(Section::Operations) { UNLIMITED } else { GLANCE };
    let source = Source { read, limits, descriptions: descriptions(read, &all, limits) };
    all.into_iter().map(|operation| operation_card(&source, operation)).collect()
}

/// The descriptions of the lines that the cards of these operations show.
fn descriptions(
    read: &OrderRead,
    operations: &[&Operation],
    limits: Limits,
) -> BTreeMap<LineId, String> {
    let items =
        operations.iter().flat_map(|operation| operation.items.iter().take(limits.lines_max));
    let shown: BTreeSet<LineId> = items.map(|item| item.line_id).collect();
    let described = read.order.items.iter().filter(|item| shown.contains(&item.line_id));
    let description = |item: &Item| words::description_in(&read.item_document(item));
    described.map(|item| (item.line_id, limits.cut(&description(item)))).collect()
}

fn operation_card(source: &Source<'_>, operation: &Operation) -> OperationCard {
    let Source { read, limits, .. } = *source;
    let document = read.operation_document(operation);
    let members = match document.member("metadata") {
        Some(Tree::Object(members)) => members.as_slice(),
        _ => &[],
    };
    let why = why_of(operation, &document);
    let others = || members.iter().filter(|(name, _)| why.is_empty() || name != WHY);
    let left = others().count().saturating_sub(limits.members_max);
    let shown = others().take(limits.members_max);
    OperationCard {
        id: operation.id.as_str().to_owned(),
        kind: words::operation(operation.kind),
        amount: words::money(&read.order.currency, operation.amount.minor_units().into()),
        success: operation.success,
        reason: reason(members, limits),
        facts: facts(source, operation, &document),
        members: shown
            .map(|(name, value)| Member { name: limits.cut(name), text: limits.cut(&plain(value)) })
            .collect(),
        members_left: words::count_left(left),
    }
}

/// Why money was given back or released, from the metadata; empty if no reason was given.
pub fn why(read: &OrderRead, operation: &Operation) -> String {
    if !takes_back(operation) {
        return String::new();
    }
    why_of(operation, &read.operation_document(operation))
}

fn takes_back(operation: &Operation) -> bool {
    match operation.kind {
        OperationKind::Refund | OperationKind::Cancellation => operation.success,
        OperationKind::Authorization | OperationKind::Capture => false,
    }
}

fn why_of(operation: &Operation, document: &Tree) -> String {
    let metadata = document.member("metadata").filter(|_| takes_back(operation));
    let why = metadata.and_then(|metadata| metadata.member(WHY)).and_then(Tree::as_text);
    why.unwrap_or_default().to_owned()
}

/// The gateway's reason for a refusal, from the metadata; empty when the metadata has no reason.
fn reason(members: &[(String, Tree)], limits: Limits) -> String {
    let find = |key: &&str| members.iter().find(|(name, _)| name == key);
    let found = REASONS.iter().find_map(find);
    found.map_or_else(String::new, |(_, value)| limits.cut(&plain(value)))
}

fn facts(source: &Source<'_>, operation: &Operation, document: &Tree) -> Vec<Fact> {
    let Source { read, limits, .. } = *source;
    let details = document.member("payment_details").unwrap_or(&Tree::Null);
    let card = details.member("card").unwrap_or(&Tree::Null);
    let one = |name, text: String| Fact { name, texts: vec![limits.cut(&text)] };
    let mut facts = vec![
        one("When", read.local(operation.created_at)),
        one("Who", read.name_of(&operation.created_by)),
        // The template shows a failure above the facts, with its reason.
        one("Result", if operation.success { "succeeded" } else { "" }.to_owned()),
        one("Why", why_of(operation, document)),
        Fact { name: "Lines", texts: lines(source, &operation.items) },
        Fact { name: "Payout", texts: payouts(source, document) },
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

/// The id of the operation's reservation; empty on an order that can have only one.
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

/// When the gateway processed it, in the shop's time zone; as sent when it is not a timestamp.
fn processed_at(read: &OrderRead, document: &Tree) -> String {
    let sent = document.member("processed_at").and_then(Tree::as_text).unwrap_or_default();
    parse_rfc3339(sent).map_or_else(|| sent.to_owned(), |at| read.local(at))
}

fn lines(
    Source { read, limits, descriptions }: &Source<'_>,
    items: &[OperationItem],
) -> Vec<String> {
    let line = |item: &OperationItem| {
        let amount = words::figure(&read.order.currency, item.amount.minor_units().into());
        let description = descriptions.get(&item.line_id).map(String::as_str).unwrap_or_default();
        format!("{} {description}: {amount}", item.line_id.number())
    };
    let mut lines: Vec<String> = items.iter().take(limits.lines_max).map(line).collect();
    let left = words::count_left(items.len().saturating_sub(limits.lines_max));
    lines.extend((!left.is_empty()).then_some(left));
    lines
}

/// The amount of each destination, over all lines.
fn payouts(source: &Source<'_>, document: &Tree) -> Vec<String> {
    let (read, limits) = (source.read, source.limits);
    let mut sums: Vec<(&str, i128)> = Vec::new();
    for item in document.member("items").map(Tree::elements).unwrap_or_default() {
        let shares = item.member("payout").and_then(|payout| payout.member("destinations"));
        for share in shares.map(Tree::elements).unwrap_or_default() {
            let name = share.member("destination").and_then(Tree::as_text).unwrap_or_default();
            let amount = share.member("amount").and_then(Tree::as_integer).unwrap_or_default();
            match sums.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += i128::from(amount),
                None => sums.push((name, amount.into())),
            }
        }
    }
    let shown = sums.iter().take(limits.lines_max);
    let text = |(name, sum): &(&str, i128)| {
        format!("{name}: {}", words::figure(&read.order.currency, *sum))
    };
    let left = words::count_left(sums.len().saturating_sub(limits.lines_max));
    shown.map(text).chain((!left.is_empty()).then_some(left)).collect()
}

/// The texts of these members, joined by spaces; missing members are skipped.
fn joined(tree: &Tree, keys: &[&str]) -> String {
    let texts = keys.iter().filter_map(|key| tree.member(key).and_then(Tree::as_text));
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(" ")
}

/// A text without its quotes; any other value as JSON.
fn plain(value: &Tree) -> String {
    value.as_text().map_or_else(|| value.to_string(), str::to_owned)
}

impl Limits {
    fn cut(self, text: &str) -> String {
        words::cut(text, self.text_chars_max)
    }
}
