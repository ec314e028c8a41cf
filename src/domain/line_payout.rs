//! How a line's money is split between the destinations of its payout rule (docs/contract.md,
//! Decision 12).
//!
//! Amounts here are magnitudes, in units of the sign of the line's payable amount. Money that
//! leaves the unreserved box is split by the rule's weights. Each later move is split in proportion
//! to what every destination has in the box that it draws from, so the parts of a box always add up
//! to the box.

use super::boxes::{Boxes, Source};
use super::ids::ResourceId;
use super::money::Amount;
use super::operation::OperationKind;
use super::payout_rule::{Destination, LineRule, RuleId, RuleType};

/// A destination's part of a line's boxes. The unreserved amount is not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DestinationBoxes {
    pub held: u64,
    pub kept: u64,
    pub refunded: u64,
}

/// The destinations' boxes under one authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutPart {
    /// `None` on orders without `multiple_authorizations`.
    pub authorization_id: Option<ResourceId>,
    /// One for each share of the rule, in its order.
    pub boxes: Vec<DestinationBoxes>,
}

/// A line's rule, and the amounts of each destination in the line's boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePayout {
    rule: LineRule,
    parts: Vec<PayoutPart>,
}

/// An operation's payout on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPayout {
    pub rule_type: RuleType,
    pub rule_id: RuleId,
    /// In the order of the rule. They add up to the item's amount and have its sign.
    pub destinations: Vec<(Destination, Amount)>,
}

impl LinePayout {
    /// The payout of a line without operations.
    pub fn fresh(rule: LineRule) -> LinePayout {
        LinePayout { rule, parts: Vec::new() }
    }

    /// A payout as it was stored; `None` if a part does not have a box for each share.
    pub fn restore(rule: LineRule, parts: Vec<PayoutPart>) -> Option<LinePayout> {
        let shares = rule.shares.as_slice().len();
        let fits = parts.iter().all(|part| part.boxes.len() == shares);
        fits.then_some(LinePayout { rule, parts })
    }

    pub fn rule(&self) -> &LineRule {
        &self.rule
    }

    pub fn parts(&self) -> &[PayoutPart] {
        &self.parts
    }

    /// The amounts of each destination, over all authorizations, in the order of the rule.
    pub fn boxes(&self) -> Vec<DestinationBoxes> {
        let mut sums = vec![DestinationBoxes::default(); self.rule.shares.as_slice().len()];
        for part in &self.parts {
            for (sum, boxes) in sums.iter_mut().zip(&part.boxes) {
                sum.held += boxes.held;
                sum.kept += boxes.kept;
                sum.refunded += boxes.refunded;
            }
        }
        sums
    }

    /// True if the destinations' boxes add up to these boxes.
    pub(super) fn adds_up_to(&self, whole: &Boxes, authorization_id: Option<&ResourceId>) -> bool {
        let boxes = self.boxes_under(authorization_id);
        let sum = |part: fn(&DestinationBoxes) -> u64| {
            boxes.iter().try_fold(0_u64, |sum, boxes| sum.checked_add(part(boxes)))
        };
        sum(|boxes| boxes.held) == Some(whole.held)
            && sum(|boxes| boxes.kept) == Some(whole.kept)
            && sum(|boxes| boxes.refunded) == Some(whole.refunded)
    }

    /// The part of each destination in an operation that draws `amount` from a box, in the order of
    /// the rule.
    pub(super) fn split(
        &self,
        source: Source,
        amount: u64,
        authorization_id: Option<&ResourceId>,
    ) -> Vec<u64> {
        let boxes = self.boxes_under(authorization_id);
        let content: Option<Vec<u64>> = match source {
            Source::Unreserved => None,
            Source::Held => Some(boxes.iter().map(|boxes| boxes.held).collect()),
            Source::Kept => Some(boxes.iter().map(|boxes| boxes.kept).collect()),
        };
        match content {
            Some(content) if amount <= content.iter().sum() => split_by(amount, &content, &content),
            // Money leaves the unreserved box, or a failed operation is for more than its box has.
            _ => {
                let shares = self.rule.shares.as_slice().iter();
                let weights: Vec<u64> = shares.map(|share| share.weight).collect();
                let limits = weights.iter().map(|weight| if *weight == 0 { 0 } else { amount });
                split_by(amount, &weights, &limits.collect::<Vec<u64>>())
            }
        }
    }

    /// The payout after an operation that drew `amount` from a box. `None` if a destination has
    /// less in that box than its part.
    pub(super) fn moved(
        mut self,
        kind: OperationKind,
        source: Source,
        amount: u64,
        authorization_id: Option<&ResourceId>,
    ) -> Option<LinePayout> {
        let split = self.split(source, amount, authorization_id);
        for (boxes, part) in self.boxes_under_mut(authorization_id).iter_mut().zip(split) {
            match source {
                Source::Unreserved => {}
                Source::Held => boxes.held = boxes.held.checked_sub(part)?,
                Source::Kept => boxes.kept = boxes.kept.checked_sub(part)?,
            }
            match kind {
                OperationKind::Authorization => boxes.held = boxes.held.checked_add(part)?,
                OperationKind::Capture => boxes.kept = boxes.kept.checked_add(part)?,
                OperationKind::Refund => boxes.refunded = boxes.refunded.checked_add(part)?,
                OperationKind::Cancellation => {}
            }
        }
        Some(self)
    }

    /// A split as an operation's answer shows it, with the sign of the item's amount.
    pub(super) fn shown(&self, amount: Amount, split: &[u64]) -> ItemPayout {
        let shares = self.rule.shares.as_slice().iter().zip(split);
        let destinations = shares.map(|(share, part)| {
            let signed = i64::try_from(amount.sign_applied_to(*part)).ok().and_then(Amount::new);
            let part = signed.expect("a part is not larger than the whole");
            (share.destination.clone(), part)
        });
        ItemPayout {
            rule_type: self.rule.rule_type,
            rule_id: self.rule.rule_id.clone(),
            destinations: destinations.collect(),
        }
    }

    /// Without an `authorization_id` that has moved anything, every box is empty.
    fn boxes_under(&self, authorization_id: Option<&ResourceId>) -> Vec<DestinationBoxes> {
        let empty = || vec![DestinationBoxes::default(); self.rule.shares.as_slice().len()];
        let part = self.parts.iter().find(|it| it.authorization_id.as_ref() == authorization_id);
        part.map_or_else(empty, |part| part.boxes.clone())
    }

    fn boxes_under_mut(
        &mut self,
        authorization_id: Option<&ResourceId>,
    ) -> &mut Vec<DestinationBoxes> {
        let known =
            self.parts.iter().position(|it| it.authorization_id.as_ref() == authorization_id);
        let at = known.unwrap_or_else(|| {
            self.parts.push(PayoutPart {
                authorization_id: authorization_id.cloned(),
                boxes: vec![DestinationBoxes::default(); self.rule.shares.as_slice().len()],
            });
            self.parts.len() - 1
        });
        &mut self.parts[at].boxes
    }
}

/// Splits an amount by weight. Each part is rounded, half away from zero; the difference to the
/// amount is then added or taken one unit at a time, from the first part on. No part exceeds its
/// limit; the limits must be at least the exact parts.
fn split_by(amount: u64, weights: &[u64], limits: &[u64]) -> Vec<u64> {
    let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if whole == 0 {
        return vec![0; weights.len()];
    }
    let rounded = |weight: &u64| {
        let doubled = 2 * u128::from(amount) * u128::from(*weight) + whole;
        u64::try_from(doubled / (2 * whole)).expect("a part is not larger than the whole")
    };
    let mut parts: Vec<u64> = weights.iter().map(rounded).collect();
    let mut sum: u64 = parts.iter().sum();
    // Fewer units are left than parts were rounded down, and fewer are missing than were rounded
    // up, so one pass is enough.
    for (part, limit) in parts.iter_mut().zip(limits) {
        if sum < amount && *part < *limit {
            *part += 1;
            sum += 1;
        } else if amount < sum && 0 < *part {
            *part -= 1;
            sum -= 1;
        }
    }
    assert_eq!(sum, amount, "the parts of a split add up to it");
    parts
}

#[cfg(test)]
#[path = "line_payout_tests.rs"]
mod tests;
