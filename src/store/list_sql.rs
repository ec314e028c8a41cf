//! The SQL of lists, put together from fixed texts; values are parameters.

use super::expiries::order_is_closing;
use super::lists::{Criterion, List, ListSort, Listed};

impl List {
    pub(super) fn has_times(&self) -> bool {
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
                let condition = |word: &&str| {
                    format!(" and {column} = '{word}'{}", {
                        let is_closing = self.judges(column) && *word == "open";
                        if is_closing {
                            format!(" and not {}", order_is_closing(&own))
                        } else {
                            String::new()
                        }
                    })
                };
                let stored = each(index, words.iter().map(condition).collect());
                if self.judges(column) && words.contains(&"closed") {
                    format!("{stored} union all {}", self.select_closing())
                } else {
                    stored
                }
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

    /// True if some rows of a list by this column are due to be closed.
    fn judges(&self, column: &str) -> bool {
        self.expired.is_some() && self.of.rows == "ledgers" && column == "status"
    }

    /// The open orders that are due to be closed.
    fn select_closing(&self) -> String {
        let from = "order_expiries as closing indexed by order_expiries_due
            cross join ledgers on ledgers.order_seq = closing.order_seq";
        let condition = " and closing.outcome is null and closing.has_operations = 1
            and closing.expires_at_ms <= :expired and ledgers.status = 'open'";
        self.select(from, "ledgers.order_seq", Some(0), condition)
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
        if self.expired.is_some() {
            sql.push_str(&format!(" and {}", (self.of.present_now)()));
        } else if self.has_removed {
            sql.push_str(&format!(" and {}", self.of.present));
        }
        let others = self.criteria.iter().enumerate().filter(|(at, _)| Some(*at) != driver);
        sql.extend(others.map(|(at, condition)| self.condition_on_row(at, condition)));
        sql
    }

    fn condition_on_row(&self, at: usize, condition: &Criterion) -> String {
        let Listed { rows, seq, search, made_in, .. } = self.of;
        match condition {
            Criterion::Words { column, words, .. } if self.judges(column) => {
                let closing = order_is_closing(&format!("{rows}.{seq}"));
                format!(
                    " and iif({rows}.{column} = 'open' and {closing}, 'closed', {rows}.{column})
                        in ('{}')",
                    words.join("', '")
                )
            }
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
    pub(super) fn keys(&self) -> Vec<(String, &str)> {
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
