//! Callbacks of order sessions.

use std::collections::HashMap;

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::callback::{CallbackState, KEPT_MS, WAIT_MS_MAX};
use crate::domain::ids::{AccountId, CallbackSeq, OrderSeq, SessionSeq};

/// A callback that is due.
#[derive(Debug, Clone)]
pub struct DueCallback {
    pub callback_seq: CallbackSeq,
    pub session_seq: SessionSeq,
    pub account_id: AccountId,
    /// The same on every try, a UUID.
    pub id: String,
    pub tries: u32,
}

/// How far the callback of a session is.
#[derive(Debug, Clone)]
pub struct SessionCallback {
    pub state: CallbackState,
    /// All tries so far.
    pub tries: u32,
    /// When the next try is due, if the callback waits.
    pub next_at: Option<Timestamp>,
    /// When the last try began.
    pub tried_at: Option<Timestamp>,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// The end of a try, and the state of the callback after it.
#[derive(Debug, Clone)]
pub struct SettledCallback {
    pub callback_seq: CallbackSeq,
    pub state: CallbackState,
    /// All tries so far.
    pub tries: u32,
    /// When the next try is due, if the callback waits.
    pub next_at: Option<Timestamp>,
    pub tried_at: Timestamp,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why the try failed.
    pub error: Option<String>,
}

impl Reader<'_> {
    /// Callbacks that are due at `now`, the longest waiting first.
    pub fn list_due_callbacks(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueCallback>, StoreError> {
        let sql = "select callback_seq, session_callbacks.session_seq, account_id,
                session_callbacks.id, tries
            from session_callbacks indexed by session_callbacks_due
            cross join order_sessions using (session_seq)
            cross join orders using (order_seq)
            cross join accounts using (account_seq)
            where state = 'waiting' and next_at_ms between :from and :to
            order by next_at_ms, callback_seq limit :limit";
        let list = |from: Timestamp, to: Timestamp| {
            let params = named_params! {":from": from, ":to": to, ":limit": limit};
            self.list(sql, params, read_due)
        };
        let mut due = list(Timestamp(i64::MIN), now)?;
        // Nothing is planned so late, unless the clock was wrong.
        let latest = Timestamp(now.0.saturating_add(WAIT_MS_MAX));
        due.extend(list(Timestamp(latest.0.saturating_add(1)), Timestamp(i64::MAX))?);
        Ok(due)
    }

    /// The callback of a session; `None` if it has none, or none any more.
    pub fn find_session_callback(
        &self,
        session_seq: SessionSeq,
    ) -> Result<Option<SessionCallback>, StoreError> {
        let sql = "select state, tries, next_at_ms, tried_at_ms, status, error
            from session_callbacks where session_seq = :session_seq";
        self.find(sql, named_params! {":session_seq": session_seq}, |row| read_callback(row, 0))
    }

    /// The callbacks of all sessions of an order.
    pub fn list_session_callbacks(
        &self,
        order_seq: OrderSeq,
    ) -> Result<HashMap<SessionSeq, SessionCallback>, StoreError> {
        let sql = "select session_seq, state, tries, next_at_ms, tried_at_ms,
                session_callbacks.status, error
            from order_sessions cross join session_callbacks using (session_seq)
            where order_seq = :order_seq";
        let read = |row: &Row<'_>| Ok((row.get(0)?, read_callback(row, 1)?));
        Ok(self.list(sql, named_params! {":order_seq": order_seq}, read)?.into_iter().collect())
    }

    /// True if a finished callback is to be deleted.
    pub fn has_old_callbacks(&self) -> Result<bool, StoreError> {
        let sql = "select 1 from session_callbacks indexed by session_callbacks_by_age
            where state <> 'waiting' and created_at_ms < :before limit 1";
        let before = Timestamp(self.now().0.saturating_sub(KEPT_MS));
        Ok(self.find(sql, named_params! {":before": before}, |_| Ok(()))?.is_some())
    }

    /// The secret with which an account's callbacks are signed; `None` if they are not.
    pub fn load_callback_secret(
        &self,
        account_id: &AccountId,
    ) -> Result<Option<String>, StoreError> {
        let sql = "select callback_secret from accounts where account_id = :account_id";
        Ok(self.find(sql, named_params! {":account_id": account_id}, |row| row.get(0))?.flatten())
    }
}

impl Tx<'_> {
    /// Inserts a callback of a session that has just ended.
    pub fn insert_callback(
        &self,
        session_seq: SessionSeq,
        delay_ms: i64,
    ) -> Result<CallbackSeq, StoreError> {
        let sql = "insert into session_callbacks
            (session_seq, id, state, tries, next_at_ms, created_at_ms)
            values (:session_seq, :id, 'waiting', 0, :next_at, :now)";
        let callback_seq = self.insert(
            sql,
            named_params! {
                ":session_seq": session_seq,
                ":id": self.randomness().uuid(),
                ":next_at": self.now().0.saturating_add(delay_ms),
                ":now": self.now(),
            },
        )?;
        Ok(CallbackSeq(callback_seq))
    }

    /// Records the end of a try. A callback that no longer waits keeps its state.
    pub fn settle_callback(&self, settled: &SettledCallback) -> Result<(), StoreError> {
        let sql = "update session_callbacks set state = :state, tries = :tries,
                next_at_ms = :next_at, tried_at_ms = :tried_at, status = :status, error = :error
            where callback_seq = :callback_seq and state = 'waiting'";
        self.execute(
            sql,
            named_params! {
                ":state": settled.state,
                ":tries": settled.tries,
                ":next_at": settled.next_at,
                ":tried_at": settled.tried_at,
                ":status": settled.status,
                ":error": settled.error,
                ":callback_seq": settled.callback_seq,
            },
        )?;
        Ok(())
    }

    /// Deletes finished callbacks that were made before that time, at most `limit`. Returns their
    /// number.
    pub fn delete_callbacks(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        let sql = "delete from session_callbacks where callback_seq in
            (select callback_seq from session_callbacks indexed by session_callbacks_by_age
             where state <> 'waiting' and created_at_ms < :before limit :limit)";
        self.execute(sql, named_params! {":before": before, ":limit": limit})
    }

    /// Sets or removes the secret with which an account's callbacks are signed.
    pub fn update_callback_secret(
        &self,
        account_id: &AccountId,
        secret: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "update accounts set callback_secret = :secret where account_id = :account_id";
        self.execute(sql, named_params! {":secret": secret, ":account_id": account_id})?;
        Ok(())
    }
}

/// Reads a callback from the columns that begin at `first`.
fn read_callback(row: &Row<'_>, first: usize) -> rusqlite::Result<SessionCallback> {
    Ok(SessionCallback {
        state: row.get(first)?,
        tries: row.get(first + 1)?,
        next_at: row.get(first + 2)?,
        tried_at: row.get(first + 3)?,
        status: row.get(first + 4)?,
        error: row.get(first + 5)?,
    })
}

fn read_due(row: &Row<'_>) -> rusqlite::Result<DueCallback> {
    Ok(DueCallback {
        callback_seq: row.get(0)?,
        session_seq: row.get(1)?,
        account_id: row.get(2)?,
        id: row.get(3)?,
        tries: row.get(4)?,
    })
}

/// Queries that must count no rows, with what such rows would mean.
pub(super) const CALLBACK_STRAYS: [(&str, &str); 1] = [(
    "callbacks are of sessions that are still open",
    "select count(*) from session_callbacks join order_sessions using (session_seq)
     where order_sessions.status = 'open'",
)];
