//! Query parameters: filters of lists and `include_events` (contract, Decision 7).

use actix_web::HttpRequest;

use super::super::error::{ApiError, Problem};
use super::event_view::IncludeEvents;
use crate::clock::parse_rfc3339;
use crate::domain::Timestamp;
use crate::domain::ids::OrderName;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::store::OrderQuery;

const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 100;
/// Characters of a search.
const SEARCH_CHARS_MAX: usize = 200;

const FILTERS: [&str; 9] = [
    "limit",
    "starting_after",
    "total",
    "status",
    "payment_status",
    "created_at.gte",
    "created_at.lte",
    "search",
    "include_events",
];

/// What a list of orders is asked for.
#[derive(Debug, Default)]
pub struct OrderListQuery {
    pub query: OrderQuery,
    /// The paging token, an order's id, that the list goes on after.
    pub starting_after: Option<OrderName>,
    pub include_events: IncludeEvents,
}

/// The filters of a list of orders, or everything that is wrong with them.
pub fn order_list(request: &HttpRequest) -> Result<OrderListQuery, ApiError> {
    let mut list = OrderListQuery::default();
    list.query.limit = LIMIT_DEFAULT;
    let mut problems = Vec::new();
    for (name, value) in pairs(request) {
        if let Err(message) = set(&mut list, &name, &value) {
            let code =
                if FILTERS.contains(&name.as_str()) { "bad_value" } else { "unknown_filter" };
            problems.push(Problem::new(name, code, message));
        }
    }
    if problems.is_empty() { Ok(list) } else { Err(ApiError::invalid(problems)) }
}

/// The parameter `include_events` alone, where a request takes nothing else.
pub fn include_events(request: &HttpRequest) -> Result<IncludeEvents, ApiError> {
    let sent = pairs(request).into_iter().rfind(|(name, _)| name == "include_events");
    let Some((name, value)) = sent else {
        return Ok(IncludeEvents::None);
    };
    IncludeEvents::parse(&value).ok_or_else(|| {
        ApiError::invalid(vec![Problem::new(name, "bad_value", one_of(&IncludeEvents::WORDS))])
    })
}

fn pairs(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect()
}

fn set(list: &mut OrderListQuery, name: &str, value: &str) -> Result<(), String> {
    match name {
        "limit" => list.query.limit = limit(value)?,
        "starting_after" => list.starting_after = Some(paging_token(value)?),
        "total" => list.query.total = flag(value)?,
        "status" => list.query.statuses.extend(words(
            value,
            OrderStatus::parse,
            &OrderStatus::ALL.map(OrderStatus::as_str),
        )?),
        "payment_status" => list.query.payment_statuses.extend(words(
            value,
            PaymentStatus::parse,
            &PaymentStatus::ALL.map(PaymentStatus::as_str),
        )?),
        "created_at.gte" => list.query.created_from = Some(date_time(value)?),
        "created_at.lte" => list.query.created_to = Some(date_time(value)?),
        "search" => list.query.search = Some(search(value)?),
        "include_events" => {
            list.include_events =
                IncludeEvents::parse(value).ok_or_else(|| one_of(&IncludeEvents::WORDS))?;
        }
        _ => {
            return Err(format!("There is no such filter; there are {}.", FILTERS.join(", ")));
        }
    }
    Ok(())
}

fn limit(value: &str) -> Result<u32, String> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("Expected a number from 1 to {LIMIT_MAX}."))
}

fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| one_of(&["true", "false"]))
}

fn search(value: &str) -> Result<String, String> {
    if SEARCH_CHARS_MAX < value.chars().count() {
        return Err(format!("A search has at most {SEARCH_CHARS_MAX} characters."));
    }
    Ok(value.to_owned())
}

fn paging_token(value: &str) -> Result<OrderName, String> {
    OrderName::parse(value).ok_or_else(unknown_paging_token)
}

/// What is said of a paging token that no order carries.
pub fn unknown_paging_token() -> String {
    "Expected the paging_token of an order of this list.".to_owned()
}

/// A date-time; the plus of an offset may have come as the space that it means in a query.
fn date_time(value: &str) -> Result<Timestamp, String> {
    parse_rfc3339(&value.replace(' ', "+"))
        .ok_or_else(|| "Expected a date-time of RFC 3339, as 2026-11-23T09:00:00Z.".to_owned())
}

/// Values that are repeated or separated by commas.
fn words<T>(
    value: &str,
    parse: impl Fn(&str) -> Option<T>,
    allowed: &[&str],
) -> Result<Vec<T>, String> {
    value.split(',').map(|word| parse(word).ok_or_else(|| one_of(allowed))).collect()
}

fn one_of(allowed: &[&str]) -> String {
    format!("Expected one of: {}.", allowed.join(", "))
}
