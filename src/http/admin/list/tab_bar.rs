//! The row of tabs above the list, each with its count under the current filters.

use super::filters::{Asked, Sort};
use super::tabs::{TABS, TabKind, count};
use crate::domain::ids::AccountId;
use crate::store::{OrderQuery, Reader, StoreError};

/// A tab as the page shows it.
pub struct Tab {
    pub name: &'static str,
    pub href: String,
    /// The number of orders, as text; empty when a filter is invalid.
    pub count: String,
    pub current: bool,
}

/// The tabs with their counts under the filters of `query`, which is `None` when a filter is
/// invalid.
pub fn load_tabs(
    reader: &Reader<'_>,
    account_id: &AccountId,
    asked: &Asked,
    base: &str,
    query: Option<&OrderQuery>,
) -> Result<Vec<Tab>, StoreError> {
    let tab = |tab: &'static TabKind| {
        let narrowed = query.and_then(|query| tab.narrow(query));
        let sortable = narrowed.as_ref().is_some_and(OrderQuery::is_sortable_by_total);
        let sort = asked.wanted_sort.filter(|sort| sortable || !sort.is_by_total());
        let count = match query {
            None => String::new(),
            Some(_) => count(reader, account_id, narrowed.as_ref())?,
        };
        let href = asked.href(base, tab.word, sort.unwrap_or(Sort::Newest));
        Ok(Tab { name: tab.name, href, count, current: tab.word == asked.tab.word })
    };
    TABS.iter().map(tab).collect()
}
