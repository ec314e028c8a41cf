//! Query parameters: filters of lists and `include_events` (docs/contract.md, Decision 7).

use std::collections::BTreeMap;

use super::event_view::IncludeEvents;
use super::problem::Problem;
use crate::clock::parse_rfc3339;
use crate::domain::Timestamp;
use crate::domain::currency::Currency;
use crate::domain::draft::DraftStatus;
use crate::domain::ids::OrderName;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::store::{DraftQuery, OrderQuery, ValueFilter};

const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 100;
/// Characters of a search, and of a value that a filter asks for.
const TEXT_CHARS_MAX: usize = 200;
/// Values of one filter.
const VALUES_MAX: usize = 20;

/// What every list takes beside the filters by value.
const FILTERS: [&str; 8] = [
    "limit",
    "starting_after",
    "total",
    "status",
    "created_at.gte",
    "created_at.lte",
    "currency",
    "search",
];
/// What only lists of orders take.
const FILTERS_OF_ORDERS: [&str; 2] = ["payment_status", "include_events"];

/// What a list of orders is asked for.
#[derive(Debug, Default)]
pub struct OrderListQuery {
    pub query: OrderQuery,
    /// The paging token, an order's id, that the list goes on after.
    pub starting_after: Option<OrderName>,
    pub include_events: IncludeEvents,
}

/// What a list of drafts is asked for.
#[derive(Debug, Default)]
pub struct DraftListQuery {
    pub query: DraftQuery,
    /// The paging token, a draft's id, that the list goes on after.
    pub starting_after: Option<String>,
}

/// The filters that all lists share, as they are read.
#[derive(Default)]
struct Filters {
    limit: Option<u32>,
    starting_after: Option<OrderName>,
    total: bool,
    created_from: Option<Timestamp>,
    created_to: Option<Timestamp>,
    currencies: Vec<Currency>,
    names: Vec<OrderName>,
    values: BTreeMap<ValueFilter, Vec<String>>,
    search: Option<String>,
}

/// The filters of a list of orders, or everything that is wrong with them.
pub fn order_list(query_string: &str) -> Result<OrderListQuery, Vec<Problem>> {
    let mut list = OrderListQuery::default();
    let words: Vec<&str> = filters().chain(FILTERS_OF_ORDERS).collect();
    let filters = read(query_string, &words, |name, value| match name {
        "status" => {
            let words = OrderStatus::ALL.map(OrderStatus::as_str);
            Some(extend(&mut list.query.statuses, value, OrderStatus::parse, &words))
        }
        "payment_status" => {
            let words = PaymentStatus::ALL.map(PaymentStatus::as_str);
            Some(extend(&mut list.query.payment_statuses, value, PaymentStatus::parse, &words))
        }
        "include_events" => Some(match IncludeEvents::parse(value) {
            Some(include) => {
                list.include_events = include;
                Ok(())
            }
            None => Err(one_of(&IncludeEvents::WORDS)),
        }),
        _ => None,
    })?;
    list.starting_after = filters.starting_after;
    list.query = OrderQuery {
        limit: filters.limit.unwrap_or(LIMIT_DEFAULT),
        total: filters.total,
        created_from: filters.created_from,
        created_to: filters.created_to,
        currencies: filters.currencies,
        names: filters.names,
        values: filters.values,
        search: filters.search,
        ..list.query
    };
    Ok(list)
}

/// The filters of a list of drafts, or everything that is wrong with them.
pub fn draft_list(query_string: &str) -> Result<DraftListQuery, Vec<Problem>> {
    let mut query = DraftQuery::default();
    let words: Vec<&str> = filters().collect();
    let mut filters = read(query_string, &words, |name, value| match name {
        "status" => {
            let words = DraftStatus::ALL.map(DraftStatus::as_str);
            Some(extend(&mut query.statuses, value, DraftStatus::parse, &words))
        }
        _ => None,
    })?;
    // A draft has no names of its own; the order id that it will give is a value.
    let names = filters.names.iter().map(|name| name.as_str().to_owned()).collect();
    filters.values.insert(ValueFilter::OrderId, names);
    query = DraftQuery {
        limit: filters.limit.unwrap_or(LIMIT_DEFAULT),
        total: filters.total,
        created_from: filters.created_from,
        created_to: filters.created_to,
        currencies: filters.currencies,
        values: filters.values,
        search: filters.search,
        ..query
    };
    let starting_after = filters.starting_after.map(|token| token.as_str().to_owned());
    Ok(DraftListQuery { query, starting_after })
}

/// The parameter `include_events` alone, where a request takes nothing else.
pub fn include_events(query_string: &str) -> Result<IncludeEvents, Vec<Problem>> {
    let sent = pairs(query_string).into_iter().rfind(|(name, _)| name == "include_events");
    let Some((name, value)) = sent else {
        return Ok(IncludeEvents::None);
    };
    IncludeEvents::parse(&value)
        .ok_or_else(|| vec![Problem::new(name, "bad_value", one_of(&IncludeEvents::WORDS))])
}

/// The parameter `apply_discounts`: nobody works out discounts here, and pretending to would leave
/// an order at the wrong price.
pub fn refuse_discounts(query_string: &str) -> Result<(), Vec<Problem>> {
    let sent = pairs(query_string).into_iter().rfind(|(name, _)| name == "apply_discounts");
    match sent {
        Some((name, value)) if value != "false" => {
            let message = "There is no discount service here; send discount_lines with the items, \
                           and leave this out or false.";
            Err(vec![Problem::new(name, "not_supported", message)])
        }
        _ => Ok(()),
    }
}

/// What is said of a paging token that nothing in the list carries.
pub fn unknown_paging_token() -> Vec<Problem> {
    let message = "Expected the paging_token of something in this list.";
    vec![Problem::new("starting_after", "bad_value", message)]
}

fn filters() -> impl Iterator<Item = &'static str> {
    FILTERS.into_iter().chain(ValueFilter::ALL.map(ValueFilter::as_str))
}

fn pairs(query_string: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query_string.as_bytes()).into_owned().collect()
}

/// Reads the query; `own` sets what this list alone has, and is asked first.
fn read(
    query_string: &str,
    words: &[&str],
    mut own: impl FnMut(&str, &str) -> Option<Result<(), String>>,
) -> Result<Filters, Vec<Problem>> {
    let mut filters = Filters::default();
    let mut problems = Vec::new();
    for (name, value) in pairs(query_string) {
        let set = own(&name, &value).or_else(|| filters.set(&name, &value));
        let problem = match set {
            None => {
                let message = format!("There is no such filter; there are {}.", words.join(", "));
                Some(("unknown_filter", message))
            }
            Some(set) => set.err().map(|message| ("bad_value", message)),
        };
        problems.extend(problem.map(|(code, message)| Problem::new(name, code, message)));
    }
    if problems.is_empty() { Ok(filters) } else { Err(problems) }
}

impl Filters {
    /// Sets one filter; `None` when there is none of that name.
    fn set(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let set = match name {
            "limit" => limit(value).map(|limit| self.limit = Some(limit)),
            "starting_after" => token(value).map(|token| self.starting_after = Some(token)),
            "total" => flag(value).map(|total| self.total = total),
            "created_at.gte" => date_time(value).map(|at| self.created_from = Some(at)),
            "created_at.lte" => date_time(value).map(|at| self.created_to = Some(at)),
            "currency" => currencies(&mut self.currencies, value),
            "search" => text(value).map(|search| self.search = Some(search)),
            "customer.id" => self.add(ValueFilter::CustomerId, value.split(',')),
            _ => match ValueFilter::parse(name)? {
                ValueFilter::OrderId => names(&mut self.names, value),
                // Places have commas in their names.
                filter @ (ValueFilter::ArrivalAddress | ValueFilter::DepartureAddress) => {
                    self.add(filter, [value])
                }
                filter @ (ValueFilter::CustomerId
                | ValueFilter::StoreId
                | ValueFilter::TravelMode
                | ValueFilter::DiscountType) => self.add(filter, value.split(',')),
            },
        };
        Some(set)
    }

    fn add<'v>(
        &mut self,
        filter: ValueFilter,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<(), String> {
        let asked = self.values.entry(filter).or_default();
        for value in values {
            if value.is_empty() {
                return Err("Expected a value; leave the filter out to list all.".to_owned());
            }
            push(asked, text(value)?)?;
        }
        Ok(())
    }
}

fn push<T>(asked: &mut Vec<T>, value: T) -> Result<(), String> {
    asked.push(value);
    match asked.len() <= VALUES_MAX {
        true => Ok(()),
        false => Err(format!("A filter takes at most {VALUES_MAX} values.")),
    }
}

fn currencies(asked: &mut Vec<Currency>, value: &str) -> Result<(), String> {
    value.split(',').try_for_each(|code| {
        let currency = Currency::parse(code);
        push(asked, currency.ok_or("Expected codes of ISO 4217, as NOK.")?)
    })
}

fn names(asked: &mut Vec<OrderName>, value: &str) -> Result<(), String> {
    value.split(',').try_for_each(|name| {
        let name = OrderName::parse(name);
        push(asked, name.ok_or("Expected order ids: 1 to 64 characters without spaces.")?)
    })
}

/// Adds words that are repeated or separated by commas.
fn extend<T>(
    asked: &mut Vec<T>,
    value: &str,
    parse: impl Fn(&str) -> Option<T>,
    allowed: &[&str],
) -> Result<(), String> {
    let words = value.split(',').map(|word| parse(word).ok_or_else(|| one_of(allowed)));
    asked.extend(words.collect::<Result<Vec<_>, _>>()?);
    Ok(())
}

fn limit(value: &str) -> Result<u32, String> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("Expected a number from 1 to {LIMIT_MAX}."))
}

fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| one_of(&["true", "false"]))
}

fn text(value: &str) -> Result<String, String> {
    if TEXT_CHARS_MAX < value.chars().count() {
        return Err(format!("Expected at most {TEXT_CHARS_MAX} characters."));
    }
    Ok(value.to_owned())
}

fn token(value: &str) -> Result<OrderName, String> {
    let token = OrderName::parse(value);
    token.ok_or_else(|| "Expected the paging_token of something in this list.".to_owned())
}

/// A date-time; the plus of an offset may have come as the space that it means in a query.
fn date_time(value: &str) -> Result<Timestamp, String> {
    parse_rfc3339(&value.replace(' ', "+"))
        .ok_or_else(|| "Expected a date-time of RFC 3339, as 2026-11-23T09:00:00Z.".to_owned())
}

fn one_of(allowed: &[&str]) -> String {
    format!("Expected one of: {}.", allowed.join(", "))
}
