//! Reading several orders at once, so that a page of a list takes as many queries as one order.

use std::collections::HashMap;

use rusqlite::named_params;

use super::error::StoreError;
use super::row::Columns;
use super::tx::Reader;
use crate::domain::ids::OrderSeq;
use crate::json::list_text;

/// Rows of orders, for the parameter `:order_seqs` of a query.
pub(super) struct OrderRows {
    /// A JSON list of numbers.
    text: String,
}

impl OrderRows {
    pub fn new(order_seqs: &[OrderSeq]) -> OrderRows {
        let numbers: Vec<String> = order_seqs.iter().map(|seq| seq.0.to_string()).collect();
        OrderRows { text: list_text(&numbers) }
    }
}

impl Reader<'_> {
    /// The results of a query about several orders, grouped by order row, which must be the first
    /// column.
    pub(super) fn list_by_order<T>(
        &self,
        sql: &'static str,
        rows: &OrderRows,
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<HashMap<OrderSeq, Vec<T>>, StoreError> {
        let found = self.list(sql, named_params! {":order_seqs": rows.text}, |row| {
            let mut columns = Columns::of(row);
            Ok((columns.take()?, read(&mut columns)))
        })?;
        let mut by_order: HashMap<OrderSeq, Vec<T>> = HashMap::new();
        for (order_seq, read) in found {
            by_order.entry(order_seq).or_default().push(read?);
        }
        Ok(by_order)
    }
}
