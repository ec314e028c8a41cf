//! The answers that idempotency keys stand for (contract, Decision 4).

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;

/// A key as one client used it on one request.
#[derive(Debug, Clone)]
pub struct KeyUse {
    pub account_id: AccountId,
    pub client_id: String,
    pub key: String,
    /// SHA-256 of method, path, query and canonical body.
    pub fingerprint: [u8; 32],
}

/// What a key stands for.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    pub fingerprint: [u8; 32],
    /// The body of the 200.
    pub answer: String,
}

pub(super) const FIND_ANSWER: &str = "select fingerprint, answer from idempotency_keys
    where account_seq = (select account_seq from accounts where account_id = :account_id)
      and client_id = :client_id and key = :key";

pub(super) const INSERT_ANSWER: &str = "insert into idempotency_keys
    (account_seq, client_id, key, fingerprint, answer, created_at_ms)
    values ((select account_seq from accounts where account_id = :account_id),
        :client_id, :key, :fingerprint, :answer, :now)";

impl Reader<'_> {
    /// The answer that a key stands for.
    pub fn find_answer(&self, used: &KeyUse) -> Result<Option<StoredAnswer>, StoreError> {
        self.find(
            FIND_ANSWER,
            named_params! {
                ":account_id": used.account_id,
                ":client_id": used.client_id,
                ":key": used.key,
            },
            |row| {
                Ok(StoredAnswer {
                    fingerprint: row.get("fingerprint")?,
                    answer: row.get("answer")?,
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Stores the answer of a request whose key stands for nothing.
    pub fn insert_answer(&self, used: &KeyUse, answer: &str) -> Result<(), StoreError> {
        self.insert(
            INSERT_ANSWER,
            named_params! {
                ":account_id": used.account_id,
                ":client_id": used.client_id,
                ":key": used.key,
                ":fingerprint": used.fingerprint,
                ":answer": answer,
                ":now": self.now(),
            },
        )?;
        Ok(())
    }

    /// Deletes up to `count_max` answers from before `before`, the oldest first, but none of the
    /// `kept` newest; how many it was.
    pub fn delete_answers(
        &self,
        before: Timestamp,
        kept: u32,
        count_max: u32,
    ) -> Result<usize, StoreError> {
        let sql = "delete from idempotency_keys where key_seq in (
            select key_seq from
                (select key_seq, created_at_ms from idempotency_keys
                 order by key_seq limit :count_max)
            where created_at_ms < :before
              and key_seq <= (select max(key_seq) from idempotency_keys) - :kept)";
        let params = named_params! {":before": before, ":kept": kept, ":count_max": count_max};
        self.execute(sql, params)
    }
}
