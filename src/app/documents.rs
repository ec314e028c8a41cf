//! Drafts and orders together with their parsed documents, and the parsing of stored ones.

use crate::domain::KeptJson;
use crate::domain::item::Item;
use crate::json::{self, Tree};
use crate::store::NewDraft;

/// A draft's contents with every document parsed. A request's documents stay parsed from the body
/// until they are indexed.
#[derive(Debug, Clone)]
pub struct ParsedDraft {
    pub draft: NewDraft,
    /// The draft's `document`.
    pub document: Tree,
    /// The documents of the draft's items, in the same order.
    pub item_documents: Vec<Tree>,
}

/// An item and its parsed document.
#[derive(Debug, Clone)]
pub struct ParsedItem {
    pub item: Item,
    pub document: Tree,
}

/// An order's contents with every document parsed. It is passed along within a command, so that no
/// document is parsed twice.
#[derive(Debug, Clone)]
pub(super) struct ParsedOrder<'a> {
    /// The order's fields without its items.
    pub document: &'a Tree,
    /// Each item with its own document.
    pub items: Vec<(&'a Item, &'a Tree)>,
}

impl ParsedDraft {
    /// Parses the documents of a stored draft.
    pub(super) fn of_stored(draft: &NewDraft) -> ParsedDraft {
        ParsedDraft {
            draft: draft.clone(),
            document: parse_kept(&draft.document),
            item_documents: parse_items(&draft.items),
        }
    }
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
