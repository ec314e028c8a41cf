//! Adds computed payouts to an operation's document, so that every later answer repeats them
//! (docs/contract.md, Decision 12).

use super::documents::parse_kept;
use crate::domain::KeptJson;
use crate::domain::line_payout::ItemPayout;
use crate::json::Tree;

/// The operation's document with a `payout` in each of these items, given by position.
pub(super) fn with_payouts(document: &KeptJson, payouts: &[(usize, ItemPayout)]) -> KeptJson {
    let tree = parse_kept(document);
    let mut items = tree.member("items").map(Tree::elements).unwrap_or_default().to_vec();
    for (at, payout) in payouts {
        if let Some(item) = items.get_mut(*at) {
            *item = item.clone().with("payout", payout_tree(payout));
        }
    }
    KeptJson(tree.with("items", Tree::List(items)).to_text())
}

fn payout_tree(payout: &ItemPayout) -> Tree {
    let destinations = payout.destinations.iter().map(|(destination, amount)| {
        Tree::object([
            ("destination", Tree::text(destination.as_str())),
            ("amount", Tree::integer(amount.minor_units())),
        ])
    });
    Tree::object([
        ("rule_type", Tree::text(payout.rule_type.as_str())),
        ("rule_id", Tree::text(payout.rule_id.as_str())),
        ("destinations", Tree::List(destinations.collect())),
    ])
}
