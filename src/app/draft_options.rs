//! The options of a draft: which have an effect, and how a change is merged in.

use super::documents::parse_kept;
use crate::domain::KeptJson;
use crate::domain::draft::{DraftOptions, GenerateOrderId};
use crate::domain::ids::OrderName;
use crate::domain::time_to_live::TimeToLive;
use crate::json::Tree;

/// The option that says how long an order lives. A change may remove it by sending `null`.
pub const ORDER_TIME_TO_LIVE: &str = "order_time_to_live";

/// Reads the options that have an effect. They must have been validated before.
pub fn acting_options(options: &Tree) -> DraftOptions {
    let default = DraftOptions::default();
    let flag = |key: &str| options.member(key).and_then(Tree::as_bool);
    let text = |key: &str| options.member(key).and_then(Tree::as_text);
    DraftOptions {
        generate_order_id: text("generate_order_id")
            .and_then(GenerateOrderId::parse)
            .unwrap_or(default.generate_order_id),
        split_draft: flag("split_draft").unwrap_or(default.split_draft),
        multiple_authorizations: flag("multiple_authorizations")
            .unwrap_or(default.multiple_authorizations),
        amends: text("order_id").and_then(OrderName::parse),
        replaces: text("replace").is_some(),
        time_to_live: options
            .member(ORDER_TIME_TO_LIVE)
            .and_then(Tree::as_integer)
            .and_then(TimeToLive::new),
    }
}

/// Replaces the options that were sent again and keeps the others. An option that was sent as
/// `null` is removed.
pub fn merged_options(before: &KeptJson, sent: &Tree) -> Tree {
    let before = parse_kept(before);
    let Tree::Object(members) = sent else { return before };
    members.iter().fold(before, |options, (name, value)| match value {
        Tree::Null if name == ORDER_TIME_TO_LIVE => options.without(&[name.as_str()]),
        value => options.with(name, value.clone()),
    })
}
