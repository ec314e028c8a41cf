//! Payout rules of accounts (docs/contract.md, Decision 12).

use rusqlite::named_params;

use super::error::StoreError;
use super::row::Columns;
use super::tx::{Reader, Tx};
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountId, CreatedBy, PayoutRuleSeq};
use crate::domain::payout_rule::{RuleId, RuleKey, RuleType};
use crate::domain::{KeptJson, Timestamp};

/// The contents of a rule.
#[derive(Debug, Clone)]
pub struct NewPayoutRule {
    pub key: RuleKey,
    /// The rule as it was sent, without the members of its key.
    pub document: KeptJson,
}

/// A stored rule.
#[derive(Debug, Clone)]
pub struct PayoutRuleRecord {
    pub rule_seq: PayoutRuleSeq,
    pub id: String,
    pub rule: NewPayoutRule,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub updated_at: Timestamp,
    /// When it was deleted, and who deleted it.
    pub deleted: Option<(Timestamp, CreatedBy)>,
}

/// The filters of a list of rules, newest first. Empty filters match everything.
#[derive(Debug, Clone, Default)]
pub struct PayoutRuleQuery {
    pub rule_type: Option<RuleType>,
    pub rule_id: Option<String>,
    /// A destination that the rule names.
    pub destination: Option<String>,
    pub currency: Option<Currency>,
    pub include_deleted: bool,
    /// The last row of the page before.
    pub starting_after: Option<PayoutRuleSeq>,
    pub limit: u32,
    /// Whether to count all matching rules.
    pub total: bool,
}

macro_rules! select_rules {
    ($rest:literal) => {
        concat!(
            "select rule_seq, id, rule_type, rule_id, currency, document, created_at_ms,
                created_by, updated_at_ms, deleted_at_ms, deleted_by
            from payout_rules ",
            $rest
        )
    };
}

/// The rows of an account that match a query. `$in_use` limits them to rules that are not deleted,
/// for which there is an index of its own.
macro_rules! matching {
    ($in_use:literal) => {
        concat!(
            "where account_seq = :account_seq ",
            $in_use,
            " and (:rule_type is null or rule_type = :rule_type)
              and (:rule_id is null or rule_id = :rule_id)
              and (:currency is null or currency = :currency)
              and (:destination is null or exists
                (select 1 from json_tree(document, '$.destinations')
                 where key = 'destination' and atom = :destination))"
        )
    };
}

macro_rules! page {
    ($in_use:literal) => {
        concat!(
            "select rule_seq from payout_rules ",
            matching!($in_use),
            " and rule_seq < :before order by rule_seq desc limit :limit"
        )
    };
}

macro_rules! count {
    ($in_use:literal) => {
        concat!("select count(*) from payout_rules ", matching!($in_use))
    };
}

const PAGE_IN_USE: &str = page!("and deleted_at_ms is null");
const PAGE_OF_ALL: &str = page!("");
const COUNT_IN_USE: &str = count!("and deleted_at_ms is null");
const COUNT_ALL: &str = count!("");

impl Reader<'_> {
    pub fn find_payout_rule(
        &self,
        account_id: &AccountId,
        id: &str,
    ) -> Result<Option<PayoutRuleRecord>, StoreError> {
        let sql = select_rules!("where account_seq = :account_seq and id = :id");
        let account_seq = self.load_account_seq(account_id)?;
        let params = named_params! {":account_seq": account_seq, ":id": id};
        self.find(sql, params, |row| read_rule(&mut Columns::of(row)))
    }

    /// The rule in row `rule_seq`, which must exist.
    pub fn load_payout_rule(
        &self,
        rule_seq: PayoutRuleSeq,
    ) -> Result<PayoutRuleRecord, StoreError> {
        let sql = select_rules!("where rule_seq = :rule_seq");
        let params = named_params! {":rule_seq": rule_seq};
        let found = self.find(sql, params, |row| read_rule(&mut Columns::of(row)))?;
        let gone = || StoreError::inconsistent(format!("no payout rule is in row {}", rule_seq.0));
        found.ok_or_else(gone)
    }

    /// The rule in use that has this key, if there is one.
    pub fn find_payout_rule_by_key(
        &self,
        account_id: &AccountId,
        key: &RuleKey,
    ) -> Result<Option<PayoutRuleRecord>, StoreError> {
        let sql = select_rules!(
            "where account_seq = :account_seq and rule_type = :rule_type and rule_id = :rule_id
               and coalesce(currency, '') = coalesce(:currency, '') and deleted_at_ms is null"
        );
        let account_seq = self.load_account_seq(account_id)?;
        let params = named_params! {
            ":account_seq": account_seq,
            ":rule_type": key.rule_type,
            ":rule_id": key.rule_id,
            ":currency": key.currency,
        };
        self.find(sql, params, |row| read_rule(&mut Columns::of(row)))
    }

    /// The number of an account's rules in use.
    pub fn count_payout_rules(&self, account_id: &AccountId) -> Result<u32, StoreError> {
        let sql = "select count(*) from payout_rules
            where account_seq = :account_seq and deleted_at_ms is null";
        let account_seq = self.load_account_seq(account_id)?;
        let found =
            self.find(sql, named_params! {":account_seq": account_seq}, |row| row.get(0))?;
        Ok(found.unwrap_or_default())
    }

    /// The rows of a page of rules, and how many rules match, if the query asks for it.
    pub fn list_payout_rule_seqs(
        &self,
        account_id: &AccountId,
        query: &PayoutRuleQuery,
    ) -> Result<(Vec<PayoutRuleSeq>, Option<i64>), StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let (page, count) = match query.include_deleted {
            true => (PAGE_OF_ALL, COUNT_ALL),
            false => (PAGE_IN_USE, COUNT_IN_USE),
        };
        let rows = self.list(
            page,
            named_params! {
                ":account_seq": account_seq,
                ":rule_type": query.rule_type,
                ":rule_id": query.rule_id,
                ":currency": query.currency,
                ":destination": query.destination,
                ":before": query.starting_after.map_or(i64::MAX, |seq| seq.0),
                ":limit": query.limit,
            },
            |row| row.get(0),
        )?;
        if !query.total {
            return Ok((rows, None));
        }
        let params = named_params! {
            ":account_seq": account_seq,
            ":rule_type": query.rule_type,
            ":rule_id": query.rule_id,
            ":currency": query.currency,
            ":destination": query.destination,
        };
        Ok((rows, self.find(count, params, |row| row.get(0))?))
    }
}

impl Tx<'_> {
    pub fn insert_payout_rule(
        &self,
        account_id: &AccountId,
        created_by: &CreatedBy,
        rule: &NewPayoutRule,
    ) -> Result<PayoutRuleSeq, StoreError> {
        let sql = "insert into payout_rules
            (account_seq, id, rule_type, rule_id, currency, document, created_at_ms, created_by,
             updated_at_ms)
            values (:account_seq, :id, :rule_type, :rule_id, :currency, :document, :now,
             :created_by, :now)";
        let rule_seq = self.insert(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":id": self.randomness().uuid(),
                ":rule_type": rule.key.rule_type,
                ":rule_id": rule.key.rule_id,
                ":currency": rule.key.currency,
                ":document": rule.document,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?;
        Ok(PayoutRuleSeq(rule_seq))
    }

    /// Replaces a rule's contents.
    pub fn update_payout_rule(
        &self,
        rule_seq: PayoutRuleSeq,
        rule: &NewPayoutRule,
    ) -> Result<(), StoreError> {
        let sql = "update payout_rules set rule_type = :rule_type, rule_id = :rule_id,
                currency = :currency, document = :document, updated_at_ms = :now
            where rule_seq = :rule_seq";
        self.execute(
            sql,
            named_params! {
                ":rule_type": rule.key.rule_type,
                ":rule_id": rule.key.rule_id,
                ":currency": rule.key.currency,
                ":document": rule.document,
                ":now": self.now(),
                ":rule_seq": rule_seq,
            },
        )?;
        Ok(())
    }

    /// Marks a rule as deleted.
    pub fn delete_payout_rule(
        &self,
        rule_seq: PayoutRuleSeq,
        deleted_by: &CreatedBy,
    ) -> Result<(), StoreError> {
        let sql = "update payout_rules set deleted_at_ms = :now, deleted_by = :deleted_by,
                updated_at_ms = :now
            where rule_seq = :rule_seq";
        let params = named_params! {
            ":now": self.now(),
            ":deleted_by": deleted_by,
            ":rule_seq": rule_seq,
        };
        self.execute(sql, params)?;
        Ok(())
    }
}

fn read_rule(columns: &mut Columns<'_>) -> rusqlite::Result<PayoutRuleRecord> {
    let (rule_seq, id) = (columns.take()?, columns.take()?);
    let key = RuleKey {
        rule_type: columns.take()?,
        rule_id: columns.take::<RuleId>()?,
        currency: columns.take()?,
    };
    let rule = NewPayoutRule { key, document: columns.take()? };
    let (created_at, created_by) = (columns.take()?, columns.take()?);
    let updated_at = columns.take()?;
    let (at, by): (Option<Timestamp>, Option<CreatedBy>) = (columns.take()?, columns.take()?);
    Ok(PayoutRuleRecord {
        rule_seq,
        id,
        rule,
        created_at,
        created_by,
        updated_at,
        deleted: at.zip(by),
    })
}
