//! Names of orders: the ids by which paths find them, and those that drafts have reserved.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::{Reader, Tx};
use crate::domain::ids::{AccountId, DraftSeq, OrderName, OrderSeq};

impl Reader<'_> {
    /// The order with a name, unless it has expired.
    pub fn find_order_seq(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<Option<OrderSeq>, StoreError> {
        let sql = "select order_seq from order_names
            where account_seq = (select account_seq from accounts where account_id = :account_id)
              and name = :name and order_seq is not null";
        let params = named_params! {":account_id": account_id, ":name": name};
        match self.find(sql, params, |row| row.get(0))? {
            Some(order_seq) if self.is_order_due(order_seq)? => Ok(None),
            found => Ok(found),
        }
    }

    /// True if an order or a draft of the account has this name.
    pub fn is_name_taken(
        &self,
        account_id: &AccountId,
        name: &OrderName,
    ) -> Result<bool, StoreError> {
        let sql = "select 1 from order_names
            where account_seq = (select account_seq from accounts where account_id = :account_id)
              and name = :name";
        let params = named_params! {":account_id": account_id, ":name": name};
        Ok(self.find(sql, params, |_| Ok(()))?.is_some())
    }

    /// True if the draft's order may get this name: it is unused, or reserved for the draft.
    pub fn is_name_free_for(
        &self,
        account_id: &AccountId,
        name: &OrderName,
        draft_seq: DraftSeq,
    ) -> Result<bool, StoreError> {
        let sql = "select order_seq is null and draft_seq = :draft_seq from order_names
            where account_seq = (select account_seq from accounts where account_id = :account_id)
              and name = :name";
        let params =
            named_params! {":account_id": account_id, ":name": name, ":draft_seq": draft_seq};
        let reserved: Option<bool> = self.find(sql, params, |row| row.get(0))?;
        Ok(reserved.unwrap_or(true))
    }
}

impl Tx<'_> {
    /// Releases a name that was reserved for a draft's order.
    pub fn release_name(
        &self,
        account_id: &AccountId,
        name: &OrderName,
        draft_seq: DraftSeq,
    ) -> Result<(), StoreError> {
        let sql = "delete from order_names where account_seq = :account_seq and name = :name
              and draft_seq = :draft_seq and order_seq is null";
        self.execute(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":name": name,
                ":draft_seq": draft_seq,
            },
        )?;
        Ok(())
    }

    /// Reserves a name for the order that a draft will become.
    pub fn reserve_name(
        &self,
        account_id: &AccountId,
        name: &OrderName,
        draft_seq: DraftSeq,
    ) -> Result<(), StoreError> {
        let sql = "insert into order_names (account_seq, name, draft_seq)
                   values (:account_seq, :name, :draft_seq)";
        self.execute(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":name": name,
                ":draft_seq": draft_seq,
            },
        )?;
        Ok(())
    }

    /// Gives an order a name that is unused or was reserved for it.
    pub(super) fn name_order(
        &self,
        account_seq: i64,
        name: &OrderName,
        order_seq: OrderSeq,
    ) -> Result<(), StoreError> {
        let sql = "insert into order_names (account_seq, name, order_seq)
            values (:account_seq, :name, :order_seq)
            on conflict (account_seq, name) do update set order_seq = excluded.order_seq
            where order_names.order_seq is null or order_names.order_seq = excluded.order_seq";
        let params =
            named_params! {":account_seq": account_seq, ":name": name, ":order_seq": order_seq};
        match self.execute(sql, params)? {
            1 => Ok(()),
            _ => Err(StoreError::inconsistent("the name belongs to another order")),
        }
    }
}
