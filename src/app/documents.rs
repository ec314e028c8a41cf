//! Parsing the stored documents that clients sent.

use crate::domain::KeptJson;
use crate::json::{self, Tree};

/// Parses a stored document. Documents are checked before they are stored, so parsing fails only if
/// one is damaged: it is then read as an empty object, and `verify` reports it.
pub(super) fn parse_kept(document: &KeptJson) -> Tree {
    json::parse(document.0.as_bytes()).unwrap_or(Tree::Object(Vec::new()))
}
