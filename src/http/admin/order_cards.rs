//! An order's payment operations, a card each, the newest first.

use super::super::api::operations_of;
use super::order_read::OrderRead;
use super::words;
use crate::domain::operation::{Operation, OperationKind};
use crate::json::{self, Tree};

/// What is shown of an operation.
pub struct OperationCard {
    pub kind: &'static str,
    pub amount: String,
    pub success: bool,
    pub facts: Vec<Fact>,
}

/// Something an operation says, and what it is called.
pub struct Fact {
    pub name: &'static str,
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
    let details = document.member("payment_details").cloned().unwrap_or(Tree::Null);
    let text = |tree: &Tree, key: &str| {
        tree.member(key).and_then(Tree::as_text).unwrap_or_default().to_owned()
    };
    let card = details.member("card").cloned().unwrap_or(Tree::Null);
    let lines: Vec<String> = operation
        .items
        .iter()
        .map(|item| {
            let amount = words::figure(&read.order.currency, item.amount.minor_units().into());
            format!("{}: {amount}", item.line_id.number())
        })
        .collect();
    let card = format!("{} {}", text(&card, "brand"), text(&card, "masked_pan"));
    let facts = [
        ("When", read.local(operation.created_at)),
        ("Who", read.name_of(&operation.created_by)),
        ("Lines", lines.join(", ")),
        ("Gateway", text(&details, "psp")),
        ("Recorded by", text(&document, "processed_by")),
        ("Payment id", text(&details, "payment_id")),
        ("Card", card.trim().to_owned()),
    ];
    OperationCard {
        kind: words::operation(operation.kind),
        amount: words::money(&read.order.currency, operation.amount.minor_units().into()),
        success: operation.success,
        facts: facts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| Fact { name, text })
            .collect(),
    }
}
