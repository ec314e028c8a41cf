//! Payout rules in JSON: reads their destinations, and copies them to lines (docs/contract.md,
//! Decision 12).

use crate::domain::KeptJson;
use crate::domain::payout_rule::{
    CopiedRule, Destination, Entry, LineRule, Percentage, PercentageEntry, RuleId, RuleType,
    Shares, SharesRejected,
};
use crate::json::{self, Tree};

/// Something that is wrong with a rule's destinations. `path` is a JSON pointer into the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProblem {
    pub path: String,
    pub fault: EntryFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFault {
    /// It is neither a percentage nor, where that is possible, the remaining amount.
    Type,
    Value,
    Destination,
    Shares(SharesRejected),
}

/// Reads the list `destinations` of a rule.
pub fn read_shares(destinations: &Tree) -> Result<Shares, Vec<EntryProblem>> {
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    for (at, sent) in destinations.elements().iter().enumerate() {
        let path = format!("/{at}");
        if type_of(sent) != Some("remaining_amount") {
            entries.extend(read_percentage(sent, path, &mut problems).map(Entry::Percentage));
            continue;
        }
        let inner = sent.member("destinations").map(Tree::elements).unwrap_or_default();
        let inner = inner.iter().enumerate();
        let read = inner.filter_map(|(nth, sent)| {
            read_percentage(sent, format!("{path}/destinations/{nth}"), &mut problems)
        });
        entries.push(Entry::Remaining(read.collect()));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Shares::of(&entries).map_err(|rejected| {
        let path = match rejected {
            SharesRejected::RemainingNotLast { entry } => format!("/{entry}"),
            SharesRejected::RemainingNotWhole { entry } => format!("/{entry}/destinations"),
            SharesRejected::Empty | SharesRejected::TooMany | SharesRejected::NotWhole => {
                String::new()
            }
        };
        vec![EntryProblem { path, fault: EntryFault::Shares(rejected) }]
    })
}

/// The copy of a rule for a line, as it is stored.
pub fn copy_rule(
    rule_type: RuleType,
    rule_id: RuleId,
    destinations: &Tree,
) -> Result<CopiedRule, Vec<EntryProblem>> {
    let document = Tree::object([
        ("rule_type", Tree::text(rule_type.as_str())),
        ("rule_id", Tree::text(rule_id.as_str())),
        ("destinations", destinations.clone()),
    ]);
    let shares = read_shares(destinations)?;
    let document = KeptJson(document.to_string());
    Ok(CopiedRule { rule: LineRule { rule_type, rule_id, shares }, document })
}

/// Reads the copy of a rule; `None` if it is not one.
pub(super) fn read_copied_rule(document: KeptJson) -> Option<CopiedRule> {
    let tree = json::parse(document.0.as_bytes()).ok()?;
    let text = |key: &str| tree.member(key).and_then(Tree::as_text);
    let (rule_type, rule_id) =
        (RuleType::parse(text("rule_type")?)?, RuleId::parse(text("rule_id")?)?);
    let shares = read_shares(tree.member("destinations")?).ok()?;
    Some(CopiedRule { rule: LineRule { rule_type, rule_id, shares }, document })
}

fn type_of(entry: &Tree) -> Option<&str> {
    entry.member("type").and_then(Tree::as_text)
}

fn read_percentage(
    sent: &Tree,
    path: String,
    problems: &mut Vec<EntryProblem>,
) -> Option<PercentageEntry> {
    let value = match sent.member("value") {
        Some(Tree::Number(text)) => Percentage::parse(text),
        _ => None,
    };
    let destination = sent.member("destination").and_then(Tree::as_text);
    let destination = destination.and_then(Destination::parse);
    for (is_wrong, key, fault) in [
        (type_of(sent) != Some("percentage"), "type", EntryFault::Type),
        (value.is_none(), "value", EntryFault::Value),
        (destination.is_none(), "destination", EntryFault::Destination),
    ] {
        if is_wrong {
            problems.push(EntryProblem { path: format!("{path}/{key}"), fault });
        }
    }
    Some(PercentageEntry { value: value?, destination: destination? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(destinations: &str, expected: &str) {
        let tree = json::parse(destinations.as_bytes()).unwrap();
        let told = match read_shares(&tree) {
            Ok(shares) => format!("{} shares", shares.as_slice().len()),
            Err(problems) => {
                let told = problems.iter().map(|it| format!("{} {:?}", it.path, it.fault));
                told.collect::<Vec<_>>().join(", ")
            }
        };
        assert_eq!(told, expected, "for {destinations}");
    }

    #[test]
    fn every_wrong_entry_is_reported_with_its_place() {
        let entry =
            |value: &str| format!(r#"{{"type":"percentage","value":{value},"destination":"a"}}"#);
        check(&format!("[{}]", entry("100.0000")), "1 shares");
        check("[]", " Shares(Empty)");
        check(
            "[{}, 5]",
            "/0/type Type, /0/value Value, /0/destination Destination, \
            /1/type Type, /1/value Value, /1/destination Destination",
        );
        check(&format!("[{}]", entry("\"100\"")), "/0/value Value");
        check(&format!("[{}]", entry("1e2")), "/0/value Value");
        let rest =
            |inner: &str| format!(r#"{{"type":"remaining_amount","destinations":[{inner}]}}"#);
        check(&format!("[{},{}]", entry("5"), rest(&entry("100"))), "1 shares");
        check(
            &format!("[{},{}]", entry("5"), rest(&entry("99"))),
            "/1/destinations Shares(RemainingNotWhole { entry: 1 })",
        );
        check(
            &format!("[{},{}]", rest(&entry("100")), entry("5")),
            "/0 Shares(RemainingNotLast { entry: 0 })",
        );
        check(
            &format!("[{}]", rest(&rest(""))),
            "/0/destinations/0/type Type, \
            /0/destinations/0/value Value, /0/destinations/0/destination Destination",
        );
    }
}
