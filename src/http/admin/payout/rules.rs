//! The list of an account's payout rules.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown::{rule_href, rules_href, sums_href, typed_lines};
use crate::clock::local;
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, query_value};
use crate::http::admin::visitor::Staff;
use crate::http::error::ApiError;
use crate::http::state::{AppState, state};
use crate::store::{PayoutRuleQuery, PayoutRuleRecord};

const PAGE_ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "payout/rules.html")]
struct RulesPage {
    frame: Frame,
    sums_href: String,
    new_href: String,
    /// The store that was searched for; empty if all are listed.
    store: String,
    rows: Vec<Row>,
    first_href: String,
    next_href: String,
}

struct Row {
    href: String,
    store: String,
    /// Empty if the rule is for every currency.
    currency: String,
    lines: String,
    /// The destinations of the remaining amount; empty if there are none.
    remaining: String,
    updated: String,
}

/// `GET /admin/{aid}/payout-rules`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManagePayouts)?;
    let state = state(&request)?;
    let (store, after) = (query_value(&request, "store"), query_value(&request, "after"));
    let is_first = after.is_empty();
    let (account_id, sought) = (staff.account_id.clone(), store.clone());
    let read = state.store.read(move |reader| {
        let starting_after = match after.as_str() {
            "" => None,
            id => {
                let found = reader.find_payout_rule(&account_id, id)?;
                Some(found.ok_or_else(|| ApiError::not_found("payout rule"))?.rule_seq)
            }
        };
        let query = PayoutRuleQuery {
            rule_id: Some(sought).filter(|store| !store.is_empty()),
            starting_after,
            // One more than the page shows tells whether there is a next page.
            limit: PAGE_ROWS + 1,
            ..PayoutRuleQuery::default()
        };
        let (seqs, _) = reader.list_payout_rule_seqs(&account_id, &query)?;
        let rules = seqs.into_iter().map(|seq| reader.load_payout_rule(seq));
        let rules: Result<Vec<PayoutRuleRecord>, _> = rules.collect();
        Ok::<_, ApiError>(rules?)
    });
    let mut rules = read.await?;
    let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let has_next = shown < rules.len();
    rules.truncate(shown);
    let base = rules_href(state, &staff.account_id);
    let href = |after: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("store", &store).append_pair("after", after);
        format!("{base}?{}", query.finish())
    };
    let next = rules.last().filter(|_| has_next);
    html(&RulesPage {
        sums_href: sums_href(state, &staff.account_id),
        new_href: format!("{base}/new"),
        rows: rules.iter().map(|rule| row(state, &staff, rule)).collect(),
        first_href: if is_first { String::new() } else { href("") },
        next_href: next.map_or_else(String::new, |last| href(&last.id)),
        frame: Frame { here: "payouts", ..Frame::inside(state, &staff) },
        store,
    })
}

fn row(state: &AppState, staff: &Staff, rule: &PayoutRuleRecord) -> Row {
    let (lines, remaining) = typed_lines(rule);
    let key = &rule.rule.key;
    Row {
        href: rule_href(state, &staff.account_id, &rule.id),
        store: key.rule_id.as_str().to_owned(),
        currency: key.currency.as_ref().map_or("", |currency| currency.code()).to_owned(),
        lines: lines.replace('\n', ", "),
        remaining: remaining.replace('\n', ", "),
        updated: local(rule.updated_at, staff.time_zone()),
    }
}
