//! Reading several orders at once, so that a page of a list takes as many queries as one order.

use std::cell::Cell;
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
    /// Bytes that may still be read.
    room: Cell<usize>,
    is_full: Cell<bool>,
}

impl OrderRows {
    pub fn new(order_seqs: &[OrderSeq]) -> OrderRows {
        OrderRows::within(order_seqs, usize::MAX)
    }

    /// Rows of which not much more than `bytes_max` bytes are read.
    pub fn within(order_seqs: &[OrderSeq], bytes_max: usize) -> OrderRows {
        let numbers: Vec<String> = order_seqs.iter().map(|seq| seq.0.to_string()).collect();
        OrderRows {
            text: list_text(&numbers),
            room: Cell::new(bytes_max),
            is_full: Cell::new(false),
        }
    }

    /// True if something was left out for lack of room.
    pub fn is_full(&self) -> bool {
        self.is_full.get()
    }

    fn take_room(&self, bytes: usize) {
        match self.room.get().checked_sub(bytes) {
            Some(left) => self.room.set(left),
            None => self.is_full.set(true),
        }
    }
}

impl Reader<'_> {
    /// The results of a query about several orders, grouped by order row, which must be the first
    /// column. `weigh` tells the bytes of a result; once `rows` are full, nothing more is read.
    pub(super) fn list_by_order<T>(
        &self,
        sql: &'static str,
        rows: &OrderRows,
        weigh: impl Fn(&T) -> usize,
        read: impl Fn(&mut Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<HashMap<OrderSeq, Vec<T>>, StoreError> {
        let found = self.list(sql, named_params! {":order_seqs": rows.text}, |row| {
            if rows.is_full() {
                return Ok(None);
            }
            let mut columns = Columns::of(row);
            let (order_seq, result) = (columns.take()?, read(&mut columns));
            rows.take_room(result.as_ref().map_or(0, &weigh));
            Ok(Some((order_seq, result)))
        })?;
        let mut by_order: HashMap<OrderSeq, Vec<T>> = HashMap::new();
        for (order_seq, result) in found.into_iter().flatten() {
            by_order.entry(order_seq).or_default().push(result?);
        }
        Ok(by_order)
    }
}
