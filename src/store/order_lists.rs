//! Lists of orders: pages and filters (contract, Decision 7).

use rusqlite::{ToSql, named_params};

use super::error::StoreError;
use super::orders::OrderRecord;
use super::search::search_expression;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;

/// Which orders of an account a list shall have, newest first.
#[derive(Debug, Clone, Default)]
pub struct OrderQuery {
    /// Any of these; all when empty.
    pub statuses: Vec<OrderStatus>,
    /// Any of these; all when empty.
    pub payment_statuses: Vec<PaymentStatus>,
    /// Only orders that hold something on a line.
    pub holds: bool,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// Words that each begin a word of the order.
    pub search: Option<String>,
    /// The row that the list goes on after.
    pub starting_after: Option<i64>,
    /// Orders in the list at most.
    pub limit: u32,
    /// Whether to count all orders that match.
    pub total: bool,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct OrderPage {
    pub orders: Vec<OrderRecord>,
    /// How many orders match in all, if that was asked.
    pub total: Option<i64>,
}

impl Reader<'_> {
    /// A page of orders, newest first.
    pub fn list_orders(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
    ) -> Result<OrderPage, StoreError> {
        let sql = format!(
            "select order_seq from ledgers where {} order by order_seq desc limit :limit",
            conditions(query)
        );
        let order_seqs = self.list_matching(&sql, account_id, query)?;
        let total = if query.total { Some(self.count_orders(account_id, query)?) } else { None };
        let orders = order_seqs.into_iter().map(|seq| self.load_order(account_id, seq));
        Ok(OrderPage { orders: orders.collect::<Result<_, _>>()?, total })
    }

    fn count_orders(&self, account_id: &AccountId, query: &OrderQuery) -> Result<i64, StoreError> {
        let sql = format!("select count(*) from ledgers where {} limit :limit", conditions(query));
        let whole = OrderQuery { starting_after: None, limit: 1, ..query.clone() };
        Ok(self.list_matching(&sql, account_id, &whole)?.into_iter().sum())
    }

    /// How many orders match, counted no further than `count_max`.
    pub fn count_orders_to(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
        count_max: u32,
    ) -> Result<usize, StoreError> {
        let sql = format!("select 1 from ledgers where {} limit :limit", conditions(query));
        let counted = OrderQuery { starting_after: None, limit: count_max, ..query.clone() };
        Ok(self.list_matching(&sql, account_id, &counted)?.len())
    }

    /// The integers that a statement about the matching orders gives.
    fn list_matching(
        &self,
        sql: &str,
        account_id: &AccountId,
        query: &OrderQuery,
    ) -> Result<Vec<i64>, StoreError> {
        let expression = query.search.as_deref().map(|typed| search_expression(account_id, typed));
        // A search without any word in it finds nothing.
        if expression == Some(None) {
            return Ok(Vec::new());
        }
        let account_seq = self.load_account_seq(account_id)?;
        let (first, last) = self.load_creation_bounds(account_seq, query)?;
        let before = query.starting_after.unwrap_or(i64::MAX);
        let search = expression.flatten().unwrap_or_default();
        let mut params: Vec<(&str, &dyn ToSql)> = vec![
            (":account_seq", &account_seq),
            (":before", &before),
            (":first", &first),
            (":last", &last),
            (":limit", &query.limit),
        ];
        if query.search.is_some() {
            params.push((":search", &search));
        }
        self.list(sql, params.as_slice(), |row| row.get(0))
    }

    /// The rows that a time range means: rows are in the order of their times.
    fn load_creation_bounds(
        &self,
        account_seq: i64,
        query: &OrderQuery,
    ) -> Result<(i64, i64), StoreError> {
        let first = match query.created_from {
            None => Some(0),
            Some(from) => self.find(
                "select order_seq from orders
                 where account_seq = :account_seq and :from <= created_at_ms
                 order by created_at_ms, order_seq limit 1",
                named_params! {":account_seq": account_seq, ":from": from},
                |row| row.get(0),
            )?,
        };
        let last = match query.created_to {
            None => Some(i64::MAX),
            Some(to) => self.find(
                "select order_seq from orders
                 where account_seq = :account_seq and created_at_ms <= :to
                 order by created_at_ms desc, order_seq desc limit 1",
                named_params! {":account_seq": account_seq, ":to": to},
                |row| row.get(0),
            )?,
        };
        // Without an order on the right side of a bound, no row can match.
        Ok((first.unwrap_or(i64::MAX), last.unwrap_or(-1)))
    }
}

/// The conditions of a list: fixed texts, chosen by which filters are there. Words of a status
/// stand in the text, so that SQLite sees that an index can answer.
fn conditions(query: &OrderQuery) -> String {
    let mut sql = String::from(
        "account_seq = :account_seq and order_seq < :before
         and order_seq between :first and :last",
    );
    sql.push_str(&one_of("status", query.statuses.iter().map(|status| status.as_str())));
    let words = query.payment_statuses.iter().map(|status| status.as_str());
    sql.push_str(&one_of("payment_status", words));
    if query.holds {
        sql.push_str(" and holds = 1");
    }
    if query.search.is_some() {
        sql.push_str(
            " and order_seq in (select rowid from order_search where order_search match :search)",
        );
    }
    sql
}

fn one_of(column: &str, words: impl Iterator<Item = &'static str>) -> String {
    let words: Vec<String> = words.map(|word| format!("'{word}'")).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(" and {column} in ({})", words.join(", "))
    }
}
