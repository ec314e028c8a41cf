//! The documents that clients sent, as commands read them.

use crate::domain::KeptJson;
use crate::json::{self, Tree};

/// A stored document. It was checked when it was taken in, so only a damaged one does not parse:
/// it is read as an object without members, and `verify` reports it.
pub(super) fn parse_kept(document: &KeptJson) -> Tree {
    json::parse(document.0.as_bytes()).unwrap_or(Tree::Object(Vec::new()))
}
