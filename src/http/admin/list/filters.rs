//! Parses the order list's query string and reports invalid values.
//!
//! An invalid value is reported beside its field, and the list is then empty. Ignoring it would
//! show orders that the filter was meant to leave out.

use actix_web::HttpRequest;
use form_urlencoded::Serializer;

use super::tabs::{TABS, TO_CAPTURE, TabKind};
use crate::clock::day_start;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::http::admin::reply::query_value;
use crate::store::{ListSort, OrderQuery, SearchText, SearchTextProblem, ValueFilter};

/// Characters of a date as a date field sends it.
const DATE_CHARS: usize = 10;

/// The problem of a date field whose value is not a date.
pub const NO_DATE: &str = "Not a valid date. Write it as 2026-11-23.";

/// The problem of a sort by total that no index serves.
const NOT_BY_TOTAL: &str = "Only the tabs All, Closed and Cancelled can be sorted by total, and \
    only without a search, a store or a payment status. These orders are sorted newest first.";

/// The query string of the list.
#[derive(Clone)]
pub struct Asked {
    pub tab: &'static TabKind,
    pub search: Field,
    pub status: Field,
    pub payment_status: Field,
    pub currency: Field,
    pub store: Field,
    pub from: Field,
    pub to: Field,
    pub sort: Field,
    /// The parsed `sort`; `None` when it is not a known word.
    pub wanted_sort: Option<Sort>,
    /// The id of the order that the page starts after; empty for the first page.
    pub after: String,
}

/// A value as it was sent, and why it is invalid; `problem` is empty when it is valid.
#[derive(Clone, Default)]
pub struct Field {
    pub value: String,
    pub problem: &'static str,
}

/// How the list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Newest,
    Oldest,
    HighestTotal,
    LowestTotal,
}

impl Sort {
    /// In the order in which the page offers them.
    pub const ALL: [Sort; 4] = [Sort::Newest, Sort::Oldest, Sort::HighestTotal, Sort::LowestTotal];

    /// The word in the query string.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Newest => "newest",
            Sort::Oldest => "oldest",
            Sort::HighestTotal => "total-high",
            Sort::LowestTotal => "total-low",
        }
    }

    /// Its name on the page. In the tab To capture, the oldest order has waited longest.
    pub fn name(self, tab: &TabKind) -> &'static str {
        match self {
            Sort::Newest => "Newest first",
            Sort::Oldest if tab.word == TO_CAPTURE => "Longest waiting first",
            Sort::Oldest => "Oldest first",
            Sort::HighestTotal => "Highest total first",
            Sort::LowestTotal => "Lowest total first",
        }
    }

    pub fn is_by_total(self) -> bool {
        matches!(self, Sort::HighestTotal | Sort::LowestTotal)
    }

    pub fn list_sort(self) -> ListSort {
        match self {
            Sort::Newest => ListSort::NewestFirst,
            Sort::Oldest => ListSort::OldestFirst,
            Sort::HighestTotal => ListSort::HighestTotalFirst,
            Sort::LowestTotal => ListSort::LowestTotalFirst,
        }
    }
}

impl Asked {
    /// Reads a request's query string; `None` when it names an unknown tab.
    pub fn read(request: &HttpRequest) -> Option<Asked> {
        let word = query_value(request, "tab");
        let field =
            |name: &str| Field { value: query_value(request, name).trim().to_owned(), problem: "" };
        let sort = field("sort");
        let wanted_sort = match sort.value.as_str() {
            "" => Some(Sort::Newest),
            word => Sort::ALL.into_iter().find(|sort| sort.word() == word),
        };
        Some(Asked {
            tab: TABS.iter().find(|tab| word.is_empty() || tab.word == word)?,
            search: field("search"),
            status: field("status"),
            payment_status: field("payment_status"),
            currency: field("currency"),
            store: field("store"),
            from: field("from"),
            to: field("to"),
            sort,
            wanted_sort,
            after: field("after").value,
        })
    }

    /// The query of the filters, without the tab's own; `None` when a filter is invalid, which then
    /// has its problem set. `stores` are all stores that the account has orders from, or `None`
    /// when there are too many to know; then any store is accepted.
    pub fn check(&mut self, time_zone: &str, stores: Option<&[String]>) -> Option<OrderQuery> {
        let status = self.status.parse(OrderStatus::parse, "There is no such status.");
        let payment_status =
            self.payment_status.parse(PaymentStatus::parse, "There is no such payment status.");
        let currency = self.currency.parse(Currency::parse, "There is no such currency.");
        let search = self.check_search();
        let known = |id: &str| stores.is_none_or(|stores| stores.iter().any(|store| store == id));
        let store = |id: &str| Some(id.to_owned()).filter(|id| known(id));
        let store_id = self.store.parse(store, "No orders from this store.");
        let (from, end) = self.check_days(time_zone);
        let query = OrderQuery {
            statuses: status.into_iter().collect(),
            payment_statuses: payment_status.into_iter().collect(),
            currencies: currency.into_iter().collect(),
            values: store_id.map(|id| (ValueFilter::StoreId, vec![id])).into_iter().collect(),
            created_from: from,
            created_to: end.map(|end| Timestamp(end.0 - 1)),
            search,
            ..OrderQuery::default()
        };
        self.filters().iter().all(|(_, field)| field.problem.is_empty()).then_some(query)
    }

    fn check_search(&mut self) -> Option<SearchText> {
        if self.search.value.is_empty() {
            return None;
        }
        let search = SearchText::parse(&self.search.value);
        self.search.problem = match search {
            Ok(_) => "",
            Err(SearchTextProblem::TooLong) => "Search for at most 200 characters.",
            Err(SearchTextProblem::TooManyWords) => "Search for at most 8 words.",
        };
        search.ok()
    }

    /// The start of the first day, and the start of the day after the last.
    fn check_days(&mut self, time_zone: &str) -> (Option<Timestamp>, Option<Timestamp>) {
        let day = |date: &str, days_on| {
            day_start(date, days_on, time_zone).filter(|_| date.len() == DATE_CHARS)
        };
        let from = self.from.parse(|date| day(date, 0), NO_DATE);
        let end = self.to.parse(|date| day(date, 1), NO_DATE);
        if matches!((from, end), (Some(from), Some(end)) if end <= from) {
            self.to.problem = "The last day is before the first.";
        }
        (from, end)
    }

    /// The sort that the list gets. An unknown sort, or a sort by total that no index serves, is
    /// reported, and the list is sorted newest first.
    pub fn choose_sort(&mut self, query: Option<&OrderQuery>) -> Sort {
        let sortable = query.is_none_or(OrderQuery::is_sortable_by_total);
        match self.wanted_sort {
            None => {
                self.sort.problem = "There is no such sort. These orders are sorted newest first.";
            }
            Some(sort) if sort.is_by_total() && !sortable => {
                self.sort.problem = NOT_BY_TOTAL;
            }
            Some(sort) => return sort,
        }
        Sort::Newest
    }

    pub fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, field)| !field.value.is_empty())
    }

    /// True if a filter is set that the page folds away.
    pub fn has_more(&self) -> bool {
        let more = [&self.status, &self.payment_status, &self.currency, &self.store];
        more.iter().any(|field| !field.value.is_empty())
    }

    /// The address of the first page of the list with the same filters.
    pub fn href(&self, base: &str, tab: &str, sort: Sort) -> String {
        format!("{base}?{}", self.query(tab, sort).finish())
    }

    /// The address of the page that starts after the order of the id `after`.
    pub fn href_after(&self, base: &str, tab: &str, sort: Sort, after: &str) -> String {
        format!("{base}?{}", self.query(tab, sort).append_pair("after", after).finish())
    }

    fn query(&self, tab: &str, sort: Sort) -> Serializer<'static, String> {
        let mut query = Serializer::new(String::new());
        query.append_pair("tab", tab);
        for (name, field) in self.filters().iter().filter(|(_, field)| !field.value.is_empty()) {
            query.append_pair(name, &field.value);
        }
        if sort != Sort::Newest {
            query.append_pair("sort", sort.word());
        }
        query
    }

    fn filters(&self) -> [(&'static str, &Field); 7] {
        [
            ("search", &self.search),
            ("status", &self.status),
            ("payment_status", &self.payment_status),
            ("currency", &self.currency),
            ("store", &self.store),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }
}

impl Field {
    /// The parsed value; `None` when it is empty, or when it is invalid, which sets the problem.
    fn parse<T>(
        &mut self,
        read: impl FnOnce(&str) -> Option<T>,
        problem: &'static str,
    ) -> Option<T> {
        if self.value.is_empty() {
            return None;
        }
        let read = read(&self.value);
        if read.is_none() {
            self.problem = problem;
        }
        read
    }
}
