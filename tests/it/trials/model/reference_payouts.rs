//! The reference's payouts, written only from docs/contract.md, Decision 12. They share no code
//! with the program, and nothing here is a float.

use std::collections::BTreeMap;

use serde_json::Value;

/// A box: its line, its authorization (`None`: the line's own), and which of the four boxes.
pub type Place = ((i64, Option<usize>), usize);

/// The unreserved box.
pub const UNRESERVED: usize = 0;

/// Destinations with their shares, in units of 0.0001 percent.
pub type Rule = &'static [(&'static str, i128)];

/// The stores that have a rule.
pub const STORE: &str = "third";
pub const OTHER_STORE: &str = "another";

pub const RULE: Rule = &[("a", 333_333), ("b", 333_333), ("c", 333_334)];
pub const OTHER_RULE: Rule = &[("fee", 125_000), ("none", 0), ("rest", 875_000)];

/// `options.payout` with both rules.
pub const OPTION: &str = r#"{"rules":[
    {"rule_type":"order.items.store.id","rule_id":"third","destinations":[
        {"type":"percentage","value":33.3333,"destination":"a"},
        {"type":"percentage","value":33.3333,"destination":"b"},
        {"type":"percentage","value":33.3334,"destination":"c"}]},
    {"rule_type":"order.items.store.id","rule_id":"another","destinations":[
        {"type":"percentage","value":12.50,"destination":"fee"},
        {"type":"percentage","value":0,"destination":"none"},
        {"type":"remaining_amount","destinations":[
            {"type":"percentage","value":100.0,"destination":"rest"}]}]}]}"#;

/// The payouts of an order's lines.
#[derive(Debug, Clone, Default)]
pub struct Payouts {
    /// The rule of each line that has one.
    pub rules: BTreeMap<i64, Rule>,
    /// The amounts of each destination in a box. The unreserved amount is not divided.
    boxes: BTreeMap<Place, Vec<i128>>,
    /// The payouts of every operation, by the plural of its kind, in the form of [`told`].
    pub told: BTreeMap<String, Vec<String>>,
}

impl Payouts {
    /// The parts of an amount that is drawn from a box, in the order of the line's rule.
    fn split(&self, rule: Rule, from: Place, amount: i128) -> Vec<i128> {
        let empty = vec![0; rule.len()];
        let content = self.boxes.get(&from).unwrap_or(&empty);
        // A failed operation may ask for more than there is, and is then shown by the rule.
        if from.1 == UNRESERVED || content.iter().sum::<i128>() < amount {
            let shares: Vec<i128> = rule.iter().map(|(_, share)| *share).collect();
            return apportion(amount, &shares, |at, _| shares[at] != 0);
        }
        apportion(amount, content, |at, part| part < content[at])
    }

    /// The parts of an item, or `None` if its line has no rule. Moves them unless it failed.
    pub fn pay_out(
        &mut self,
        line: i64,
        amount: i64,
        (from, to): (Place, Place),
        moves: bool,
    ) -> Option<Vec<(&'static str, i64)>> {
        let rule = *self.rules.get(&line)?;
        let parts = self.split(rule, from, i128::from(amount.abs()));
        if moves {
            for (place, sign) in [(from, -1), (to, 1)] {
                if place.1 != UNRESERVED {
                    let boxes = self.boxes.entry(place).or_insert_with(|| vec![0; rule.len()]);
                    boxes.iter_mut().zip(&parts).for_each(|(has, part)| *has += sign * part);
                    assert!(boxes.iter().all(|has| 0 <= *has), "{place:?} {boxes:?}");
                }
            }
        }
        let signed = |part: &i128| i64::try_from(*part * i128::from(amount.signum())).unwrap_or(0);
        Some(rule.iter().zip(&parts).map(|((name, _), part)| (*name, signed(part))).collect())
    }
}

/// Rounds every part, half up; then gives or takes single units from the first part on.
fn apportion(amount: i128, shares: &[i128], may_grow: impl Fn(usize, i128) -> bool) -> Vec<i128> {
    let whole: i128 = shares.iter().sum();
    if whole == 0 {
        return vec![0; shares.len()];
    }
    let mut parts = Vec::new();
    for share in shares {
        let (units, rest) = (amount * share / whole, amount * share % whole);
        parts.push(if whole <= rest + rest { units + 1 } else { units });
    }
    let mut missing = amount - parts.iter().sum::<i128>();
    for (at, part) in parts.iter_mut().enumerate() {
        if 0 < missing && may_grow(at, *part) {
            *part += 1;
            missing -= 1;
        } else if missing < 0 && 0 < *part {
            *part -= 1;
            missing += 1;
        }
    }
    assert_eq!(missing, 0);
    parts
}

/// The payout of one line of an operation as text.
pub fn told<'a>(line: i64, parts: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let parts = parts.into_iter().map(|(name, amount)| format!("{name} {amount}"));
    format!("{line}: {}", parts.collect::<Vec<_>>().join(", "))
}

/// The payouts of an operation as a client reads it.
pub fn told_by(operation: &Value) -> String {
    let items = operation["items"].as_array().into_iter().flatten();
    let lines = items.filter(|item| item.get("payout").is_some()).map(|item| {
        let shares = item["payout"]["destinations"].as_array().into_iter().flatten();
        let shares = shares.map(|share| {
            (share["destination"].as_str().unwrap_or("?"), share["amount"].as_i64().unwrap_or(-1))
        });
        told(item["line_id"].as_i64().unwrap_or(-1), shares)
    });
    lines.collect::<Vec<_>>().join("; ")
}
