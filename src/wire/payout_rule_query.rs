//! Parses the query string of the list of payout rules (docs/contract.md, Decision 12).

use super::problem::Problem;
use crate::domain::currency::Currency;
use crate::domain::payout_rule::RuleType;
use crate::store::PayoutRuleQuery;

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;
/// The most characters of one value.
const TEXT_CHARS_MAX: usize = 200;

const FILTERS: &str = "limit, starting_after, total, rule_type, rule_id, payout_destination_id, \
                       currency, include_deleted";

/// A request for a page of rules.
#[derive(Debug, Default)]
pub struct PayoutRuleListQuery {
    pub query: PayoutRuleQuery,
    /// The paging token, a rule's id, after which the page starts.
    pub starting_after: Option<String>,
}

/// Parses the query string, or reports every invalid parameter.
pub fn payout_rule_list(query_string: &str) -> Result<PayoutRuleListQuery, Vec<Problem>> {
    let mut list = PayoutRuleListQuery::default();
    list.query.limit = LIMIT_DEFAULT;
    let mut problems = Vec::new();
    for (name, value) in form_urlencoded::parse(query_string.as_bytes()).into_owned() {
        match set(&mut list, &name, &value) {
            None => {
                let message = format!("There is no such filter; use one of: {FILTERS}.");
                problems.push(Problem::new(name, "unknown_filter", message));
            }
            Some(Err(message)) => problems.push(Problem::new(name, "bad_value", message)),
            Some(Ok(())) => {}
        }
    }
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

/// Sets one parameter; `None` if its name is unknown.
fn set(list: &mut PayoutRuleListQuery, name: &str, value: &str) -> Option<Result<(), String>> {
    let query = &mut list.query;
    Some(match name {
        "limit" => limit(value).map(|limit| query.limit = limit),
        "starting_after" => text(value).map(|token| list.starting_after = Some(token)),
        "total" => flag(value).map(|total| query.total = total),
        "include_deleted" => flag(value).map(|deleted| query.include_deleted = deleted),
        "rule_type" => match RuleType::parse(value) {
            Some(rule_type) => {
                query.rule_type = Some(rule_type);
                Ok(())
            }
            None => {
                let words = RuleType::ALL.map(RuleType::as_str).join(", ");
                Err(format!("Expected one of: {words}."))
            }
        },
        "rule_id" => text(value).map(|rule_id| query.rule_id = Some(rule_id)),
        "payout_destination_id" => text(value).map(|id| query.destination = Some(id)),
        "currency" => match Currency::parse(value) {
            Some(currency) => {
                query.currency = Some(currency);
                Ok(())
            }
            None => Err("Expected an ISO 4217 currency code, such as NOK.".to_owned()),
        },
        _ => return None,
    })
}

fn limit(value: &str) -> Result<u32, String> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("Expected a number from 1 to {LIMIT_MAX}."))
}

fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| "Expected one of: true, false.".to_owned())
}

fn text(value: &str) -> Result<String, String> {
    if !(1..=TEXT_CHARS_MAX).contains(&value.chars().count()) {
        return Err(format!("Expected 1 to {TEXT_CHARS_MAX} characters."));
    }
    Ok(value.to_owned())
}
