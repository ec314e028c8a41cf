//! Parses query strings and reports invalid parameters (docs/contract.md, Decision 7).

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
use crate::store::{DraftQuery, OrderQuery, SearchText, SearchTextProblem, ValueFilter};

pub(super) const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 100;
/// The most characters of one value of a filter.
const TEXT_CHARS_MAX: usize = 200;
/// The most values of one filter.
const VALUES_MAX: usize = 20;

const PAGING_TOKEN_EXPECTED: &str = "Expected the paging_token of an element of this list.";
const DATE_TIME_EXPECTED: &str = "Expected an RFC 3339 date-time, such as 2026-11-23T09:00:00Z.";

/// Parameters of both lists, of orders and of drafts, without the filters by value.
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
/// Filters that take one value. A second one would replace the first without a word.
const SINGLE: [&str; 3] = ["created_at.gte", "created_at.lte", "search"];
/// Parameters of the list of orders only.
const FILTERS_OF_ORDERS: [&str; 2] = ["payment_status", "include_events"];

/// A request for a page of orders.
#[derive(Debug, Default)]
pub struct OrderListQuery {
    pub query: OrderQuery,
    /// The paging token, an order's id, after which the page starts.
    pub starting_after: Option<OrderName>,
    pub include_events: IncludeEvents,
}

/// A request for a page of drafts.
#[derive(Debug, Default)]
pub struct DraftListQuery {
    pub query: DraftQuery,
    /// The paging token, a draft's id, after which the page starts.
    pub starting_after: Option<String>,
}

/// The parameters that both lists share, as far as they were parsed.
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
    search: Option<SearchText>,
}

/// Parses the order list's query string, or reports every invalid parameter.
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
        "include_events" => Some(include(&mut list.include_events, value)),
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

/// Parses the draft list's query string, or reports every invalid parameter.
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
    // A draft has no order yet. The order id that it asks for is stored among its values.
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

/// Parses `include_events` and ignores all other parameters. Several values give the union.
pub fn include_events(query_string: &str) -> Result<IncludeEvents, Vec<Problem>> {
    let mut asked = IncludeEvents::None;
    let sent = pairs(query_string).into_iter().filter(|(name, _)| name == "include_events");
    let wrong = sent.filter_map(|(name, value)| {
        let message = include(&mut asked, &value).err()?;
        Some(Problem::new(name, "bad_value", message))
    });
    let problems: Vec<Problem> = wrong.collect();
    if problems.is_empty() { Ok(asked) } else { Err(problems) }
}

/// Adds the events of one value of `include_events`, whose words are separated by commas.
fn include(asked: &mut IncludeEvents, value: &str) -> Result<(), String> {
    let mut words = Vec::new();
    extend(&mut words, value, IncludeEvents::parse, &IncludeEvents::WORDS)?;
    *asked = words.into_iter().fold(*asked, IncludeEvents::or);
    Ok(())
}

/// Refuses `apply_discounts` unless it is false. This server computes no discounts, and accepting
/// the parameter would leave an order at the wrong price.
pub fn refuse_discounts(query_string: &str) -> Result<(), Vec<Problem>> {
    let mut sent = pairs(query_string).into_iter();
    match sent.find(|(name, value)| name == "apply_discounts" && value != "false") {
        Some((name, _)) => {
            let message = "This server computes no discounts; send discount_lines with the items, \
                           and leave apply_discounts out or set it to false.";
            Err(vec![Problem::new(name, "not_supported", message)])
        }
        None => Ok(()),
    }
}

/// The problem of a paging token that no element of the list has.
pub fn unknown_paging_token() -> Vec<Problem> {
    vec![Problem::new("starting_after", "bad_value", PAGING_TOKEN_EXPECTED)]
}

fn filters() -> impl Iterator<Item = &'static str> {
    FILTERS.into_iter().chain(ValueFilter::ALL.map(ValueFilter::as_str))
}

pub(super) fn pairs(query_string: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query_string.as_bytes()).into_owned().collect()
}

/// Parses every parameter. `own` sets those of one kind of list and is tried first; both it and
/// the shared ones return `None` for a name that they do not know.
fn read(
    query_string: &str,
    words: &[&str],
    mut own: impl FnMut(&str, &str) -> Option<Result<(), String>>,
) -> Result<Filters, Vec<Problem>> {
    let mut filters = Filters::default();
    let mut problems = Vec::new();
    let sent = pairs(query_string);
    for name in SINGLE {
        let mut values = sent.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value);
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            problems.push(Problem::new(name, "bad_value", "Send one value of this parameter."));
        }
    }
    for (name, value) in sent {
        let set = own(&name, &value).or_else(|| filters.set(&name, &value));
        let problem = match set {
            None => {
                let message = format!("There is no such filter; use one of: {}.", words.join(", "));
                Some(("unknown_filter", message))
            }
            Some(set) => set.err().map(|message| ("bad_value", message)),
        };
        problems.extend(problem.map(|(code, message)| Problem::new(name, code, message)));
    }
    if problems.is_empty() { Ok(filters) } else { Err(problems) }
}

impl Filters {
    /// Sets one parameter; `None` if its name is unknown.
    fn set(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let set = match name {
            "limit" => limit(value).map(|limit| self.limit = Some(limit)),
            "starting_after" => token(value).map(|token| self.starting_after = Some(token)),
            "total" => flag(value).map(|total| self.total = total),
            "created_at.gte" => date_time(value).map(|at| self.created_from = Some(at)),
            "created_at.lte" => date_time(value).map(|at| self.created_to = Some(at)),
            "currency" => currencies(&mut self.currencies, value),
            "search" => search(value).map(|search| self.search = Some(search)),
            "customer.id" => self.add(ValueFilter::CustomerId, [value]),
            _ => match ValueFilter::parse(name)? {
                ValueFilter::OrderId => add_name(&mut self.names, value),
                // Text that clients choose may contain commas, so these are not split.
                filter @ (ValueFilter::CustomerId
                | ValueFilter::StoreId
                | ValueFilter::ArrivalAddress
                | ValueFilter::DepartureAddress) => self.add(filter, [value]),
                filter @ (ValueFilter::TravelMode | ValueFilter::DiscountType) => {
                    self.add(filter, value.split(','))
                }
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
    if VALUES_MAX < asked.len() {
        return Err(format!("Expected at most {VALUES_MAX} values of one filter."));
    }
    Ok(())
}

fn currencies(asked: &mut Vec<Currency>, value: &str) -> Result<(), String> {
    value.split(',').try_for_each(|code| {
        let currency = Currency::parse(code);
        push(asked, currency.ok_or("Expected ISO 4217 currency codes, such as NOK.")?)
    })
}

fn add_name(asked: &mut Vec<OrderName>, value: &str) -> Result<(), String> {
    let name = OrderName::parse(value);
    push(asked, name.ok_or("Expected an order id: 1 to 64 characters without spaces.")?)
}

/// Adds the words of one value, which are separated by commas. Repeating the parameter adds more.
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

pub(super) fn limit(value: &str) -> Result<u32, String> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("Expected a number from 1 to {LIMIT_MAX}."))
}

pub(super) fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| one_of(&["true", "false"]))
}

fn text(value: &str) -> Result<String, String> {
    if TEXT_CHARS_MAX < value.chars().count() {
        return Err(format!("Expected at most {TEXT_CHARS_MAX} characters."));
    }
    Ok(value.to_owned())
}

fn search(value: &str) -> Result<SearchText, String> {
    SearchText::parse(value).map_err(|why| match why {
        SearchTextProblem::TooLong => {
            format!("Expected at most {} characters.", SearchText::CHARS_MAX)
        }
        SearchTextProblem::TooManyWords => {
            format!("Expected at most {} words.", SearchText::WORDS_MAX)
        }
    })
}

fn token(value: &str) -> Result<OrderName, String> {
    OrderName::parse(value).ok_or_else(|| PAGING_TOKEN_EXPECTED.to_owned())
}

/// Parses a date-time. An unescaped `+` in a query string means a space, so a space is taken as
/// the plus sign of an offset.
fn date_time(value: &str) -> Result<Timestamp, String> {
    parse_rfc3339(&value.replace(' ', "+")).ok_or_else(|| DATE_TIME_EXPECTED.to_owned())
}

fn one_of(allowed: &[&str]) -> String {
    format!("Expected one of: {}.", allowed.join(", "))
}
