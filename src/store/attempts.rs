//! Wrong passwords in a row, by whom they were for and where they came from.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;

impl Reader<'_> {
    /// How many under that name, and when the last was.
    pub fn find_sign_in_attempts(
        &self,
        name_sha256: &[u8; 32],
    ) -> Result<Option<(u32, Timestamp)>, StoreError> {
        let sql = "select failures, last_at_ms from sign_in_attempts
            where name_sha256 = :name_sha256";
        let params = named_params! {":name_sha256": name_sha256};
        self.find(sql, params, |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Tx<'_> {
    /// Stores how many there are under that name; 0 forgets it.
    pub fn put_sign_in_attempts(
        &self,
        name_sha256: &[u8; 32],
        failures: u32,
        last_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "delete from sign_in_attempts where name_sha256 = :name_sha256";
        self.execute(sql, named_params! {":name_sha256": name_sha256})?;
        if failures == 0 {
            return Ok(());
        }
        let sql = "insert into sign_in_attempts (name_sha256, failures, last_at_ms)
            values (:name_sha256, :failures, :last_at)";
        let params = named_params! {
            ":name_sha256": name_sha256,
            ":failures": failures,
            ":last_at": last_at,
        };
        self.execute(sql, params)?;
        Ok(())
    }

    /// Forgets all whose last was before `before`.
    pub fn delete_old_sign_in_attempts(&self, before: Timestamp) -> Result<(), StoreError> {
        let sql = "delete from sign_in_attempts where last_at_ms < :before";
        self.execute(sql, named_params! {":before": before})?;
        Ok(())
    }
}
