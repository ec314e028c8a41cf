//! Applies a client's changes to an order's documents. Pure.

use super::documents::{parse_items, parse_kept};
use super::draft_options::ORDER_TIME_TO_LIVE;
use crate::domain::KeptJson;
use crate::domain::ids::LineId;
use crate::domain::item::Item;
use crate::json::Tree;
use crate::store::{LedgerRecord, OrderFields};

/// Members of an object in a request: those that it changes, and those that must equal the stored
/// value.
#[derive(Debug, Clone, Default)]
pub struct PartChange {
    pub changed: Vec<(String, Tree)>,
    pub repeated: Vec<(String, Tree)>,
}

/// A request's changes to one line.
#[derive(Debug, Clone)]
pub struct ItemChange {
    pub line_id: LineId,
    pub part: PartChange,
    /// The line's discounts, in the stored order and number.
    pub discount_lines: Option<Vec<PartChange>>,
}

/// A request's changes to an order.
#[derive(Debug, Clone, Default)]
pub struct OrderChange {
    pub order: PartChange,
    pub options: PartChange,
    /// True if the request removes `options.order_time_to_live`.
    pub removes_time_to_live: bool,
    pub items: Vec<ItemChange>,
}

/// Why a change is invalid. `path` is a JSON pointer into the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeProblem {
    /// The field cannot be changed, and a different value was sent.
    NotChangeable {
        path: String,
    },
    UnknownLine {
        path: String,
        line_id: LineId,
    },
}

/// The documents of an order after a change.
#[derive(Debug, Clone)]
pub struct ChangedOrder {
    pub document: Tree,
    pub options_document: Tree,
    /// All items, including unchanged ones.
    pub items: Vec<Item>,
    /// The items' documents, parsed, in the same order.
    pub item_documents: Vec<Tree>,
}

/// The documents after the change, or every problem with it.
pub fn apply(
    ledger: &LedgerRecord,
    order: &OrderFields,
    change: &OrderChange,
) -> Result<ChangedOrder, Vec<ChangeProblem>> {
    let mut problems = Vec::new();
    let named = Tree::object([
        ("currency", Tree::text(ledger.currency.code())),
        ("order_id", Tree::text(ledger.order_id.as_str())),
    ]);
    let document = parse_kept(&order.document);
    let (names, others): (Vec<_>, Vec<_>) =
        change.order.repeated.iter().cloned().partition(|(key, _)| named.member(key).is_some());
    refuse_other_values(&named, &names, "", &mut problems);
    let part = PartChange { changed: change.order.changed.clone(), repeated: others };
    let document = merge(&document, &part, "", &mut problems);
    let options =
        merge(&parse_kept(&order.options_document), &change.options, "/options", &mut problems);
    let options = match change.removes_time_to_live {
        true => options.without(&[ORDER_TIME_TO_LIVE]),
        false => options,
    };
    let mut items = order.items.clone();
    let mut item_documents = parse_items(&items);
    for (at, sent) in change.items.iter().enumerate() {
        let path = format!("/items/{at}");
        match items.iter().position(|item| item.line_id == sent.line_id) {
            Some(nth) => {
                let changed = change_item(&item_documents[nth], sent, &path, &mut problems);
                items[nth].document = KeptJson(changed.to_string());
                item_documents[nth] = changed;
            }
            None => problems.push(ChangeProblem::UnknownLine {
                path: format!("{path}/line_id"),
                line_id: sent.line_id,
            }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(ChangedOrder { document, options_document: options, items, item_documents })
}

fn change_item(
    document: &Tree,
    sent: &ItemChange,
    path: &str,
    problems: &mut Vec<ChangeProblem>,
) -> Tree {
    let mut changed = merge(document, &sent.part, path, problems);
    if let Some(sent) = &sent.discount_lines {
        let path = format!("{path}/discount_lines");
        let there = document.member("discount_lines").map(Tree::elements).unwrap_or_default();
        if there.len() != sent.len() {
            problems.push(ChangeProblem::NotChangeable { path });
            return changed;
        }
        let pairs = there.iter().zip(sent).enumerate();
        let line = |(at, (line, sent)): (usize, (&Tree, &PartChange))| {
            merge(line, sent, &format!("{path}/{at}"), problems)
        };
        let lines = Tree::List(pairs.map(line).collect());
        if !there.is_empty() {
            changed = changed.with("discount_lines", lines);
        }
    }
    changed
}

/// Replaces the changed members. Repeated members must equal those that are there.
fn merge(there: &Tree, sent: &PartChange, path: &str, problems: &mut Vec<ChangeProblem>) -> Tree {
    refuse_other_values(there, &sent.repeated, path, problems);
    let changes = sent.changed.iter();
    changes.fold(there.clone(), |tree, (key, value)| tree.with(key, value.clone()))
}

fn refuse_other_values(
    there: &Tree,
    repeated: &[(String, Tree)],
    path: &str,
    problems: &mut Vec<ChangeProblem>,
) {
    let other = |(key, sent): &&(String, Tree)| {
        !there.member(key).is_some_and(|value| value.means_same(sent))
    };
    problems.extend(repeated.iter().filter(other).map(|(key, _)| {
        // Repeated members have known names, which contain no character that a JSON pointer
        // escapes.
        ChangeProblem::NotChangeable { path: format!("{path}/{key}") }
    }));
}
