//! Rows of items; drafts and orders have them in tables of the same form.

use rusqlite::named_params;

use super::error::StoreError;
use super::row::Columns;
use super::tx::Tx;
use crate::domain::ids::LineId;
use crate::domain::item::{Discount, Item, Price};
use crate::domain::money::Amount;

impl Tx<'_> {
    /// Inserts an item of a draft or an order; `sql` names the table.
    pub(super) fn insert_item(
        &self,
        sql: &'static str,
        owner_seq: i64,
        position: usize,
        item: &Item,
    ) -> Result<(), StoreError> {
        self.execute(
            sql,
            named_params! {
                ":owner_seq": owner_seq,
                ":line_id": item.line_id,
                ":position": i64::try_from(position).map_err(StoreError::other)?,
                ":gross_amount": item.price.gross(),
                ":discount_amount": item.price.discount(),
                ":manual_discount_amount": item.price.manual_discount(),
                ":tax_amount": item.price.tax(),
                ":store_id": item.store_id,
                ":document": item.document,
                ":version": item.version,
            },
        )?;
        Ok(())
    }
}

/// Reads an item from the next columns: its line, four amounts, store, document and version.
pub(super) fn read_item(columns: &mut Columns<'_>) -> Result<Item, StoreError> {
    let line_id: LineId = columns.take()?;
    let gross: Amount = columns.take()?;
    let discount: Amount = columns.take()?;
    let manual: Amount = columns.take()?;
    let tax: Amount = columns.take()?;
    let contradiction = || StoreError::inconsistent("the figures of an item contradict each other");
    let by_rule = discount.checked_sub(manual).ok_or_else(contradiction)?;
    let discounts =
        [Discount { amount: manual, manual: true }, Discount { amount: by_rule, manual: false }];
    let price = Price::new(gross, &discounts, &[tax]).map_err(|_| contradiction())?;
    Ok(Item {
        line_id,
        price,
        store_id: columns.take()?,
        document: columns.take()?,
        version: columns.take()?,
        payout_rule: None,
    })
}
