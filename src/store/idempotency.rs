//! The names of answers stored under idempotency keys (docs/contract.md, Decision 4).

use aws_lc_rs::digest;
use rusqlite::{named_params, params};

use super::answer_name::AnswerName;
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

/// The row that is stored under a key.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    pub fingerprint: [u8; 32],
    pub name: AnswerName,
}

pub(super) const FIND_ANSWER: &str =
    "select fingerprint, answer from idempotency_keys where key_hash = ?1";

pub(super) const INSERT_ANSWER: &str = "insert into idempotency_keys
    (key_hash, fingerprint, answer, created_at_ms)
    values (?1, ?2, ?3, ?4)";

/// Counts the keys whose text is neither the exact name of a row that exists nor, as in books of
/// earlier versions, an answer or the id of an operation or order. It must count 0.
pub(super) const STRAY_KEYS: (&str, &str) = (
    "keys name an answer that does not exist",
    "select count(*) from idempotency_keys where case
        when answer glob 'event [0-9]*' then not exists
            (select 1 from events where event_seq = cast(substr(answer, 7) as integer)
             and kind <> 'api' and answer = 'event ' || event_seq)
        when answer glob 'draft [0-9]*' then not exists
            (select 1 from drafts where draft_seq = cast(substr(answer, 7) as integer)
             and answer = 'draft ' || draft_seq)
        when answer glob 'session [0-9]*' then not exists
            (select 1 from order_sessions where session_seq = cast(substr(answer, 9) as integer)
             and answer = 'session ' || session_seq)
        when answer glob 'payout_rule [0-9]*' then not exists
            (select 1 from payout_rules where rule_seq = cast(substr(answer, 13) as integer)
             and answer = 'payout_rule ' || rule_seq)
        when answer glob 'orders [0-9]*' then case
            when exists
                (select 1 from orders where order_seq = cast(substr(answer, 8) as integer)
                 and answer = 'orders ' || order_seq) then false
            when substr(answer, 8) glob '*[^0-9 ]*'
                or not json_valid('[' || replace(substr(answer, 8), ' ', ',') || ']')
                then true
            else exists
                (select 1 from json_each('[' || replace(substr(answer, 8), ' ', ',') || ']')
                 where value not in (select order_seq from orders)) end
        when answer glob '{*' then not json_valid(answer)
        else answer not in (select name from order_names)
            and answer not in
                (select operation_id from events where operation_id is not null) end",
);

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
            Ok(StoredAnswer { fingerprint: row.get(0)?, name: row.get(1)? })
        })
    }
}

impl Tx<'_> {
    /// Stores the name of the answer to a request whose key was not used before.
    pub fn insert_answer(&self, used: &KeyUse, name: &AnswerName) -> Result<(), StoreError> {
        let name = name.to_string();
        let params = params![used.hash.as_bytes(), used.fingerprint, name, self.now()];
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
