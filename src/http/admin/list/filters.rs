//! What the address of the list of orders asks for, and what of it cannot be.
//!
//! A value that is none is told beside its field and shows no order, never a wider list.

use actix_web::HttpRequest;

use super::tabs::{TABS, TO_CAPTURE, TabKind};
use crate::clock::day_start;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::http::admin::reply::query_value;
use crate::store::{ListSort, OrderQuery, ValueFilter};

/// Characters of a search or another text that is looked for.
const TEXT_CHARS_MAX: usize = 200;

/// Characters of a date as fields of dates send it.
const DATE_CHARS: usize = 10;

/// What is told beside a field of dates that says none.
pub const NO_DATE: &str = "Not a valid date. Write it as 2026-11-23.";

/// What is told where the list cannot go by the orders' totals.
const NOT_BY_TOTAL: &str = "Only the tabs All, Closed and Cancelled can be sorted by total, and \
    only without a search, a store or a payment status. These orders are sorted newest first.";

/// What the address asks for.
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
    /// What `sort` says; `None` when it says nothing we know.
    pub order: Option<Order>,
    /// The id of the order that the page goes on after.
    pub after: String,
}

/// A filter as it was sent, and why it is none, if so.
#[derive(Clone, Default)]
pub struct Field {
    pub value: String,
    pub problem: &'static str,
}

/// An order of the list, as the address says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
    HighestTotal,
    LowestTotal,
}

impl Order {
    /// Each, as the page offers them.
    pub const ALL: [Order; 4] =
        [Order::Newest, Order::Oldest, Order::HighestTotal, Order::LowestTotal];

    /// The word in the address.
    pub fn word(self) -> &'static str {
        match self {
            Order::Newest => "newest",
            Order::Oldest => "oldest",
            Order::HighestTotal => "total-high",
            Order::LowestTotal => "total-low",
        }
    }

    /// What people call it in a tab. What waits longest for its capture is the oldest order.
    pub fn name(self, tab: &TabKind) -> &'static str {
        match self {
            Order::Newest => "Newest first",
            Order::Oldest if tab.word == TO_CAPTURE => "Longest waiting first",
            Order::Oldest => "Oldest first",
            Order::HighestTotal => "Highest total first",
            Order::LowestTotal => "Lowest total first",
        }
    }

    /// Whether it goes by the orders' totals.
    pub fn is_by_total(self) -> bool {
        matches!(self, Order::HighestTotal | Order::LowestTotal)
    }

    /// As the store knows it.
    pub fn sort(self) -> ListSort {
        match self {
            Order::Newest => ListSort::NewestFirst,
            Order::Oldest => ListSort::OldestFirst,
            Order::HighestTotal => ListSort::HighestTotalFirst,
            Order::LowestTotal => ListSort::LowestTotalFirst,
        }
    }
}

impl Asked {
    /// What a request asks for; `None` when there is no such tab.
    pub fn read(request: &HttpRequest) -> Option<Asked> {
        let word = query_value(request, "tab");
        let field =
            |name: &str| Field { value: query_value(request, name).trim().to_owned(), problem: "" };
        let sort = field("sort");
        let order = match sort.value.as_str() {
            "" => Some(Order::Newest),
            word => Order::ALL.into_iter().find(|order| order.word() == word),
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
            order,
            after: field("after").value,
        })
    }

    /// The query that the filters mean, before that of the tab; `None` when one of them is none,
    /// which then has its problem. `stores` are all stores that the account has orders of, if
    /// that is known.
    pub fn check(&mut self, time_zone: &str, stores: Option<&[String]>) -> Option<OrderQuery> {
        let status = self.status.parse(OrderStatus::parse, "There is no such status.");
        let payment_status =
            self.payment_status.parse(PaymentStatus::parse, "There is no such payment status.");
        let currency = self.currency.parse(Currency::parse, "There is no such currency.");
        let searchable =
            |text: &str| (text.chars().count() <= TEXT_CHARS_MAX).then(|| text.to_owned());
        let search = self.search.parse(searchable, "Search for at most 200 characters.");
        let known = |id: &str| stores.is_none_or(|stores| stores.iter().any(|store| store == id));
        let store = |id: &str| Some(id.to_owned()).filter(|id| known(id));
        let store_id = self.store.parse(store, "No orders from this store.");
        let day = |date: &str, days_on| {
            day_start(date, days_on, time_zone).filter(|_| date.len() == DATE_CHARS)
        };
        let from = self.from.parse(|date| day(date, 0), NO_DATE);
        let to = self.to.parse(|date| day(date, 1), NO_DATE);
        if matches!((from, to), (Some(from), Some(to)) if to <= from) {
            self.to.problem = "The last day is before the first.";
        }
        let query = OrderQuery {
            statuses: status.into_iter().collect(),
            payment_statuses: payment_status.into_iter().collect(),
            currencies: currency.into_iter().collect(),
            values: store_id.map(|id| (ValueFilter::StoreId, vec![id])).into_iter().collect(),
            created_from: from,
            created_to: to.map(|end| Timestamp(end.0 - 1)),
            search,
            ..OrderQuery::default()
        };
        self.filters().iter().all(|(_, field)| field.problem.is_empty()).then_some(query)
    }

    /// The order that the list gets, which is the newest first where another cannot be had.
    pub fn choose_order(&mut self, query: Option<&OrderQuery>) -> Order {
        let sortable = query.is_none_or(OrderQuery::is_sortable_by_total);
        match self.order {
            None => {
                self.sort.problem = "There is no such sort. These orders are sorted newest first.";
            }
            Some(order) if order.is_by_total() && !sortable => {
                self.sort.problem = NOT_BY_TOTAL;
            }
            Some(order) => return order,
        }
        Order::Newest
    }

    /// Whether any filter is set.
    pub fn is_filtered(&self) -> bool {
        self.filters().iter().any(|(_, field)| !field.value.is_empty())
    }

    /// Whether one of those is set that are folded away.
    pub fn has_more(&self) -> bool {
        let more = [&self.status, &self.payment_status, &self.currency, &self.store];
        more.iter().any(|field| !field.value.is_empty())
    }

    /// The address of the same filters in another tab or order, after the order of that id.
    pub fn href(&self, base: &str, tab: &str, order: Order, after: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("tab", tab);
        for (name, field) in self.filters().iter().filter(|(_, field)| !field.value.is_empty()) {
            query.append_pair(name, &field.value);
        }
        if order != Order::Newest {
            query.append_pair("sort", order.word());
        }
        if !after.is_empty() {
            query.append_pair("after", after);
        }
        format!("{base}?{}", query.finish())
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
    /// The value as `read` understands it; `None` when it is empty, or is none and so a problem.
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
