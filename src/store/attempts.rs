//! Failed sign-ins, by the hash of the user's e-mail or of the address they came from.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;

// The statements that a failed sign-in runs. A stranger can cause them, so neither may read the
// whole table.
const PUT: &str = "insert into sign_in_attempts (name_sha256, failures, last_at_ms)
    values (:name_sha256, :failures, :last_at)
    on conflict do update set failures = excluded.failures, last_at_ms = excluded.last_at_ms";
const DELETE: &str = "delete from sign_in_attempts where name_sha256 = :name_sha256";

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
        let params = named_params! {
            ":name_sha256": name_sha256,
            ":failures": failures,
            ":last_at": last_at,
        };
        self.execute(PUT, params)?;
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
        self.execute(DELETE, named_params! {":name_sha256": name_sha256})?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus};

    use super::*;

    #[test]
    fn an_attempt_reads_no_more_rows_however_many_there_are() {
        #[expect(clippy::disallowed_methods, reason = "a plan needs no settings")]
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../data/schema.sql")).unwrap();
        let fill = "with recursive n(n) as (select 1 union all select n + 1 from n where n < 1000)
            insert into sign_in_attempts select randomblob(32), 1, n from n";
        conn.execute(fill, []).unwrap();
        let known: [u8; 32] = conn
            .query_row("select name_sha256 from sign_in_attempts limit 1 offset 500", [], |row| {
                row.get(0)
            })
            .unwrap();
        for name in [known, [7; 32]] {
            let mut put = conn.prepare(PUT).unwrap();
            let last_at = Timestamp(5);
            let params = named_params! {":name_sha256": name, ":failures": 2, ":last_at": last_at};
            put.execute(params).unwrap();
            let mut delete = conn.prepare(DELETE).unwrap();
            assert_eq!(delete.execute(named_params! {":name_sha256": name}).unwrap(), 1);
            for statement in [put, delete] {
                assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0);
                assert!(statement.get_status(StatementStatus::VmStep) < 100);
            }
        }
    }
}
