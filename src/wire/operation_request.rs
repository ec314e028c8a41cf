//! Parses a payment operation (published schema `OrderOperationItems`).

use super::order_fields::PAYMENT_DETAILS;
use super::problem::Problem;
use super::shape::{Field, Shape, clean, optional, required};
use crate::domain::KeptJson;
use crate::domain::ids::{LineId, ResourceId};
use crate::domain::money::Amount;
use crate::domain::operation::{
    DistinctItems, OPERATION_ITEMS_MAX, OperationItem, OperationItems, OperationItemsRejected,
    OperationKind, OperationRequest, duplicate_positions,
};
use crate::json::Tree;

const ITEM: &[Field] = &[
    required("line_id", Shape::LineId),
    required("amount", Shape::Amount),
    optional("quantity", Shape::Number),
    optional("original_currency", Shape::Text),
    optional("original_gross_amount", Shape::Amount),
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

/// Parses an operation of a kind, or reports everything that is wrong with the body.
pub fn parse(kind: OperationKind, body: Tree) -> Result<OperationRequest, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body, OPERATION, "", &mut problems);
    let items = kept.member("items").map(Tree::elements).unwrap_or_default();
    problems.extend(duplicate_lines(items));
    let whole = items.iter().map(parse_item).collect::<Option<Vec<_>>>();
    let checked = whole.and_then(DistinctItems::new).map(OperationItems::new);
    // A list that is missing, of a wrong type or too long was reported, and reads as empty.
    let is_reported = kept.member("items").is_none() || problems.iter().any(|p| p.path == "/items");
    if let (Some(Err(rejected)), false) = (&checked, is_reported) {
        problems.push(explain(rejected));
    }
    let (Some(Ok(items)), true) = (checked, problems.is_empty()) else {
        return Err(problems);
    };
    Ok(OperationRequest {
        kind,
        success: kept.member("success").and_then(Tree::as_bool).unwrap_or(true),
        authorization_id: kept
            .member("authorization_id")
            .and_then(Tree::as_text)
            .and_then(ResourceId::parse),
        items,
        session_id: kept
            .member("metadata")
            .and_then(|metadata| metadata.member("session_id"))
            .and_then(Tree::as_text)
            .and_then(ResourceId::parse),
        document: document(kept),
    })
}

fn parse_item(item: &Tree) -> Option<OperationItem> {
    let amount = Amount::new(item.member("amount")?.as_integer()?)?;
    Some(OperationItem { line_id: line_id(item)?, amount })
}

fn line_id(item: &Tree) -> Option<LineId> {
    LineId::new(item.member("line_id")?.as_integer()?)
}

/// Reports repeated lines, also when other members of the items are invalid.
fn duplicate_lines(items: &[Tree]) -> Vec<Problem> {
    let duplicate = |at: usize| {
        let message = "An earlier item names this line; send one item per line.";
        Problem::new(format!("/items/{at}/line_id"), "duplicate_line", message)
    };
    duplicate_positions(items.iter().map(line_id)).into_iter().map(duplicate).collect()
}

fn explain(rejected: &OperationItemsRejected) -> Problem {
    match rejected {
        OperationItemsRejected::Empty => Problem::new("/items", "empty", "Send at least one item."),
        OperationItemsRejected::TotalOutOfRange => {
            let message = "The items add up to more than an amount can hold; send fewer at once.";
            Problem::new("/items", "amount_out_of_range", message)
        }
    }
}

/// The members that are kept as sent: all but those that have a column of their own.
fn document(kept: Tree) -> KeptJson {
    let Tree::Object(members) = kept else {
        return KeptJson("{}".to_owned());
    };
    let own_column = |key: &str| matches!(key, "success" | "authorization_id");
    let members = members.into_iter().filter(|(key, _)| !own_column(key)).collect();
    KeptJson(Tree::Object(members).to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(items: &str, expected: &str) {
        let body = crate::json::parse(format!(r#"{{"items":{items}}}"#).as_bytes()).unwrap();
        let problems = match parse(OperationKind::Capture, body) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        };
        let found: Vec<String> =
            problems.iter().map(|p| format!("{} {}", p.path, p.code)).collect();
        assert_eq!(found.join(", "), expected, "for {items}");
    }

    #[test]
    fn all_problems_of_the_items_are_reported_at_once() {
        check(r#"[{"line_id":1,"amount":0},{"line_id":2,"amount":5}]"#, "");
        check("[]", "/items empty");
        check(
            r#"[{"line_id":1,"amount":9007199254740992},{"line_id":1,"amount":1},{"line_id":1}]"#,
            "/items/0/amount amount_out_of_range, /items/2/amount required, \
             /items/1/line_id duplicate_line, /items/2/line_id duplicate_line",
        );
        check(
            r#"[{"line_id":1,"amount":9007199254740991},{"line_id":2,"amount":1}]"#,
            "/items amount_out_of_range",
        );
    }
}
