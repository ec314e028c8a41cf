//! Parsing the stored documents that clients sent.

use crate::domain::KeptJson;
use crate::domain::item::Item;
use crate::json::{self, Tree};

/// An order's contents with every document parsed. It is passed along within a command, so that no
/// document is parsed twice.
#[derive(Debug, Clone)]
pub(super) struct ParsedOrder<'a> {
    /// The order's fields without its items.
    pub document: &'a Tree,
    /// Each item with its own document.
    pub items: Vec<(&'a Item, &'a Tree)>,
}

/// Parses a stored document. Documents are checked before they are stored, so parsing fails only if
/// one is damaged: it is then read as an empty object, and `verify` reports it.
pub(super) fn parse_kept(document: &KeptJson) -> Tree {
    json::parse(document.0.as_bytes()).unwrap_or(Tree::Object(Vec::new()))
}

/// Parses the documents of items, in the same order.
pub(super) fn parse_items(items: &[Item]) -> Vec<Tree> {
    items.iter().map(|item| parse_kept(&item.document)).collect()
}
