//! Creating a payout rule.

use super::OnBehalfOf;
use crate::domain::ids::{AccountId, PayoutRuleSeq};
use crate::domain::payout_rule::RULES_MAX;
use crate::store::{Failed, NewPayoutRule, Tx, WriteCommand};

/// Creates a payout rule of the account.
#[derive(Debug, Clone)]
pub struct CreatePayoutRule {
    pub on_behalf_of: OnBehalfOf,
    pub rule: NewPayoutRule,
}

#[derive(Debug)]
pub enum CreatePayoutRuleRefused {
    /// Another rule in use has this type, id and currency.
    Taken,
    /// The account has [`RULES_MAX`] rules in use.
    TooMany,
}

impl WriteCommand for CreatePayoutRule {
    const NAME: &'static str = "create_payout_rule";
    type Done = PayoutRuleSeq;
    type Refused = CreatePayoutRuleRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<PayoutRuleSeq, Failed<CreatePayoutRuleRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        if tx.find_payout_rule_by_key(account_id, &self.rule.key)?.is_some() {
            return Err(Failed::Refused(CreatePayoutRuleRefused::Taken));
        }
        if RULES_MAX <= tx.count_payout_rules(account_id)? {
            return Err(Failed::Refused(CreatePayoutRuleRefused::TooMany));
        }

        // Nothing is refused from here on.
        Ok(tx.insert_payout_rule(account_id, created_by, &self.rule)?)
    }
}
