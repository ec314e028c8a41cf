//! A payment operation as it is sent (published schema `OrderOperationItems`).

use super::super::error::{ApiError, Problem};
use super::super::shape::{Field, Shape, clean, optional, required};
use super::order_fields::PAYMENT_DETAILS;
use crate::domain::KeptJson;
use crate::domain::ids::{LineId, ResourceId};
use crate::domain::money::Amount;
use crate::domain::operation::{
    OPERATION_ITEMS_MAX, OperationItem, OperationItems, OperationItemsRejected, OperationKind,
    OperationRequest,
};
use crate::json::Tree;

const ITEM: &[Field] = &[
    required("line_id", Shape::LineId),
    required("amount", Shape::Amount),
    optional("original_currency", Shape::Text),
    optional("original_gross_amount", Shape::Integer),
    optional("conversion_rate_ppm", Shape::Integer),
    optional("conversion_rate_timestamp", Shape::DateTime),
    optional("conversion_rate_source", Shape::Text),
    optional("payout", Shape::ReadOnly),
];

const ITEM_SHAPE: Shape = Shape::Object(ITEM);

const OPERATION: Shape = Shape::Object(&[
    required("items", Shape::List(&ITEM_SHAPE, OPERATION_ITEMS_MAX)),
    optional("success", Shape::Flag),
    optional("processed_at", Shape::DateTime),
    optional("processed_by", Shape::Text),
    optional("payment_details", Shape::Object(PAYMENT_DETAILS)),
    optional("metadata", Shape::FreeObject),
    optional("authorization_id", Shape::ResourceId),
    optional("id", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("amount", Shape::ReadOnly),
    optional("_links", Shape::ReadOnly),
]);

/// The request in a body, or everything that is wrong with it.
pub fn parse(kind: OperationKind, body: &Tree) -> Result<OperationRequest, ApiError> {
    let mut problems = Vec::new();
    let kept = clean(body, OPERATION, "", &mut problems);
    let items = kept.member("items").map(Tree::elements).unwrap_or_default();
    let whole = items.iter().map(parse_item).collect::<Option<Vec<_>>>();
    let checked = whole.map(OperationItems::new);
    if let (Some(Err(rejected)), true) = (&checked, problems.iter().all(|p| p.path != "/items")) {
        problems.extend(explain(rejected));
    }
    let (Some(Ok(items)), true) = (checked, problems.is_empty()) else {
        return Err(ApiError::invalid(problems));
    };
    Ok(OperationRequest {
        kind,
        success: kept.member("success").and_then(Tree::as_bool).unwrap_or(true),
        authorization_id: kept
            .member("authorization_id")
            .and_then(Tree::as_text)
            .and_then(ResourceId::parse),
        items,
        document: document(kept),
    })
}

fn parse_item(item: &Tree) -> Option<OperationItem> {
    let line_id = LineId::new(item.member("line_id")?.as_integer()?)?;
    let amount = Amount::new(item.member("amount")?.as_integer()?)?;
    Some(OperationItem { line_id, amount })
}

fn explain(rejected: &OperationItemsRejected) -> Vec<Problem> {
    match rejected {
        OperationItemsRejected::Empty => {
            vec![Problem::new("/items", "empty", "At least one item is needed.")]
        }
        OperationItemsRejected::TooMany => {
            let message = format!("At most {OPERATION_ITEMS_MAX} items are taken.");
            vec![Problem::new("/items", "too_many_items", message)]
        }
        OperationItemsRejected::DuplicateLines(positions) => {
            let duplicate = |at: &usize| {
                let message = "An earlier item names this line; send one item a line.";
                Problem::new(format!("/items/{at}/line_id"), "duplicate_line", message)
            };
            positions.iter().map(duplicate).collect()
        }
        OperationItemsRejected::TotalOutOfRange => {
            let message = "The items together are more than an amount can be.";
            vec![Problem::new("/items", "amount_out_of_range", message)]
        }
    }
}

/// What is kept as sent: all but what has a column of its own.
fn document(kept: Tree) -> KeptJson {
    let Tree::Object(members) = kept else {
        return KeptJson("{}".to_owned());
    };
    let own_column = |key: &str| matches!(key, "success" | "authorization_id");
    let members = members.into_iter().filter(|(key, _)| !own_column(key)).collect();
    KeptJson(Tree::Object(members).to_string())
}
