//! Parses a script's answer on the test page of a session.

use super::problem::Problem;
use super::shape::{Shape, clean, required};
use crate::domain::order_session::Outcome;
use crate::json::Tree;

const OUTCOME: Shape = Shape::Object(&[required(
    "outcome",
    Shape::OneOf(&["approve", "capture", "decline", "hold", "cancel"]),
)]);

/// Parses the body, or reports everything that is wrong with it.
pub fn parse(body: &Tree) -> Result<Outcome, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), OUTCOME, "", &mut problems);
    let outcome = kept.member("outcome").and_then(Tree::as_text).and_then(Outcome::parse);
    outcome.filter(|_| problems.is_empty()).ok_or(problems)
}
