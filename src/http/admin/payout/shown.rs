//! Addresses of the pages about payouts, and rules as people read and type them.

use crate::domain::ids::AccountId;
use crate::http::admin::reply::escaped_segment;
use crate::http::admin::words;
use crate::http::state::AppState;
use crate::json::{self, Tree};
use crate::store::PayoutRuleRecord;

/// The address of an account's list of rules.
pub fn rules_href(state: &AppState, account_id: &AccountId) -> String {
    format!("{}/admin/{account_id}/payout-rules", state.links.base_path())
}

/// The address of a rule's page.
pub fn rule_href(state: &AppState, account_id: &AccountId, id: &str) -> String {
    format!("{}/{}", rules_href(state, account_id), escaped_segment(id))
}

/// The address of the sums.
pub fn sums_href(state: &AppState, account_id: &AccountId) -> String {
    format!("{}/admin/{account_id}/payouts", state.links.base_path())
}

/// A rule's destinations as lines of name and percentage, and those of the remaining amount.
pub fn typed_lines(rule: &PayoutRuleRecord) -> (String, String) {
    let document = words::parsed(&rule.rule.document);
    let entries = document.member("destinations").map(Tree::elements).unwrap_or_default();
    let (mut lines, mut remaining) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.member("destinations") {
            Some(inner) => remaining.extend(inner.elements().iter().map(line)),
            None => lines.push(line(entry)),
        }
    }
    (lines.join("\n"), remaining.join("\n"))
}

fn line(entry: &Tree) -> String {
    let name = entry.member("destination").and_then(Tree::as_text).unwrap_or_default();
    let value = match entry.member("value") {
        Some(Tree::Number(number)) => number.as_str(),
        _ => "",
    };
    format!("{name} {value}%")
}

/// A list of destinations from its typed lines, as an API client would send it.
pub fn entries(typed: &str) -> Vec<Tree> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(entry).collect()
}

fn entry(line: &str) -> Tree {
    let (name, value) = line.rsplit_once(char::is_whitespace).unwrap_or((line, ""));
    let number = value.trim_end_matches('%').replace(',', ".");
    let number = match json::parse(number.as_bytes()) {
        Ok(number @ Tree::Number(_)) => number,
        _ => Tree::text(value),
    };
    let name = name.trim().trim_end_matches(':');
    Tree::object([
        ("type", Tree::text("percentage")),
        ("value", number),
        ("destination", Tree::text(name)),
    ])
}
