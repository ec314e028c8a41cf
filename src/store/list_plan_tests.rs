//! Checks SQLite's query plan for every possible list.

use super::super::draft_lists::{DRAFTS, DraftQuery};
use super::super::order_lists::{CURRENCIES, ORDERS, OrderQuery, STORES};
use super::super::search::SearchText;
use super::*;
use crate::domain::currency::Currency;
use crate::domain::draft::DraftStatus;
use crate::domain::ids::OrderName;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;

const SORTS: [ListSort; 4] = [
    ListSort::NewestFirst,
    ListSort::OldestFirst,
    ListSort::HighestTotalFirst,
    ListSort::LowestTotalFirst,
];

fn account() -> AccountId {
    AccountId::parse("T00000001").unwrap()
}

fn some<T: Clone>(of: &[T], count: usize) -> Vec<T> {
    of.iter().take(count).cloned().collect()
}

fn texts(count: usize) -> Vec<String> {
    some(&["a".to_owned(), "b".to_owned()], count)
}

/// Every combination of zero, one or two values per filter, with every sort.
fn every_order_query() -> Vec<OrderQuery> {
    let currency = |code| Currency::parse(code).unwrap();
    let name = |text| OrderName::parse(text).unwrap();
    let mut queries = Vec::new();
    for counts in 0..3_usize.pow(6) {
        let count = |nth: u32| counts / 3_usize.pow(nth) % 3;
        for (holds, search) in [(false, None), (true, None), (false, Some("kari"))] {
            queries.extend(SORTS.map(|sort| {
                OrderQuery {
                    statuses: some(&[OrderStatus::Open, OrderStatus::Closed], count(0)),
                    payment_statuses: some(
                        &[PaymentStatus::Paid, PaymentStatus::Refunded],
                        count(1),
                    ),
                    currencies: some(&[currency("NOK"), currency("SEK")], count(2)),
                    names: some(&[name("A"), name("B")], count(3)),
                    values: [
                        (ValueFilter::StoreId, texts(count(4))),
                        (ValueFilter::DiscountType, texts(count(5))),
                    ]
                    .into(),
                    holds,
                    search: search.map(|typed| SearchText::parse(typed).unwrap()),
                    sort,
                    ..OrderQuery::default()
                }
            }));
        }
    }
    queries
}

fn every_draft_query() -> Vec<DraftQuery> {
    let currency = |code| Currency::parse(code).unwrap();
    let mut queries = Vec::new();
    for counts in 0..3_usize.pow(4) {
        let count = |nth: u32| counts / 3_usize.pow(nth) % 3;
        queries.extend([None, Some("kari")].map(|search| {
            DraftQuery {
                statuses: some(&[DraftStatus::Open, DraftStatus::Deleted], count(0)),
                currencies: some(&[currency("NOK"), currency("SEK")], count(1)),
                values: [
                    (ValueFilter::CustomerId, texts(count(2))),
                    (ValueFilter::OrderId, texts(count(3))),
                ]
                .into(),
                search: search.map(|typed| SearchText::parse(typed).unwrap()),
                ..DraftQuery::default()
            }
        }));
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

/// True if a step of a plan reads a whole table or sorts. SQLite also calls a full-text match and
/// the reading of an earlier step's result a scan; those are fast.
fn is_slow(step: &str) -> bool {
    let is_match = step.contains("_search VIRTUAL TABLE INDEX") && step.contains('M');
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
    let orders = every_order_query();
    let drafts = every_draft_query();
    let lists = orders.iter().map(|query| query.list(&account()).unwrap());
    for list in lists.chain(drafts.iter().map(|query| query.list(&account()).unwrap())) {
        // After a jump of the clock, a range of times is a criterion of its own.
        let mut jumped = List { criteria: list.criteria.clone(), ..list };
        jumped.criteria.push(Criterion::Created);
        for list in [list, jumped] {
            statements.push(list.page_statement());
            if !list.sort.is_by_total() {
                statements.push(list.count_statement());
            }
        }
    }
    for listed in [ORDERS, DRAFTS] {
        statements.extend([listed.first_from, listed.last_to].map(str::to_owned));
    }
    assert!(10_000 < statements.len());
    for sql in statements {
        let steps = plan(&conn, &sql);
        assert!(!steps.iter().any(|step| is_slow(step)), "{sql}\n{steps:#?}");
    }
    assert!(is_slow("SCAN ledgers") && is_slow("USE TEMP B-TREE FOR ORDER BY"));
    let unsorted = plan(&conn, "select 1 from ledgers order by updated_at_ms");
    assert!(unsorted.iter().any(|step| is_slow(step)), "{unsorted:?}");
}

/// A search for a number asks for several spellings; the index merges their lists as it reads them.
#[test]
fn a_search_for_a_number_is_one_match_in_the_order_of_rows() {
    #[expect(clippy::disallowed_methods, reason = "a plan needs no settings")]
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    conn.execute_batch(include_str!("../../data/schema.sql")).unwrap();
    let search = Some(SearchText::parse("+46 70 123").unwrap());
    let orders = OrderQuery { search: search.clone(), ..OrderQuery::default() };
    let drafts = DraftQuery { search, ..DraftQuery::default() };
    for list in [orders.list(&account()).unwrap(), drafts.list(&account()).unwrap()] {
        let steps = plan(&conn, &list.page_statement());
        assert!(!steps.iter().any(|step| is_slow(step)), "{steps:#?}");
    }
}
