//! What an order's operations moved on each line, with the quantities that they state.

use std::collections::BTreeMap;

use crate::domain::ids::LineId;
use crate::domain::line_quantities::Moved;
use crate::domain::operation::{Operation, OperationKind};
use crate::domain::quantity::Quantity;
use crate::http::admin::order::read::OrderRead;
use crate::json::Tree;
use crate::store::EventRecord;

/// The successful operations on each line, oldest first.
pub fn moves(loaded: &OrderRead) -> BTreeMap<LineId, Vec<Moved>> {
    let order = &loaded.order;
    let mut moves: BTreeMap<LineId, Vec<Moved>> = BTreeMap::new();
    let operations = order.events.iter().filter_map(EventRecord::operation);
    for operation in operations.filter(|operation| operation.success) {
        let several = order.ledger.multiple_authorizations;
        let authorization_id = match operation.kind {
            OperationKind::Authorization => several.then(|| operation.id.clone()),
            _ => operation.authorization_id.clone(),
        };
        let stated = stated_quantities(loaded, operation);
        for item in &operation.items {
            moves.entry(item.line_id).or_default().push(Moved {
                kind: operation.kind,
                amount: item.amount.magnitude(),
                quantity: stated.get(&item.line_id).copied(),
                authorization_id: authorization_id.clone(),
            });
        }
    }
    moves
}

/// The member `quantity` of the operation's items, which our form sends and a client may.
fn stated_quantities(loaded: &OrderRead, operation: &Operation) -> BTreeMap<LineId, Quantity> {
    // Most operations state no quantities, so their documents need not be parsed.
    if !operation.document.0.contains("\"quantity\"") {
        return BTreeMap::new();
    }
    let document = loaded.operation_document(operation);
    let quantity = |item: &Tree| {
        let line_id = LineId::new(item.member("line_id")?.as_integer()?)?;
        let Some(Tree::Number(number)) = item.member("quantity") else { return None };
        Some((line_id, Quantity::of_json_number(number)?))
    };
    let items = document.member("items").map(Tree::elements).unwrap_or_default();
    items.iter().filter_map(quantity).collect()
}
