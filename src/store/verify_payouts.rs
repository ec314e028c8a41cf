//! Recounts the payouts of an order's lines from its operations.
//!
//! It shares no arithmetic with `domain::line_payout`, so that a mistake there is found here.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::events::EventRecord;
use super::orders::OrderRecord;
use crate::domain::ids::LineId;
use crate::domain::line::Line;
use crate::domain::operation::{Operation, OperationKind};
use crate::domain::payout_rule::LineRule;

/// The items of an operation's document, as far as payouts need them.
#[derive(Deserialize)]
struct Items {
    items: Vec<ItemRow>,
}

#[derive(Deserialize)]
struct ItemRow {
    line_id: i64,
    amount: i64,
    payout: Option<PayoutRow>,
}

#[derive(Deserialize)]
struct PayoutRow {
    rule_type: String,
    rule_id: String,
    destinations: Vec<DestinationRow>,
}

#[derive(Deserialize)]
struct DestinationRow {
    destination: String,
    amount: i64,
}

/// The amounts of one destination on a line: held, kept and refunded.
type Parts = [u64; 3];

const HELD: usize = 0;
const KEPT: usize = 1;
const REFUNDED: usize = 2;

/// A line while its payouts are recounted.
struct Recount<'a> {
    rule: &'a LineRule,
    /// True if an authorization above 0 has succeeded on the line.
    is_authorized: bool,
    /// The destinations' parts by the authorization's id, which is empty without the option.
    by_authorization: BTreeMap<String, Vec<Parts>>,
}

/// Checks the rule and the payouts of every line, and reports amounts that do not add up.
pub(super) fn check_payouts(order: &OrderRecord, off: &mut Vec<String>) {
    check_rules(order, off);
    let lines = order.ledger.lines.iter();
    let mut recounts: BTreeMap<i64, Recount<'_>> = lines.filter_map(fresh).collect();
    if recounts.is_empty() {
        return;
    }
    for operation in order.events.iter().filter_map(EventRecord::operation) {
        let Ok(Items { items }) = serde_json::from_str(&operation.document.0) else { continue };
        for item in &items {
            let counted = match recounts.get_mut(&item.line_id) {
                Some(recount) => recount.count(operation, order, item),
                None if item.payout.is_some() => Err("is on a line that has none"),
                None => Ok(()),
            };
            if let Err(why) = counted {
                let (kind, id) = (operation.kind.singular(), operation.id.as_str());
                off.push(format!("line {}: the payout of {kind} {id} {why}", item.line_id));
            }
        }
    }
    for line in &order.ledger.lines {
        let number = line.line_id().number();
        let Some(recount) = recounts.get(&number) else { continue };
        let stored = stored_parts(line);
        if stored != recount.by_authorization {
            let counted = &recount.by_authorization;
            off.push(format!(
                "line {number}: the ledger splits it as {stored:?}, its operations as {counted:?}"
            ));
        }
    }
}

/// Compares the rules in the ledger with those that were copied to the items.
fn check_rules(order: &OrderRecord, off: &mut Vec<String>) {
    let copied: BTreeMap<LineId, &LineRule> = order
        .items
        .iter()
        .filter_map(|item| Some((item.line_id, &item.payout_rule.as_ref()?.rule)))
        .collect();
    for line in &order.ledger.lines {
        let rule = line.payout().map(|payout| payout.rule());
        if rule != copied.get(&line.line_id()).copied() {
            let number = line.line_id().number();
            off.push(format!(
                "line {number}: its payout rule is not the one that was copied to it"
            ));
        }
    }
}

fn fresh(line: &Line) -> Option<(i64, Recount<'_>)> {
    let rule = line.payout()?.rule();
    let recount = Recount { rule, is_authorized: false, by_authorization: BTreeMap::new() };
    Some((line.line_id().number(), recount))
}

impl Recount<'_> {
    fn count(
        &mut self,
        operation: &Operation,
        order: &OrderRecord,
        item: &ItemRow,
    ) -> Result<(), &'static str> {
        let payout = item.payout.as_ref().ok_or("is missing")?;
        self.expect_rule(payout)?;
        let amounts = payout.destinations.iter().map(|it| i128::from(it.amount));
        if amounts.clone().sum::<i128>() != i128::from(item.amount) {
            return Err("does not add up to the item's amount");
        }
        if amounts.clone().any(|amount| amount.signum() * i128::from(item.amount).signum() < 0) {
            return Err("has an amount with the wrong sign");
        }
        let under = match order.ledger.multiple_authorizations {
            true => operation.authorization_id.as_ref().unwrap_or(&operation.id).as_str(),
            false => "",
        };
        let amount = item.amount.unsigned_abs();
        let from = self.source(operation.kind, order.ledger.multiple_authorizations);
        let nothing = || vec![[0; 3]; self.rule.shares.as_slice().len()];
        let mut parts = self.by_authorization.get(under).cloned().unwrap_or_else(nothing);
        let split: Vec<u64> =
            payout.destinations.iter().map(|it| it.amount.unsigned_abs()).collect();
        if split != self.expected(from, amount, &parts) {
            return Err("is not what its rule gives");
        }
        if !operation.success || amount == 0 {
            return Ok(());
        }
        let to = match operation.kind {
            OperationKind::Authorization => Some(HELD),
            OperationKind::Capture => Some(KEPT),
            OperationKind::Refund => Some(REFUNDED),
            OperationKind::Cancellation => None,
        };
        for (boxes, part) in parts.iter_mut().zip(split) {
            if let Some(from) = from {
                boxes[from] = boxes[from].checked_sub(part).ok_or("takes more than there is")?;
            }
            if let Some(to) = to {
                boxes[to] = boxes[to].checked_add(part).ok_or("is out of range")?;
            }
        }
        self.by_authorization.insert(under.to_owned(), parts);
        self.is_authorized |= operation.kind == OperationKind::Authorization;
        Ok(())
    }

    fn expect_rule(&self, payout: &PayoutRow) -> Result<(), &'static str> {
        let shares = self.rule.shares.as_slice().iter().map(|share| share.destination.as_str());
        let named = payout.destinations.iter().map(|it| it.destination.as_str());
        let is_same = payout.rule_type == self.rule.rule_type.as_str()
            && payout.rule_id == self.rule.rule_id.as_str()
            && named.eq(shares);
        if is_same { Ok(()) } else { Err("is not by the line's rule") }
    }

    /// The box that an operation draws from; `None` for the unreserved amount.
    fn source(&self, kind: OperationKind, multiple_authorizations: bool) -> Option<usize> {
        match kind {
            OperationKind::Authorization => None,
            OperationKind::Capture if !multiple_authorizations && !self.is_authorized => None,
            OperationKind::Capture | OperationKind::Cancellation => Some(HELD),
            OperationKind::Refund => Some(KEPT),
        }
    }

    /// The split that the rule gives.
    fn expected(&self, from: Option<usize>, amount: u64, parts: &[Parts]) -> Vec<u64> {
        let content: Option<Vec<u64>> =
            from.map(|from| parts.iter().map(|boxes| boxes[from]).collect());
        let has_enough = |content: &Vec<u64>| {
            u128::from(amount) <= content.iter().map(|part| u128::from(*part)).sum()
        };
        match content.filter(has_enough) {
            Some(content) => apportion(amount, &content, content.clone()),
            None => {
                let weights: Vec<u64> =
                    self.rule.shares.as_slice().iter().map(|s| s.weight).collect();
                let most = weights.iter().map(|weight| if *weight == 0 { 0 } else { u64::MAX });
                apportion(amount, &weights, most.collect())
            }
        }
    }
}

/// Shares an amount out by weight: whole units first, then one more for each part whose fraction is
/// at least a half; then units are given or taken back from the first part on until all is shared.
fn apportion(amount: u64, weights: &[u64], most: Vec<u64>) -> Vec<u64> {
    let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut parts = Vec::new();
    for weight in weights {
        let exact = u128::from(amount) * u128::from(*weight);
        let units = exact.checked_div(whole).unwrap_or_default();
        let fraction = exact - units * whole;
        let rounds_up = 0 < fraction && whole - fraction <= fraction;
        parts.push(units + u128::from(rounds_up));
    }
    let mut at = 0;
    while at < parts.len() && parts.iter().sum::<u128>() != u128::from(amount) {
        if u128::from(amount) < parts.iter().sum::<u128>() {
            parts[at] = parts[at].saturating_sub(1);
        } else if parts[at] < u128::from(most[at]) {
            parts[at] += 1;
        }
        at += 1;
    }
    parts.into_iter().map(|part| u64::try_from(part).unwrap_or(u64::MAX)).collect()
}

fn stored_parts(line: &Line) -> BTreeMap<String, Vec<Parts>> {
    let parts = line.payout().map(|payout| payout.parts()).unwrap_or_default().iter();
    let stored = parts.map(|part| {
        let id = part.authorization_id.as_ref().map(|id| id.as_str().to_owned());
        let boxes = part.boxes.iter().map(|it| [it.held, it.kept, it.refunded]).collect();
        (id.unwrap_or_default(), boxes)
    });
    stored.collect()
}
