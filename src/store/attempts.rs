//! Failed sign-ins, by the hash of the user's e-mail or of the address they came from.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;

impl Reader<'_> {
    /// The hashed names with their failures and the time of the last one, the latest first.
    pub fn list_sign_in_attempts(
        &self,
        limit: usize,
    ) -> Result<Vec<([u8; 32], u32, Timestamp)>, StoreError> {
        let sql = "select name_sha256, failures, last_at_ms from sign_in_attempts
            order by last_at_ms desc limit :limit";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = named_params! {":limit": limit};
        self.list(sql, params, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }
}

impl Tx<'_> {
    /// Stores how many failures there are under a name; `failures` is at least 1.
    pub fn put_sign_in_attempts(
        &self,
        name_sha256: &[u8; 32],
        failures: u32,
        last_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "insert into sign_in_attempts (name_sha256, failures, last_at_ms)
            values (:name_sha256, :failures, :last_at)
            on conflict do update set failures = excluded.failures,
                last_at_ms = excluded.last_at_ms";
        let params = named_params! {
            ":name_sha256": name_sha256,
            ":failures": failures,
            ":last_at": last_at,
        };
        self.execute(sql, params)?;
        Ok(())
    }

    /// Deletes the rows older than `before`, and all others except the latest `rows_max`. Reads the
    /// whole table, and is therefore used only when a server starts.
    pub fn delete_old_sign_in_attempts(
        &self,
        before: Timestamp,
        rows_max: usize,
    ) -> Result<(), StoreError> {
        let sql = "delete from sign_in_attempts where last_at_ms < :before";
        self.execute(sql, named_params! {":before": before})?;
        let sql = "delete from sign_in_attempts where name_sha256 in (
            select name_sha256 from sign_in_attempts
            order by last_at_ms desc limit -1 offset :rows_max)";
        let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
        self.execute(sql, named_params! {":rows_max": rows_max})?;
        Ok(())
    }

    pub fn delete_sign_in_attempts(&self, name_sha256: &[u8; 32]) -> Result<(), StoreError> {
        let sql = "delete from sign_in_attempts where name_sha256 = :name_sha256";
        self.execute(sql, named_params! {":name_sha256": name_sha256})?;
        Ok(())
    }
}
