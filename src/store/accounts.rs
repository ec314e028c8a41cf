//! Accounts, and the single row about the database file itself.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;

/// A stored account.
#[derive(Debug, Clone)]
pub struct AccountRecord {
    pub account_id: AccountId,
    pub name: String,
    pub currency: Currency,
    /// An IANA name, such as `Europe/Oslo`.
    pub time_zone: String,
    pub created_at: Timestamp,
    /// The merchant's own payment page, with `{session_id}` in the place of the session's id.
    pub checkout_url: Option<String>,
}

impl Reader<'_> {
    /// All accounts, by id.
    pub fn list_accounts(&self) -> Result<Vec<AccountRecord>, StoreError> {
        let sql = "select account_id, name, currency, time_zone, created_at_ms, checkout_url
                   from accounts order by account_id";
        self.list(sql, [], read_account)
    }

    pub fn find_account(
        &self,
        account_id: &AccountId,
    ) -> Result<Option<AccountRecord>, StoreError> {
        let sql = "select account_id, name, currency, time_zone, created_at_ms, checkout_url
                   from accounts where account_id = :account_id";
        self.find(sql, named_params! {":account_id": account_id}, read_account)
    }

    pub fn find_account_seq(&self, account_id: &AccountId) -> Result<Option<i64>, StoreError> {
        let sql = "select account_seq from accounts where account_id = :account_id";
        self.find(sql, named_params! {":account_id": account_id}, |row| row.get(0))
    }

    /// The row of an account that must exist, since a valid token names it.
    pub(super) fn load_account_seq(&self, account_id: &AccountId) -> Result<i64, StoreError> {
        let seq = self.find_account_seq(account_id)?;
        seq.ok_or_else(|| StoreError::inconsistent(format!("account {account_id} does not exist")))
    }

    /// The seed of the demo shop in this file; `None` unless the demo made it.
    pub fn load_demo_seed(&self) -> Result<Option<i64>, StoreError> {
        let seed = self.find("select demo_seed from book", [], |row| row.get(0))?;
        Ok(seed.flatten())
    }

    /// Rises with every change of anyone's access.
    pub fn load_access_version(&self) -> Result<i64, StoreError> {
        let version = self.find("select access_version from book", [], |row| row.get(0))?;
        version.ok_or_else(|| StoreError::inconsistent("the table book has no row"))
    }
}

impl Tx<'_> {
    pub fn insert_account(&self, account: &AccountRecord) -> Result<(), StoreError> {
        let sql = "insert into accounts (account_id, name, currency, time_zone, created_at_ms)
                   values (:account_id, :name, :currency, :time_zone, :created_at_ms)";
        self.insert(
            sql,
            named_params! {
                ":account_id": account.account_id,
                ":name": account.name,
                ":currency": account.currency,
                ":time_zone": account.time_zone,
                ":created_at_ms": account.created_at,
            },
        )?;
        Ok(())
    }

    /// Sets or removes the merchant's own payment page.
    pub fn update_checkout_url(
        &self,
        account_id: &AccountId,
        checkout_url: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "update accounts set checkout_url = :checkout_url
            where account_id = :account_id";
        let params = named_params! {":checkout_url": checkout_url, ":account_id": account_id};
        self.execute(sql, params)?;
        Ok(())
    }

    /// Marks the file as a demo shop, with the seed it was made from.
    pub fn update_demo_seed(&self, seed: i64) -> Result<(), StoreError> {
        self.execute("update book set demo_seed = :seed", named_params! {":seed": seed})?;
        Ok(())
    }

    /// Tells running servers that access has changed.
    pub fn raise_access_version(&self) -> Result<(), StoreError> {
        self.execute("update book set access_version = access_version + 1", [])?;
        Ok(())
    }
}

/// Reads an account from the columns `account_id`, `name`, `currency`, `time_zone`,
/// `created_at_ms` and `checkout_url`.
pub(super) fn read_account(row: &Row<'_>) -> rusqlite::Result<AccountRecord> {
    Ok(AccountRecord {
        account_id: row.get("account_id")?,
        name: row.get("name")?,
        currency: row.get("currency")?,
        time_zone: row.get("time_zone")?,
        created_at: row.get("created_at_ms")?,
        checkout_url: row.get("checkout_url")?,
    })
}
