//! Chooses the payout rule of each line when a draft is completed (docs/contract.md, Decision 12).

use std::collections::HashMap;

use super::documents::parse_kept;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;
use crate::domain::item::Item;
use crate::domain::ledger::Ledger;
use crate::domain::payout_rule::{CopiedRule, RuleId, RuleKey, RuleType};
use crate::json::Tree;
use crate::store::{Failed, NewDraft, StoreError, Tx, copy_rule};

/// The items, by their positions, whose `manual_payout` names no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PayoutRulesUnknown(pub Vec<usize>);

/// Gives each item a copy of its payout rule, if the draft's options switch payouts on.
/// `order_store` is the store of items that have no store.
pub(super) fn choose_payout_rules(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft: &NewDraft,
    items: &mut [Item],
    order_store: Option<&str>,
) -> Result<(), Failed<PayoutRulesUnknown>> {
    let options = parse_kept(&draft.options_document);
    let Some(of_draft) = options.member("payout").and_then(rules_of_draft) else {
        return Ok(());
    };
    let rules = Rules { tx, account_id, currency: &draft.currency, of_draft };
    let mut known: HashMap<(RuleType, RuleId), Option<CopiedRule>> = HashMap::new();
    let mut unknown = Vec::new();
    for (at, item) in items.iter_mut().enumerate() {
        let document = parse_kept(&item.document);
        let manual = document.member("manual_payout").filter(|sent| **sent != Tree::Null);
        let named = match manual {
            Some(sent) => named_rule(sent),
            None => item.store_id.as_deref().or(order_store).and_then(rule_of_store),
        };
        if let Some(named) = named {
            if !known.contains_key(&named) {
                known.insert(named.clone(), rules.find(&named)?);
            }
            item.payout_rule = known.get(&named).cloned().flatten();
        }
        if manual.is_some() && item.payout_rule.is_none() {
            unknown.push(at);
        }
    }
    if unknown.is_empty() { Ok(()) } else { Err(Failed::Refused(PayoutRulesUnknown(unknown))) }
}

/// Gives the lines of these items, which have no operations, the payouts of their rules.
pub(super) fn pay_out_lines(ledger: &mut Ledger, items: &[Item]) {
    for item in items {
        if let (Some(copied), Some(at)) = (&item.payout_rule, ledger.find(item.line_id)) {
            ledger.lines[at] = ledger.lines[at].clone().paid_out_by(copied.rule.clone());
        }
    }
}

/// Where the rules of a draft's lines are looked up.
struct Rules<'a, 'c> {
    tx: &'a Tx<'c>,
    account_id: &'a AccountId,
    currency: &'a Currency,
    of_draft: Vec<DraftRule>,
}

/// A rule from a draft's options, with its destinations.
struct DraftRule {
    key: RuleKey,
    destinations: Tree,
}

impl Rules<'_, '_> {
    /// The draft's rule, or else the account's. A rule for the currency goes before one for all.
    fn find(&self, named: &(RuleType, RuleId)) -> Result<Option<CopiedRule>, StoreError> {
        let (rule_type, rule_id) = named.clone();
        let keys = [Some(self.currency.clone()), None].map(|currency| RuleKey {
            rule_type,
            rule_id: rule_id.clone(),
            currency,
        });
        let copied = |destinations: &Tree| {
            let unreadable = |_| StoreError::inconsistent("a payout rule has wrong destinations");
            copy_rule(rule_type, rule_id.clone(), destinations).map_err(unreadable)
        };
        for key in &keys {
            if let Some(rule) = self.of_draft.iter().find(|rule| rule.key == *key) {
                return copied(&rule.destinations).map(Some);
            }
        }
        for key in &keys {
            if let Some(record) = self.tx.find_payout_rule_by_key(self.account_id, key)? {
                let document = parse_kept(&record.rule.document);
                let nothing = Tree::List(Vec::new());
                return copied(document.member("destinations").unwrap_or(&nothing)).map(Some);
            }
        }
        Ok(None)
    }
}

/// The rules in `options.payout`; `None` if it switches payouts off.
fn rules_of_draft(payout: &Tree) -> Option<Vec<DraftRule>> {
    match payout {
        Tree::Bool(true) => Some(Vec::new()),
        Tree::Object(_) => {
            let sent = payout.member("rules").map(Tree::elements).unwrap_or_default();
            Some(sent.iter().filter_map(draft_rule).collect())
        }
        Tree::Bool(false) | Tree::Null | Tree::Number(_) | Tree::Text(_) | Tree::List(_) => None,
    }
}

fn draft_rule(sent: &Tree) -> Option<DraftRule> {
    let (rule_type, rule_id) = named_rule(sent)?;
    let currency = sent.member("currency").and_then(Tree::as_text).and_then(Currency::parse);
    let destinations = sent.member("destinations")?.clone();
    Some(DraftRule { key: RuleKey { rule_type, rule_id, currency }, destinations })
}

fn named_rule(sent: &Tree) -> Option<(RuleType, RuleId)> {
    let text = |key: &str| sent.member(key).and_then(Tree::as_text);
    Some((RuleType::parse(text("rule_type")?)?, RuleId::parse(text("rule_id")?)?))
}

fn rule_of_store(store_id: &str) -> Option<(RuleType, RuleId)> {
    Some((RuleType::StoreId, RuleId::parse(store_id)?))
}
