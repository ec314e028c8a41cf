//! Lists: pages and counts of the rows that match some criteria (docs/contract.md, Decision 7).
//!
//! One index drives each list and returns rows in the list's order, so that a page needs no sorting
//! and continues correctly while rows are added. Criteria that the index does not cover are checked
//! row by row. A test checks the query plan of every combination.

use rusqlite::{ToSql, named_params};

use super::error::StoreError;
use super::list_values::ValueFilter;
use super::tx::Reader;
use crate::domain::Timestamp;
use crate::domain::ids::AccountId;

/// A table that can be listed.
pub(super) struct Listed {
    pub rows: &'static str,
    /// The key of a row; it rises in the order of creation.
    pub seq: &'static str,
    /// The index of an account's rows by `seq`.
    pub by_account: &'static str,
    /// The index of an account's rows by `total_thousandths` and `seq`; empty without such an
    /// index.
    pub by_total: &'static str,
    pub values: &'static str,
    pub search: &'static str,
    /// The table with the rows' `created_at_ms`.
    pub made_in: &'static str,
    /// Queries for an account's first row from a time on, and its last row up to a time.
    pub first_from: &'static str,
    pub last_to: &'static str,
}

/// A criterion that every row of a list must meet.
#[derive(Debug, Clone)]
pub(super) enum Criterion {
    /// The column has one of these words. They are part of the SQL text, so that SQLite sees that a
    /// partial index applies.
    Words { column: &'static str, words: Vec<&'static str>, index: &'static str },
    /// The column has one of these texts.
    Texts { column: &'static str, texts: Vec<String>, index: &'static str },
    /// The row has one of these filter values.
    Values { filter: ValueFilter, values: Vec<String> },
    /// The order has one of these names.
    Names(Vec<String>),
    /// The row matches this full-text query.
    Search(String),
    /// The row was created in the window's time range. Only needed if the clock has jumped;
    /// otherwise the range is one of rows.
    Created,
    /// The column is 1; the partial index has only such rows.
    Flag { column: &'static str, index: &'static str },
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListSort {
    #[default]
    NewestFirst,
    OldestFirst,
    HighestTotalFirst,
    LowestTotalFirst,
}

/// A list: its table, criteria and order.
pub(super) struct List {
    pub of: &'static Listed,
    /// The first criterion drives the list, unless it is sorted by total.
    pub criteria: Vec<Criterion>,
    pub sort: ListSort,
}

/// The requested part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// The last row of the page before, with its total if the list is sorted by totals.
    pub after: Option<(i64, i64)>,
    pub limit: u32,
}

impl ListSort {
    /// True if the list is read from the index of totals.
    pub fn is_by_total(self) -> bool {
        matches!(self, Self::HighestTotalFirst | Self::LowestTotalFirst)
    }

    fn rises(self) -> bool {
        matches!(self, Self::OldestFirst | Self::LowestTotalFirst)
    }
}

impl Reader<'_> {
    pub(super) fn list_page(
        &self,
        account_id: &AccountId,
        list: &List,
        window: &Window,
    ) -> Result<Vec<i64>, StoreError> {
        let list = &self.with_times(list, window)?;
        self.list_integers(list.page_statement(), account_id, list, window)
    }

    /// The list with a criterion about times, if a range of times is not one of rows.
    fn with_times(&self, list: &List, window: &Window) -> Result<List, StoreError> {
        let mut criteria = list.criteria.clone();
        let is_range = window.created_from.is_some() || window.created_to.is_some();
        if is_range && self.load_last_clock_jump()?.is_some() {
            criteria.push(Criterion::Created);
        }
        Ok(List { criteria, ..*list })
    }

    /// The number of rows that match, or the window's limit if more do.
    pub(super) fn count_list(
        &self,
        account_id: &AccountId,
        list: &List,
        window: &Window,
    ) -> Result<i64, StoreError> {
        let counted = List { sort: ListSort::default(), ..self.with_times(list, window)? };
        let window = Window { after: None, ..*window };
        let found = self.list_integers(counted.count_statement(), account_id, &counted, &window)?;
        Ok(found.into_iter().sum())
    }

    fn list_integers(
        &self,
        sql: String,
        account_id: &AccountId,
        list: &List,
        window: &Window,
    ) -> Result<Vec<i64>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let (first, last) = self.load_bounds(account_seq, list, window)?;
        let start = if list.sort.rises() { i64::MIN } else { i64::MAX };
        let (after, total) = window.after.unwrap_or((start, start));
        let keys = list.keys();
        let mut params: Vec<(&str, &dyn ToSql)> = vec![
            (":account_seq", &account_seq),
            (":first", &first),
            (":last", &last),
            (":limit", &window.limit),
        ];
        if list.sort.is_by_total() {
            params.push((":total", &total));
            params.push((":after", &after));
        }
        let created_from = window.created_from.map_or(i64::MIN, |from| from.0);
        let created_to = window.created_to.map_or(i64::MAX, |to| to.0);
        if list.has_times() {
            params.push((":created_from", &created_from));
            params.push((":created_to", &created_to));
        }
        for (name, key) in &keys {
            params.push((name, key));
        }
        self.list(sql, params.as_slice(), |row| row.get(0))
    }

    /// The first and last row that the cursor and the time range allow. Without jumps of the clock,
    /// rows are numbered in the order of their times.
    fn load_bounds(
        &self,
        account_seq: i64,
        list: &List,
        window: &Window,
    ) -> Result<(i64, i64), StoreError> {
        let find = |sql: &'static str, at: Timestamp| {
            let params = named_params! {":account_seq": account_seq, ":at": at};
            self.find(sql, params, |row| row.get(0))
        };
        // If no row is on the right side of a bound, no row can match.
        let range = if list.has_times() { (None, None) } else { window.times() };
        let first = match range.0 {
            None => 0,
            Some(from) => find(list.of.first_from, from)?.unwrap_or(i64::MAX),
        };
        let last = match range.1 {
            None => i64::MAX,
            Some(to) => find(list.of.last_to, to)?.unwrap_or(-1),
        };
        Ok(match (window.after, list.sort) {
            (Some((after, _)), ListSort::NewestFirst) => (first, last.min(after.saturating_sub(1))),
            (Some((after, _)), ListSort::OldestFirst) => (first.max(after.saturating_add(1)), last),
            _ => (first, last),
        })
    }
}

impl Window {
    fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.created_from, self.created_to)
    }
}

impl List {
    fn has_times(&self) -> bool {
        self.criteria.iter().any(|criterion| matches!(criterion, Criterion::Created))
    }

    pub(super) fn page_statement(&self) -> String {
        let order = match self.sort {
            ListSort::NewestFirst => "seq desc",
            ListSort::OldestFirst => "seq",
            ListSort::HighestTotalFirst => "total_thousandths desc, seq desc",
            ListSort::LowestTotalFirst => "total_thousandths, seq",
        };
        format!("{} order by {order} limit :limit", self.selects())
    }

    pub(super) fn count_statement(&self) -> String {
        // Sorted by row, SQLite merges the parts as it reads them, so that each row is counted
        // once.
        format!("select count(*) from ({} order by seq limit :limit)", self.selects())
    }

    /// The matching rows. The SQL is put together from fixed texts; values are parameters.
    fn selects(&self) -> String {
        let Listed { rows, seq, by_account, by_total, .. } = self.of;
        let by_index = |index: &str| format!("{rows} indexed by {index}");
        if self.sort.is_by_total() {
            return self.select(&by_index(by_total), &format!("{rows}.{seq}"), None, "");
        }
        let Some(driver) = self.criteria.first() else {
            return self.select(&by_index(by_account), &format!("{rows}.{seq}"), None, "");
        };
        let own = format!("{rows}.{seq}");
        let each = |index: &str, each: Vec<String>| {
            let each = each.iter().map(|one| self.select(&by_index(index), &own, Some(0), one));
            each.collect::<Vec<_>>().join(" union all ")
        };
        match driver {
            Criterion::Words { column, words, index } => {
                each(index, words.iter().map(|word| format!(" and {column} = '{word}'")).collect())
            }
            Criterion::Texts { column, texts, index } => {
                let texts = (0..texts.len()).map(|at| format!(" and {column} = {}", key(0, at)));
                each(index, texts.collect())
            }
            Criterion::Flag { index, .. } => self.select(&by_index(index), &own, None, ""),
            Criterion::Created => self.select(&by_index(by_account), &own, None, ""),
            Criterion::Values { .. } | Criterion::Names(_) => self.selects_from_other_table(driver),
            Criterion::Search(_) => {
                let search = self.of.search;
                let from = format!("{search} cross join {rows} on {own} = {search}.rowid");
                let condition = format!(" and {search} match {}", key(0, 0));
                self.select(&from, &format!("{search}.rowid"), Some(0), &condition)
            }
        }
    }

    /// A select driven by another table, one part per value; the parts are merged and each row is
    /// kept once.
    fn selects_from_other_table(&self, driver: &Criterion) -> String {
        let Listed { rows, seq, .. } = self.of;
        let Some((table, condition, column, count)) = self.other_table(driver) else {
            return String::new();
        };
        let from = format!("{table} as driver cross join {rows} on {rows}.{seq} = driver.{seq}");
        let one = |at: usize| {
            let key = key(0, at);
            let condition = format!(
                " and driver.account_seq = :account_seq{condition} and driver.{column} = {key}"
            );
            self.select(&from, &format!("driver.{seq}"), Some(0), &condition)
        };
        (0..count).map(one).collect::<Vec<_>>().join(" union ")
    }

    /// For a criterion about another table: the table, a condition on all of those rows, the column
    /// of the values, and how many values there are.
    fn other_table(
        &self,
        condition: &Criterion,
    ) -> Option<(&'static str, String, &'static str, usize)> {
        match condition {
            Criterion::Values { filter, values } => {
                let filter = format!(" and filter = '{}'", filter.as_str());
                Some((self.of.values, filter, "value", values.len()))
            }
            Criterion::Names(names) => Some(("order_names", String::new(), "name", names.len())),
            _ => None,
        }
    }

    /// One select with every criterion except the driver's, whose condition is `driven`.
    fn select(&self, from: &str, seq: &str, driver: Option<usize>, driven: &str) -> String {
        let rows = self.of.rows;
        let totals = if self.sort.is_by_total() { ", total_thousandths" } else { "" };
        let mut sql = format!(
            "select {seq} as seq{totals} from {from} where {rows}.account_seq = :account_seq
             and {seq} between :first and :last{driven}"
        );
        match self.sort {
            ListSort::NewestFirst | ListSort::OldestFirst => {}
            ListSort::HighestTotalFirst => {
                sql.push_str(&format!(" and (total_thousandths, {seq}) < (:total, :after)"));
            }
            ListSort::LowestTotalFirst => {
                sql.push_str(&format!(" and (total_thousandths, {seq}) > (:total, :after)"));
            }
        }
        let others = self.criteria.iter().enumerate().filter(|(at, _)| Some(*at) != driver);
        sql.extend(others.map(|(at, condition)| self.condition_on_row(at, condition)));
        sql
    }

    fn condition_on_row(&self, at: usize, condition: &Criterion) -> String {
        let Listed { rows, seq, search, made_in, .. } = self.of;
        match condition {
            Criterion::Words { column, words, .. } => {
                format!(" and {rows}.{column} in ('{}')", words.join("', '"))
            }
            Criterion::Texts { column, texts, .. } => {
                format!(" and {rows}.{column} in ({})", keys_of(at, texts.len()))
            }
            Criterion::Flag { column, .. } => format!(" and {rows}.{column} = 1"),
            Criterion::Created => format!(
                " and exists (select 1 from {made_in} as made where made.{seq} = {rows}.{seq}
                    and made.created_at_ms between :created_from and :created_to)"
            ),
            Criterion::Search(_) => format!(
                " and {rows}.{seq} in (select rowid from {search} where {search} match {})",
                key(at, 0)
            ),
            Criterion::Values { .. } | Criterion::Names(_) => {
                let Some((table, condition, column, count)) = self.other_table(condition) else {
                    return String::new();
                };
                format!(
                    " and exists (select 1 from {table} as kept
                        where kept.account_seq = :account_seq{condition}
                          and kept.{column} in ({}) and kept.{seq} = {rows}.{seq})",
                    keys_of(at, count)
                )
            }
        }
    }

    /// The parameters of all criteria, with their names.
    fn keys(&self) -> Vec<(String, &str)> {
        let mut keys = Vec::new();
        for (at, condition) in self.criteria.iter().enumerate() {
            let texts: &[String] = match condition {
                Criterion::Texts { texts, .. } => texts,
                Criterion::Values { values, .. } => values,
                Criterion::Names(names) => names,
                Criterion::Search(expression) => std::slice::from_ref(expression),
                Criterion::Words { .. } | Criterion::Flag { .. } | Criterion::Created => &[],
            };
            let named = texts.iter().enumerate();
            keys.extend(named.map(|(nth, text)| (key(at, nth), text.as_str())));
        }
        keys
    }
}

/// The name of a criterion's nth parameter.
fn key(condition: usize, nth: usize) -> String {
    format!(":key_{condition}_{nth}")
}

fn keys_of(condition: usize, count: usize) -> String {
    (0..count).map(|nth| key(condition, nth)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "list_plan_tests.rs"]
mod tests;
