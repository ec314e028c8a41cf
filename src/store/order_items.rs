//! Writes the items of orders.

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::Tx;
use crate::domain::KeptJson;
use crate::domain::ids::{LineId, OrderSeq};
use crate::domain::item::Item;

const INSERT_ORDER_ITEM: &str = "insert into order_items
    (order_seq, line_id, position, gross_amount, discount_amount, manual_discount_amount,
     tax_amount, store_id, document, version)
    values (:owner_seq, :line_id, :position, :gross_amount, :discount_amount,
     :manual_discount_amount, :tax_amount, :store_id, :document, :version)";

impl Tx<'_> {
    /// Adds items to an order; `first` is the position of the first one.
    pub fn insert_order_items(
        &self,
        order_seq: OrderSeq,
        first: usize,
        items: &[Item],
    ) -> Result<(), StoreError> {
        for (at, item) in items.iter().enumerate() {
            self.insert_item(INSERT_ORDER_ITEM, order_seq.0, first + at, item)?;
            if let Some(rule) = &item.payout_rule {
                self.copy_payout_rule(order_seq, item.line_id, &rule.document)?;
            }
        }
        Ok(())
    }

    fn copy_payout_rule(
        &self,
        order_seq: OrderSeq,
        line_id: LineId,
        rule: &KeptJson,
    ) -> Result<(), StoreError> {
        let sql = "update order_items set payout_rule = :rule
            where order_seq = :order_seq and line_id = :line_id";
        let params = named_params! {":rule": rule, ":order_seq": order_seq, ":line_id": line_id};
        self.execute(sql, params)?;
        Ok(())
    }

    /// Removes all items of an order that has no operations.
    pub fn delete_order_items(&self, order_seq: OrderSeq) -> Result<(), StoreError> {
        let sql = "delete from order_items where order_seq = :order_seq";
        self.execute(sql, named_params! {":order_seq": order_seq})?;
        Ok(())
    }

    /// Replaces an item's document. Its amounts stay.
    pub fn update_item_document(&self, order_seq: OrderSeq, item: &Item) -> Result<(), StoreError> {
        let sql = "update order_items set document = :document
            where order_seq = :order_seq and line_id = :line_id";
        self.execute(
            sql,
            named_params! {
                ":document": item.document,
                ":order_seq": order_seq,
                ":line_id": item.line_id,
            },
        )?;
        Ok(())
    }
}
