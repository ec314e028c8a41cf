//! The answers stored under idempotency keys (docs/contract.md, Decision 4).

use aws_lc_rs::digest;
use rusqlite::{named_params, params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;

/// One use of an idempotency key.
#[derive(Debug, Clone)]
pub struct KeyUse {
    pub hash: KeyHash,
    /// SHA-256 of the method, path, query and canonical body.
    pub fingerprint: [u8; 32],
}

/// The first 16 bytes of the SHA-256 of the account, the client and the key. Short, so that the
/// index of a month of keys stays in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHash([u8; 16]);

/// The answer stored under a key.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    pub fingerprint: [u8; 32],
    /// The body of the successful answer.
    pub answer: String,
}

pub(super) const FIND_ANSWER: &str =
    "select fingerprint, answer from idempotency_keys where key_hash = ?1";

pub(super) const INSERT_ANSWER: &str = "insert into idempotency_keys
    (key_hash, fingerprint, answer, created_at_ms)
    values (?1, ?2, ?3, ?4)";

impl KeyHash {
    /// Hashes a key. `client_id` is the client, or the user who sent a form.
    pub fn of(account_id: &AccountId, client_id: &str, key: &str) -> KeyHash {
        // The account and client contain no line breaks, so different keys never give the same
        // text.
        let written = format!("{}\n{client_id}\n{key}", account_id.as_str());
        let mut hash = [0; 16];
        let whole = digest::digest(&digest::SHA256, written.as_bytes());
        hash.copy_from_slice(&whole.as_ref()[..16]);
        KeyHash(hash)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Reader<'_> {
    pub fn find_answer(&self, hash: &KeyHash) -> Result<Option<StoredAnswer>, StoreError> {
        self.find(FIND_ANSWER, params![hash.as_bytes()], |row| {
            Ok(StoredAnswer { fingerprint: row.get(0)?, answer: row.get(1)? })
        })
    }
}

impl Tx<'_> {
    /// Stores the answer of a request whose key was not used before.
    pub fn insert_answer(&self, used: &KeyUse, answer: &str) -> Result<(), StoreError> {
        let params = params![used.hash.as_bytes(), used.fingerprint, answer, self.now()];
        self.insert(INSERT_ANSWER, params)?;
        Ok(())
    }

    /// Deletes up to `count_max` answers older than `before`, oldest first, but never one of the
    /// `kept` newest. Returns how many it deleted.
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
