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
    /// True if any row was removed for having expired.
    pub any_removed: &'static str,
    /// A condition on rows that were not removed, and one on rows that are not due to be either.
    pub present: &'static str,
    pub present_now: fn() -> String,
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
    /// Through when rows have expired that no sweep has removed; `None` if there are no such rows.
    pub expired: Option<Timestamp>,
    /// Whether any row was removed for having expired.
    pub has_removed: bool,
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
        let list = &self.with_time(list, window)?;
        self.list_integers(list.page_statement(), account_id, list, window)
    }

    /// The list with a criterion about times, if a range of times is not one of rows, and with what
    /// has expired.
    fn with_time(&self, list: &List, window: &Window) -> Result<List, StoreError> {
        let mut criteria = list.criteria.clone();
        let is_range = window.created_from.is_some() || window.created_to.is_some();
        if is_range && self.load_last_clock_jump()?.is_some() {
            criteria.push(Criterion::Created);
        }
        let expired = self.expired_through()?;
        let has_removed = self.find(list.of.any_removed, [], |_| Ok(()))?.is_some();
        Ok(List { criteria, expired, has_removed, ..*list })
    }

    /// The number of rows that match, or the window's limit if more do.
    pub(super) fn count_list(
        &self,
        account_id: &AccountId,
        list: &List,
        window: &Window,
    ) -> Result<i64, StoreError> {
        let counted = List { sort: ListSort::default(), ..self.with_time(list, window)? };
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
        if let Some(expired) = &list.expired {
            params.push((":expired", expired));
        }
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

#[cfg(test)]
#[path = "list_plan_tests.rs"]
mod tests;
