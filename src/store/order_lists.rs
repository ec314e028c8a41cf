//! Lists of orders: the filters and the index that answers each.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::error::StoreError;
use super::event_rows::Bodies;
use super::expiries::{ORDER_IS_PRESENT, order_is_gone};
use super::list_values::ValueFilter;
use super::lists::{Criterion, List, ListSort, Listed, Window};
use super::orders::OrderRecord;
use super::search::{SearchText, search_expression};
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountId, OrderName, OrderSeq};
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;

/// The filters and the sort of a list of orders. Empty filters match everything; several values are
/// OR-ed.
#[derive(Debug, Clone, Default)]
pub struct OrderQuery {
    pub statuses: Vec<OrderStatus>,
    pub payment_statuses: Vec<PaymentStatus>,
    /// Only orders with something held on a line.
    pub holds: bool,
    pub currencies: Vec<Currency>,
    pub names: Vec<OrderName>,
    pub values: BTreeMap<ValueFilter, Vec<String>>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// Each word must begin a word of the order.
    pub search: Option<SearchText>,
    pub sort: ListSort,
    /// The last row of the page before.
    pub starting_after: Option<OrderSeq>,
    /// The most orders that a page holds.
    pub limit: u32,
    /// Whether to count all matching orders.
    pub total: bool,
    pub bodies: Bodies,
}

#[derive(Debug, Clone)]
pub struct OrderPage {
    pub orders: Vec<OrderRecord>,
    /// How many orders match; `None` unless the query asked for it.
    pub total: Option<i64>,
}

pub(super) const ORDERS: Listed = Listed {
    rows: "ledgers",
    seq: "order_seq",
    by_account: "ledgers_by_account",
    by_total: "ledgers_by_total",
    values: "order_values",
    search: "order_search",
    made_in: "orders",
    any_removed: "select 1 from order_expiries indexed by order_expiries_removed
        where outcome = 'removed' limit 1",
    present: ORDER_IS_PRESENT,
    present_now: || format!("not {}", order_is_gone("ledgers.order_seq")),
    first_from: "select order_seq from orders
        where account_seq = :account_seq and :at <= created_at_ms
        order by created_at_ms, order_seq limit 1",
    last_to: "select order_seq from orders
        where account_seq = :account_seq and created_at_ms <= :at
        order by created_at_ms desc, order_seq desc limit 1",
};

impl OrderQuery {
    /// True if this query can be sorted by total quickly. Any other can be sorted too, but only by
    /// reading all of the account's orders.
    pub fn is_sortable_by_total(&self) -> bool {
        !self.holds
            && self.payment_statuses.is_empty()
            && self.names.is_empty()
            && self.values.is_empty()
            && self.search.is_none()
    }

    /// The criteria of this query; `None` if no order can match.
    pub(super) fn list(&self, account_id: &AccountId) -> Option<List> {
        let mut criteria = Vec::new();
        if let Some(typed) = &self.search {
            // A search without a word finds nothing.
            criteria.push(Criterion::Search(search_expression(account_id, typed)?));
        }
        if !self.names.is_empty() {
            let names = self.names.iter().map(|name| name.as_str().to_owned());
            criteria.push(Criterion::Names(names.collect()));
        }
        if self.holds {
            criteria.push(Criterion::Flag { column: "holds", index: "ledgers_that_hold" });
        }
        let values = self.values.iter().filter(|(_, values)| !values.is_empty());
        criteria.extend(
            values.map(|(filter, values)| Criterion::Values {
                filter: *filter,
                values: values.clone(),
            }),
        );
        criteria.extend(one_of_words(
            "payment_status",
            "ledgers_by_payment_status",
            PaymentStatus::ALL.into_iter().filter(|word| self.payment_statuses.contains(word)),
            PaymentStatus::as_str,
        ));
        criteria.extend(one_of_words(
            "status",
            "ledgers_by_status",
            OrderStatus::ALL.into_iter().filter(|word| self.statuses.contains(word)),
            OrderStatus::as_str,
        ));
        criteria.extend(one_of_currencies(&self.currencies, "ledgers_by_currency"));
        Some(List { of: &ORDERS, criteria, sort: self.sort, expired: None, has_removed: false })
    }

    fn window(&self, after: Option<(i64, i64)>, limit: u32) -> Window {
        Window { created_from: self.created_from, created_to: self.created_to, after, limit }
    }
}

/// A criterion of an enumeration's words, each once even if it was given twice.
pub(super) fn one_of_words<T>(
    column: &'static str,
    index: &'static str,
    asked: impl Iterator<Item = T>,
    word: impl Fn(T) -> &'static str,
) -> Option<Criterion> {
    let words: Vec<&'static str> = asked.map(word).collect();
    (!words.is_empty()).then_some(Criterion::Words { column, words, index })
}

/// A criterion of currencies, each once.
pub(super) fn one_of_currencies(asked: &[Currency], index: &'static str) -> Option<Criterion> {
    let mut texts: Vec<String> = asked.iter().map(|one| one.code().to_owned()).collect();
    texts.sort_unstable();
    texts.dedup();
    (!texts.is_empty()).then_some(Criterion::Texts { column: "currency", texts, index })
}

impl Reader<'_> {
    pub fn list_orders(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
    ) -> Result<OrderPage, StoreError> {
        let (order_seqs, total) = self.list_order_seqs(account_id, query)?;
        Ok(OrderPage { orders: self.load_orders(account_id, &order_seqs, query.bodies)?, total })
    }

    /// The rows of a page of orders, and how many orders match, if the query asked for it.
    pub fn list_order_seqs(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
    ) -> Result<(Vec<OrderSeq>, Option<i64>), StoreError> {
        let Some(list) = query.list(account_id) else {
            return Ok((Vec::new(), query.total.then_some(0)));
        };
        let after = query.starting_after.map(|seq| self.load_listing(seq).map(|l| (seq.0, l.1)));
        let window = query.window(after.transpose()?, query.limit);
        let rows = self.list_page(account_id, &list, &window)?;
        let count = || self.count_orders_to(account_id, query, u32::MAX);
        let total = query.total.then(count).transpose()?;
        Ok((rows.into_iter().map(OrderSeq).collect(), total))
    }

    /// How many orders match, counting no further than `count_max`.
    pub fn count_orders_to(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
        count_max: u32,
    ) -> Result<i64, StoreError> {
        let Some(list) = query.list(account_id) else { return Ok(0) };
        self.count_list(account_id, &list, &query.window(None, count_max))
    }

    /// True if the order has that value.
    pub fn has_order_value(
        &self,
        order_seq: OrderSeq,
        filter: ValueFilter,
        value: &str,
    ) -> Result<bool, StoreError> {
        let sql = "select 1 from order_values
            where order_seq = :order_seq and filter = :filter and value = :value";
        let params = named_params! {
            ":order_seq": order_seq, ":filter": filter.as_str(), ":value": value,
        };
        Ok(self.find(sql, params, |_| Ok(()))?.is_some())
    }

    /// The currencies of an account's orders by code, at most `limit`. Each takes one look-up in
    /// the index.
    pub fn list_order_currencies(
        &self,
        account_id: &AccountId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let params = named_params! {":account_seq": account_seq, ":limit": limit};
        self.list(CURRENCIES, params, |row| row.get(0))
    }

    /// The ids of the stores of an account's orders, at most `limit`.
    pub fn list_order_stores(
        &self,
        account_id: &AccountId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let filter = ValueFilter::StoreId.as_str();
        let params =
            named_params! {":account_seq": account_seq, ":filter": filter, ":limit": limit};
        self.list(STORES, params, |row| row.get(0))
    }
}

pub(super) const CURRENCIES: &str = "with recursive found (word) as (
        select min(currency) from ledgers where account_seq = :account_seq
        union all
        select (select min(currency) from ledgers
            where account_seq = :account_seq and found.word < currency)
        from found where word is not null limit :limit)
    select word from found where word is not null";

pub(super) const STORES: &str = "with recursive found (word) as (
        select min(value) from order_values
        where account_seq = :account_seq and filter = :filter
        union all
        select (select min(value) from order_values
            where account_seq = :account_seq and filter = :filter and found.word < value)
        from found where word is not null limit :limit)
    select word from found where word is not null";
