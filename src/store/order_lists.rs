//! Lists of orders: pages, filters and sorts (contract, Decision 7).
//!
//! Each list is driven by one index that gives it in its order, so that a page is read without
//! sorting and goes on where it ended while orders arrive. What the index cannot answer is asked
//! row by row. A test reads the plan of every combination.

use rusqlite::{ToSql, named_params};

use super::error::StoreError;
use super::orders::OrderRecord;
use super::search::search_expression;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::ids::AccountId;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;

/// Which orders of an account a list shall have, and in which order.
#[derive(Debug, Clone, Default)]
pub struct OrderQuery {
    /// Any of these; all when empty.
    pub statuses: Vec<OrderStatus>,
    /// Any of these; all when empty.
    pub payment_statuses: Vec<PaymentStatus>,
    /// Only orders that hold something on a line.
    pub holds: bool,
    pub currency: Option<Currency>,
    /// Only orders with an item of this store.
    pub store_id: Option<String>,
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// Words that each begin a word of the order.
    pub search: Option<String>,
    pub sort: OrderSort,
    /// The row that the list goes on after.
    pub starting_after: Option<i64>,
    /// Orders in the list at most.
    pub limit: u32,
    /// Whether to count all orders that match.
    pub total: bool,
}

/// What a list begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderSort {
    #[default]
    NewestFirst,
    OldestFirst,
    HighestTotalFirst,
    LowestTotalFirst,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct OrderPage {
    pub orders: Vec<OrderRecord>,
    /// How many orders match in all, if that was asked.
    pub total: Option<i64>,
}

impl OrderSort {
    fn is_by_total(self) -> bool {
        matches!(self, Self::HighestTotalFirst | Self::LowestTotalFirst)
    }

    fn rises(self) -> bool {
        matches!(self, Self::OldestFirst | Self::LowestTotalFirst)
    }
}

impl OrderQuery {
    /// Whether the index of totals answers all of this query. Any other is answered too when it
    /// is sorted by total, but by looking at every order of the account.
    pub fn is_sortable_by_total(&self) -> bool {
        !self.holds
            && self.payment_statuses.is_empty()
            && self.store_id.is_none()
            && self.search.is_none()
    }

    /// The same orders, as they are counted.
    fn counted(&self, limit: u32) -> OrderQuery {
        let sort = OrderSort::default();
        OrderQuery { sort, starting_after: None, limit, ..self.clone() }
    }
}

impl Reader<'_> {
    /// A page of orders.
    pub fn list_orders(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
    ) -> Result<OrderPage, StoreError> {
        let order_seqs = self.list_matching(&page_statement(query), account_id, query)?;
        let total = if query.total { Some(self.count_orders(account_id, query)?) } else { None };
        let orders = order_seqs.into_iter().map(|seq| self.load_order(account_id, seq));
        Ok(OrderPage { orders: orders.collect::<Result<_, _>>()?, total })
    }

    fn count_orders(&self, account_id: &AccountId, query: &OrderQuery) -> Result<i64, StoreError> {
        let counted = query.counted(u32::MAX);
        let found = self.list_matching(&count_statement(&counted), account_id, &counted)?;
        Ok(found.into_iter().sum())
    }

    /// How many orders match, counted no further than `count_max`.
    pub fn count_orders_to(
        &self,
        account_id: &AccountId,
        query: &OrderQuery,
        count_max: u32,
    ) -> Result<i64, StoreError> {
        let counted = query.counted(count_max);
        let found = self.list_matching(&count_statement(&counted), account_id, &counted)?;
        Ok(found.into_iter().sum())
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
        let search = expression.flatten().unwrap_or_default();
        let mut params: Vec<(&str, &dyn ToSql)> = vec![
            (":account_seq", &account_seq),
            (":first", &first),
            (":last", &last),
            (":limit", &query.limit),
        ];
        if query.search.is_some() {
            params.push((":search", &search));
        }
        if let Some(currency) = &query.currency {
            params.push((":currency", currency));
        }
        if let Some(store_id) = &query.store_id {
            params.push((":store_id", store_id));
        }
        let (total, after) = self.load_total_bound(query)?;
        if query.sort.is_by_total() {
            params.push((":total", &total));
            params.push((":after", &after));
        }
        self.list(sql, params.as_slice(), |row| row.get(0))
    }

    /// The rows, first and last, that the cursor and a time range mean: rows are in the order of
    /// their times.
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
        let (first, last) = (first.unwrap_or(i64::MAX), last.unwrap_or(-1));
        Ok(match (query.starting_after, query.sort) {
            (Some(after), OrderSort::NewestFirst) => (first, last.min(after.saturating_sub(1))),
            (Some(after), OrderSort::OldestFirst) => (first.max(after.saturating_add(1)), last),
            _ => (first, last),
        })
    }

    /// The total and the row that a list sorted by total goes on after.
    fn load_total_bound(&self, query: &OrderQuery) -> Result<(i64, i64), StoreError> {
        let start = if query.sort.rises() { i64::MIN } else { i64::MAX };
        match query.starting_after.filter(|_| query.sort.is_by_total()) {
            None => Ok((start, start)),
            Some(after) => Ok((self.load_listing(after)?.1, after)),
        }
    }

    /// The currencies of an account's orders, by code, `limit` at most. Each is found by one look
    /// into the index.
    pub fn list_order_currencies(
        &self,
        account_id: &AccountId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let params = named_params! {":account_seq": account_seq, ":limit": limit};
        self.list(CURRENCIES, params, |row| row.get(0))
    }

    /// The stores of an account's orders, by id, `limit` at most.
    pub fn list_order_stores(
        &self,
        account_id: &AccountId,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let params = named_params! {":account_seq": account_seq, ":limit": limit};
        self.list(STORES, params, |row| row.get(0))
    }
}

const CURRENCIES: &str = "with recursive found (word) as (
        select min(currency) from ledgers where account_seq = :account_seq
        union all
        select (select min(currency) from ledgers
            where account_seq = :account_seq and found.word < currency)
        from found where word is not null limit :limit)
    select word from found where word is not null";

const STORES: &str = "with recursive found (word) as (
        select min(value) from order_values
        where account_seq = :account_seq and filter = 'store_id'
        union all
        select (select min(value) from order_values
            where account_seq = :account_seq and filter = 'store_id' and found.word < value)
        from found where word is not null limit :limit)
    select word from found where word is not null";

/// What gives a list in its order.
struct Driver {
    from: &'static str,
    /// The column of the order's row.
    order_seq: &'static str,
    /// A column and its words, each of which the index gives a list for; they are merged.
    each: Option<(&'static str, Vec<&'static str>)>,
}

impl Driver {
    /// The driver that looks at the fewest orders which do not match.
    fn of(query: &OrderQuery) -> Driver {
        let over = |from| Driver { from, order_seq: "order_seq", each: None };
        if query.sort.is_by_total() {
            over("ledgers indexed by ledgers_by_total")
        } else if query.search.is_some() {
            let from = "order_search cross join ledgers on ledgers.order_seq = order_search.rowid";
            Driver { order_seq: "order_search.rowid", ..over(from) }
        } else if query.holds {
            over("ledgers indexed by ledgers_that_hold")
        } else if query.store_id.is_some() {
            let from =
                "order_values cross join ledgers on ledgers.order_seq = order_values.order_seq";
            Driver { order_seq: "order_values.order_seq", ..over(from) }
        } else if !query.payment_statuses.is_empty() {
            let each = Some(("payment_status", payment_words(query)));
            Driver { each, ..over("ledgers indexed by ledgers_by_payment_status") }
        } else if !query.statuses.is_empty() {
            let each = Some(("status", status_words(query)));
            Driver { each, ..over("ledgers indexed by ledgers_by_status") }
        } else if query.currency.is_some() {
            over("ledgers indexed by ledgers_by_currency")
        } else {
            over("ledgers indexed by ledgers_by_account")
        }
    }

    fn is_by_store(&self) -> bool {
        self.order_seq == "order_values.order_seq"
    }
}

fn page_statement(query: &OrderQuery) -> String {
    let order = match query.sort {
        OrderSort::NewestFirst => "order_seq desc",
        OrderSort::OldestFirst => "order_seq",
        OrderSort::HighestTotalFirst => "total_thousandths desc, order_seq desc",
        OrderSort::LowestTotalFirst => "total_thousandths, order_seq",
    };
    format!("{} order by {order} limit :limit", selects(query))
}

fn count_statement(query: &OrderQuery) -> String {
    format!("select count(*) from ({} limit :limit)", selects(query))
}

/// The matching rows: fixed texts, chosen by which filters are there. Words of a status stand in
/// the text, so that SQLite sees that an index can answer.
fn selects(query: &OrderQuery) -> String {
    let driver = Driver::of(query);
    let select = |condition: &str| {
        format!(
            "select {} as order_seq from {} where {}{condition}",
            driver.order_seq,
            driver.from,
            conditions(query, &driver)
        )
    };
    match &driver.each {
        None => select(""),
        Some((column, words)) => {
            let each = words.iter().map(|word| select(&format!(" and {column} = '{word}'")));
            each.collect::<Vec<_>>().join(" union all ")
        }
    }
}

fn conditions(query: &OrderQuery, driver: &Driver) -> String {
    let order_seq = driver.order_seq;
    let mut sql = format!(
        "ledgers.account_seq = :account_seq and {order_seq} between :first and :last{}{}",
        one_of("status", &status_words(query)),
        one_of("payment_status", &payment_words(query))
    );
    match query.sort {
        OrderSort::NewestFirst | OrderSort::OldestFirst => {}
        OrderSort::HighestTotalFirst => {
            sql.push_str(" and (total_thousandths, order_seq) < (:total, :after)");
        }
        OrderSort::LowestTotalFirst => {
            sql.push_str(" and (total_thousandths, order_seq) > (:total, :after)");
        }
    }
    if query.holds {
        sql.push_str(" and holds = 1");
    }
    if query.currency.is_some() {
        sql.push_str(" and currency = :currency");
    }
    if query.search.is_some() && query.sort.is_by_total() {
        sql.push_str(
            " and order_seq in (select rowid from order_search where order_search match :search)",
        );
    } else if query.search.is_some() {
        sql.push_str(" and order_search match :search");
    }
    if query.store_id.is_some() && driver.is_by_store() {
        sql.push_str(
            " and order_values.account_seq = :account_seq and filter = 'store_id'
              and value = :store_id",
        );
    } else if query.store_id.is_some() {
        sql.push_str(
            " and exists (select 1 from order_values as kept
                where kept.account_seq = :account_seq and kept.filter = 'store_id'
                  and kept.value = :store_id and kept.order_seq = ledgers.order_seq)",
        );
    }
    sql
}

/// Each word once, however often it was asked for.
fn status_words(query: &OrderQuery) -> Vec<&'static str> {
    let asked = OrderStatus::ALL.into_iter().filter(|status| query.statuses.contains(status));
    asked.map(OrderStatus::as_str).collect()
}

fn payment_words(query: &OrderQuery) -> Vec<&'static str> {
    let asked = PaymentStatus::ALL.into_iter();
    let asked = asked.filter(|status| query.payment_statuses.contains(status));
    asked.map(PaymentStatus::as_str).collect()
}

fn one_of(column: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(" and {column} in ({})", words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SORTS: [OrderSort; 4] = [
        OrderSort::NewestFirst,
        OrderSort::OldestFirst,
        OrderSort::HighestTotalFirst,
        OrderSort::LowestTotalFirst,
    ];

    /// Every combination of filters with every sort.
    fn every_query() -> Vec<OrderQuery> {
        let statuses = [&[][..], &[OrderStatus::Open], &[OrderStatus::Open, OrderStatus::Closed]];
        let payment_statuses =
            [&[][..], &[PaymentStatus::Paid], &[PaymentStatus::Paid, PaymentStatus::Refunded]];
        let mut queries = Vec::new();
        for sort in SORTS {
            for status in statuses {
                for payment_status in payment_statuses {
                    for others in 0..16 {
                        let one =
                            |bit: u32, word: &str| (others & bit != 0).then(|| word.to_owned());
                        queries.push(OrderQuery {
                            statuses: status.to_vec(),
                            payment_statuses: payment_status.to_vec(),
                            holds: others & 1 != 0,
                            currency: one(2, "NOK").and_then(|code| Currency::parse(&code)),
                            store_id: one(4, "torget"),
                            search: one(8, "kari"),
                            sort,
                            ..OrderQuery::default()
                        });
                    }
                }
            }
        }
        queries
    }

    fn plan(conn: &rusqlite::Connection, sql: &str) -> Vec<String> {
        let mut statement = conn.prepare(&format!("explain query plan {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(3).unwrap());
        }
        steps
    }

    /// Whether a step of a plan reads a whole table or sorts. A full-text match calls itself a
    /// scan, and so does the reading of what a step before it has found.
    fn is_slow(step: &str) -> bool {
        let is_match =
            step.starts_with("SCAN order_search VIRTUAL TABLE INDEX") && step.contains('M');
        let is_found = ["SCAN (subquery", "SCAN found", "SCAN CONSTANT ROW"]
            .iter()
            .any(|start| step.starts_with(start));
        step.contains("TEMP B-TREE") || (step.starts_with("SCAN") && !is_match && !is_found)
    }

    #[test]
    fn no_list_reads_a_whole_table_or_sorts() {
        #[expect(clippy::disallowed_methods, reason = "a plan needs no settings")]
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../data/schema.sql")).unwrap();
        let mut statements = vec![CURRENCIES.to_owned(), STORES.to_owned()];
        for query in every_query() {
            statements.push(page_statement(&query));
            statements.push(count_statement(&query.counted(1)));
        }
        assert!(1_000 < statements.len());
        for sql in statements {
            let steps = plan(&conn, &sql);
            assert!(!steps.iter().any(|step| is_slow(step)), "{sql}\n{steps:#?}");
        }
        assert!(is_slow("SCAN ledgers") && is_slow("USE TEMP B-TREE FOR ORDER BY"));
        let unsorted = plan(&conn, "select 1 from ledgers order by updated_at_ms");
        assert!(unsorted.iter().any(|step| is_slow(step)), "{unsorted:?}");
    }
}
