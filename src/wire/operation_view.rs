//! Renders a payment operation (published schema `OrderCapture`).

use super::links::{Links, link_list};
use crate::clock::rfc3339;
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::operation::Operation;
use crate::json::ObjectText;

/// Bytes that the JSON of most operations takes in addition to their document.
const ROOM_AROUND: usize = 640;

/// The operation's JSON text.
pub fn render(
    links: &Links,
    account_id: &AccountId,
    order_id: &OrderName,
    operation: &Operation,
) -> String {
    let itself = links.operation(account_id, order_id, operation.kind, &operation.id);
    let mut object = ObjectText::with_room(operation.document.0.len() + ROOM_AROUND);
    object
        .text("id", operation.id.as_str())
        .text("created_at", &rfc3339(operation.created_at))
        .text("created_by", &operation.created_by.0)
        .integer("amount", operation.amount.minor_units())
        .flag("success", operation.success);
    if let Some(id) = &operation.authorization_id {
        object.text("authorization_id", id.as_str());
    }
    object
        .members_of(&operation.document.0)
        .json(
            "_links",
            &link_list(&[("self", itself), ("order", links.order(account_id, order_id))]),
        )
        .end()
}
