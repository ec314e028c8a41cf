//! Deleting old deliveries of webhooks and their bodies.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::Timestamp;
use crate::domain::ids::{DeliverySeq, HookSeq};

/// Which rows of a hook are kept: those that are neither too old nor too many.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Rows from before this time are deleted.
    pub before: Timestamp,
    /// How many of the newest rows are kept, if they are not too old.
    pub newest: u32,
    /// How many rows are deleted at once.
    pub deleted_max: u32,
}

impl Reader<'_> {
    /// The first hook at or after a row, also if it was deleted.
    pub fn find_hook_from(&self, first: HookSeq) -> Result<Option<HookSeq>, StoreError> {
        let sql = "select min(hook_seq) from hooks where :first <= hook_seq";
        Ok(self.find(sql, named_params! {":first": first}, |row| row.get(0))?.flatten())
    }

    /// The oldest of the newest deliveries of a hook; those before it are too many.
    fn find_oldest_kept(&self, hook_seq: HookSeq, newest: u32) -> Result<DeliverySeq, StoreError> {
        let sql = "select delivery_seq from deliveries where hook_seq = :hook_seq
            order by delivery_seq desc limit 1 offset :offset";
        let offset = i64::from(newest) - 1;
        let params = named_params! {":hook_seq": hook_seq, ":offset": offset};
        Ok(self.find(sql, params, |row| row.get(0))?.unwrap_or(DeliverySeq(0)))
    }
}

impl Tx<'_> {
    /// Deletes bodies of deliveries that do not wait. Returns how many were deleted.
    pub fn delete_delivery_bodies(
        &self,
        hook_seq: HookSeq,
        kept: Retention,
    ) -> Result<usize, StoreError> {
        let sql = "delete from delivery_bodies where delivery_seq in
            (select deliveries.delivery_seq
             from deliveries join delivery_bodies using (delivery_seq)
             where hook_seq = :hook_seq and state <> 'waiting'
               and (created_at_ms < :before or deliveries.delivery_seq < :oldest_kept)
             order by deliveries.delivery_seq limit :deleted_max)";
        self.delete_old(sql, hook_seq, kept)
    }

    /// Deletes deliveries that do not wait and have no body. Returns how many were deleted.
    pub fn delete_deliveries(
        &self,
        hook_seq: HookSeq,
        kept: Retention,
    ) -> Result<usize, StoreError> {
        let sql = "delete from deliveries where delivery_seq in
            (select delivery_seq from deliveries
             where hook_seq = :hook_seq and state <> 'waiting'
               and (created_at_ms < :before or delivery_seq < :oldest_kept)
               and delivery_seq not in (select delivery_seq from delivery_bodies)
             order by delivery_seq limit :deleted_max)";
        self.delete_old(sql, hook_seq, kept)
    }

    fn delete_old(
        &self,
        sql: &'static str,
        hook_seq: HookSeq,
        kept: Retention,
    ) -> Result<usize, StoreError> {
        let oldest_kept = self.find_oldest_kept(hook_seq, kept.newest)?;
        self.execute(
            sql,
            named_params! {
                ":hook_seq": hook_seq,
                ":before": kept.before,
                ":oldest_kept": oldest_kept,
                ":deleted_max": kept.deleted_max,
            },
        )
    }

    /// Removes a hook that was deleted before a time and has no deliveries left, with its secrets.
    pub fn forget_deleted_hook(
        &self,
        hook_seq: HookSeq,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "delete from hooks where hook_seq = :hook_seq and deleted_at_ms < :before
            and not exists (select 1 from deliveries where hook_seq = :hook_seq)";
        self.execute(sql, named_params! {":hook_seq": hook_seq, ":before": before})?;
        Ok(())
    }
}
