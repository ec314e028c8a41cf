//! Parses payout rules: those of an account, and those in a draft's options
//! (docs/contract.md, Decision 12).

use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::domain::KeptJson;
use crate::domain::currency::Currency;
use crate::domain::payout_rule::{
    DESTINATIONS_MAX, RULE_ID_CHARS_MAX, RULES_OF_DRAFT_MAX, RuleId, RuleKey, RuleType,
    SharesRejected,
};
use crate::json::Tree;
use crate::store::{EntryFault, EntryProblem, NewPayoutRule, read_shares};

/// The rule that an item's `manual_payout` names.
pub const MANUAL_PAYOUT: Shape = Shape::Object(&[
    required("rule_type", Shape::OneOf(RULE_TYPES)),
    required("rule_id", Shape::Text),
]);

const RULE_TYPES: &[&str] = &["order.items.store.id"];

const PERCENTAGE: Shape = Shape::Object(&[
    required("type", Shape::OneOf(&["percentage"])),
    required("value", Shape::Number),
    required("destination", Shape::Text),
]);

/// An entry of `destinations`. Its type decides which other members are required.
const ENTRY: Shape = Shape::Object(&[
    required("type", Shape::OneOf(&["percentage", "remaining_amount"])),
    optional("value", Shape::Number),
    optional("destination", Shape::Text),
    optional("destinations", Shape::List(&PERCENTAGE, DESTINATIONS_MAX)),
]);

const RULE: Shape = Shape::Object(&[
    required("rule_type", Shape::OneOf(RULE_TYPES)),
    required("rule_id", Shape::Text),
    required("destinations", Shape::List(&ENTRY, DESTINATIONS_MAX)),
    optional("currency", Shape::Currency),
    optional("metadata", Shape::FreeObject),
    optional("id", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("updated_at", Shape::ReadOnly),
    optional("deleted_at", Shape::ReadOnly),
    optional("deleted_by", Shape::ReadOnly),
    optional("paging_token", Shape::ReadOnly),
]);

/// Parses a rule, or reports everything that is wrong with the body.
pub fn parse(body: &Tree) -> Result<NewPayoutRule, Vec<Problem>> {
    let mut problems = Vec::new();
    let rule = parse_rule(body, "", &mut problems);
    rule.filter(|_| problems.is_empty()).ok_or(problems)
}

/// A draft's options with `payout` in one form: PHP writes an empty object as an empty list.
pub fn with_plain_payout(options: &Tree) -> Tree {
    match options.member("payout") {
        Some(Tree::List(elements)) if elements.is_empty() => {
            options.clone().with("payout", Tree::Object(Vec::new()))
        }
        _ => options.clone(),
    }
}

/// Reports the problems of `payout` in a draft's options.
pub fn payout_problems(options: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let path = "/options/payout";
    match options.member("payout") {
        None | Some(Tree::Null | Tree::Bool(_)) => {}
        Some(Tree::List(elements)) if elements.is_empty() => {}
        Some(payout @ Tree::Object(_)) => rules_problems(payout, path, &mut problems),
        Some(other) => {
            let message = format!("Expected true, false or an object, found {}.", other.kind());
            problems.push(Problem::new(path, "wrong_type", message));
        }
    }
    problems
}

fn rules_problems(payout: &Tree, path: &str, problems: &mut Vec<Problem>) {
    let path = format!("{path}/rules");
    match payout.member("rules") {
        None | Some(Tree::Null) => {}
        Some(Tree::List(rules)) if rules.len() <= RULES_OF_DRAFT_MAX => {
            let mut keys: Vec<RuleKey> = Vec::new();
            for (at, sent) in rules.iter().enumerate() {
                let Some(rule) = parse_rule(sent, &format!("{path}/{at}"), problems) else {
                    continue;
                };
                if keys.contains(&rule.key) {
                    let message = "An earlier rule has this rule_type, rule_id and currency.";
                    problems.push(Problem::new(format!("{path}/{at}"), "duplicate_rule", message));
                }
                keys.push(rule.key);
            }
        }
        Some(Tree::List(_)) => {
            let message = format!("Send at most {RULES_OF_DRAFT_MAX} elements.");
            problems.push(Problem::new(path, "too_many_items", message));
        }
        Some(other) => {
            let message = format!("Expected an array, found {}.", other.kind());
            problems.push(Problem::new(path, "wrong_type", message));
        }
    }
}

/// Parses a rule; `path` is its JSON pointer. `None` if it has a problem.
fn parse_rule(sent: &Tree, path: &str, problems: &mut Vec<Problem>) -> Option<NewPayoutRule> {
    let known = problems.len();
    let kept = clean(sent.clone(), RULE, path, problems);
    if known < problems.len() {
        return None;
    }
    let text = |key: &str| kept.member(key).and_then(Tree::as_text);
    let rule_id = text("rule_id").and_then(RuleId::parse);
    if rule_id.is_none() {
        let message = format!("Expected 1 to {RULE_ID_CHARS_MAX} characters.");
        problems.push(Problem::new(format!("{path}/rule_id"), "bad_value", message));
    }
    if let Err(wrong) = read_shares(kept.member("destinations")?) {
        let path = format!("{path}/destinations");
        problems.extend(wrong.into_iter().map(|problem| explain(&path, problem)));
    }
    if known < problems.len() {
        return None;
    }
    let key = RuleKey {
        rule_type: text("rule_type").and_then(RuleType::parse)?,
        rule_id: rule_id?,
        currency: text("currency").and_then(Currency::parse),
    };
    let document = kept.without(&["rule_type", "rule_id", "currency"]);
    Some(NewPayoutRule { key, document: KeptJson(document.to_string()) })
}

fn explain(path: &str, problem: EntryProblem) -> Problem {
    let path = format!("{path}{}", problem.path);
    let (code, message) = match problem.fault {
        EntryFault::Type => ("bad_value", "Expected percentage.".to_owned()),
        EntryFault::Value => (
            "bad_percentage",
            "Expected a number from 0 to 100 with at most 4 decimals.".to_owned(),
        ),
        EntryFault::Destination => {
            ("bad_value", "Expected 1 to 40 of A-Z, a-z, 0-9, _ and -.".to_owned())
        }
        EntryFault::Shares(rejected) => explain_shares(rejected),
    };
    Problem::new(path, code, message)
}

fn explain_shares(rejected: SharesRejected) -> (&'static str, String) {
    match rejected {
        SharesRejected::Empty => ("empty", "Send at least one destination.".to_owned()),
        SharesRejected::TooMany => {
            ("too_many_items", format!("Send at most {DESTINATIONS_MAX} destinations in all."))
        }
        SharesRejected::RemainingNotLast { .. } => {
            ("bad_value", "Send the remaining amount once, as the last entry.".to_owned())
        }
        SharesRejected::RemainingNotWhole { .. } => (
            "not_100_percent",
            "The percentages of the remaining amount must add up to 100.".to_owned(),
        ),
        SharesRejected::NotWhole => (
            "not_100_percent",
            "The percentages must add up to 100, or to at most 100 before a remaining amount."
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_rule_types_are_those_of_the_domain() {
        assert_eq!(RULE_TYPES, RuleType::ALL.map(RuleType::as_str));
    }
}
