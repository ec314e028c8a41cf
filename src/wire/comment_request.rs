//! Parses a comment on an order.

use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::domain::KeptJson;
use crate::json::Tree;

const COMMENT: Shape = Shape::Object(&[
    required("comment", Shape::Text),
    optional("id", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
]);

/// Parses a comment, or reports everything that is wrong with the body.
pub fn parse(body: &Tree) -> Result<KeptJson, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), COMMENT, "", &mut problems);
    let text = kept.member("comment").and_then(Tree::as_text);
    if text.is_some_and(|text| text.trim().is_empty()) {
        let message = "The comment is empty; send some text.";
        problems.push(Problem::new("/comment", "bad_value", message));
    }
    if problems.is_empty() { Ok(KeptJson(kept.to_string())) } else { Err(problems) }
}
