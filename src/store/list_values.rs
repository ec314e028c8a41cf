//! Filter values that are in documents rather than in columns, one row each.
//!
//! They are written when a draft or an order is made or changed. Payment operations do not touch
//! them, so that filters add nothing to the cost of a capture.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::error::StoreError;
use super::tx::Tx;
use crate::domain::ids::{AccountId, DraftSeq, OrderSeq};

/// A filter that is answered from these values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueFilter {
    CustomerId,
    StoreId,
    /// Only for drafts; orders are found by their names.
    OrderId,
    TravelMode,
    /// The `id` or the `name` of an arrival address in the itinerary.
    ArrivalAddress,
    DepartureAddress,
    DiscountType,
}

impl ValueFilter {
    pub const ALL: [ValueFilter; 7] = [
        Self::CustomerId,
        Self::StoreId,
        Self::OrderId,
        Self::TravelMode,
        Self::ArrivalAddress,
        Self::DepartureAddress,
        Self::DiscountType,
    ];

    /// The filter's word, in queries and in the tables of values. It is spelled only here, and the
    /// schema accepts any word, so that a new filter changes no table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerId => "customer_id",
            Self::StoreId => "store_id",
            Self::OrderId => "order_id",
            Self::TravelMode => "itinerary_travel_mode",
            Self::ArrivalAddress => "itinerary_arrival_address",
            Self::DepartureAddress => "itinerary_departure_address",
            Self::DiscountType => "items_discount_lines_discount_type",
        }
    }

    pub fn parse(word: &str) -> Option<ValueFilter> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == word)
    }
}

/// A draft's or an order's values, each with its filter.
pub type ListValues = BTreeSet<(ValueFilter, String)>;

impl Tx<'_> {
    /// Replaces all values of an order.
    pub fn replace_order_values(
        &self,
        account_id: &AccountId,
        order_seq: OrderSeq,
        values: &ListValues,
    ) -> Result<(), StoreError> {
        let sql = "delete from order_values where order_seq = :order_seq";
        self.execute(sql, named_params! {":order_seq": order_seq})?;
        let sql = "insert into order_values (account_seq, filter, value, order_seq)
                   values (:account_seq, :filter, :value, :owner_seq)";
        self.insert_values(sql, account_id, order_seq.0, values)
    }

    /// Replaces all values of a draft.
    pub fn replace_draft_values(
        &self,
        account_id: &AccountId,
        draft_seq: DraftSeq,
        values: &ListValues,
    ) -> Result<(), StoreError> {
        let sql = "delete from draft_values where draft_seq = :draft_seq";
        self.execute(sql, named_params! {":draft_seq": draft_seq})?;
        let sql = "insert into draft_values (account_seq, filter, value, draft_seq)
                   values (:account_seq, :filter, :value, :owner_seq)";
        self.insert_values(sql, account_id, draft_seq.0, values)
    }

    fn insert_values(
        &self,
        sql: &'static str,
        account_id: &AccountId,
        owner_seq: i64,
        values: &ListValues,
    ) -> Result<(), StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        for (filter, value) in values {
            self.execute(
                sql,
                named_params! {
                    ":account_seq": account_seq,
                    ":filter": filter.as_str(),
                    ":value": value,
                    ":owner_seq": owner_seq,
                },
            )?;
        }
        Ok(())
    }
}
