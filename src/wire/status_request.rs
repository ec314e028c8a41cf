//! Parses the body of a change of an order's status.

use super::problem::Problem;
use super::shape::{Shape, clean, optional};
use crate::domain::order::CancelledReason;
use crate::json::Tree;

const CANCEL: Shape = Shape::Object(&[optional(
    "cancelled_reason",
    Shape::OneOf(&["customer", "merchant", "fraud", "expired", "other"]),
)]);

/// Parses the reason for a cancellation, which may be left out, or reports everything that is wrong
/// with the body.
pub fn parse_cancel(body: &Tree) -> Result<Option<CancelledReason>, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), CANCEL, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let reason = kept.member("cancelled_reason").and_then(Tree::as_text);
    Ok(reason.and_then(CancelledReason::parse))
}
