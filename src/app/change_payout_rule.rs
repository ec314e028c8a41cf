//! Replacing or deleting a payout rule. Lines keep the copies that they have.

use super::OnBehalfOf;
use crate::domain::ids::{AccountId, PayoutRuleSeq};
use crate::store::{Failed, NewPayoutRule, Tx, WriteCommand};

/// Changes a payout rule of the account.
#[derive(Debug, Clone)]
pub struct ChangePayoutRule {
    pub on_behalf_of: OnBehalfOf,
    pub id: String,
    pub change: PayoutRuleChange,
}

#[derive(Debug, Clone)]
pub enum PayoutRuleChange {
    Replace(NewPayoutRule),
    /// Marks the rule as deleted.
    Delete,
}

#[derive(Debug)]
pub enum ChangePayoutRuleRefused {
    NotFound,
    Deleted,
    /// Another rule in use has this type, id and currency.
    Taken,
}

impl WriteCommand for ChangePayoutRule {
    const NAME: &'static str = "change_payout_rule";
    type Done = PayoutRuleSeq;
    type Refused = ChangePayoutRuleRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<PayoutRuleSeq, Failed<ChangePayoutRuleRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_payout_rule(account_id, &self.id)?;
        let before = found.ok_or(Failed::Refused(ChangePayoutRuleRefused::NotFound))?;
        if before.deleted.is_some() {
            return Err(Failed::Refused(ChangePayoutRuleRefused::Deleted));
        }
        let rule_seq = before.rule_seq;
        match &self.change {
            PayoutRuleChange::Delete => tx.delete_payout_rule(rule_seq, created_by)?,
            PayoutRuleChange::Replace(rule) => {
                let other = tx.find_payout_rule_by_key(account_id, &rule.key)?;
                if other.is_some_and(|other| other.rule_seq != rule_seq) {
                    return Err(Failed::Refused(ChangePayoutRuleRefused::Taken));
                }
                tx.update_payout_rule(rule_seq, rule)?;
            }
        }
        Ok(rule_seq)
    }
}
