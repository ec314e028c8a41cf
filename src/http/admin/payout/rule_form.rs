//! The form that makes a payout rule and replaces one, and deleting a rule.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown::{entries, rule_href, rules_href, typed_lines};
use crate::app::{ChangePayoutRule, CreatePayoutRule, Idempotent, PayoutRuleChange};
use crate::clock::local;
use crate::domain::payout_rule::RuleType;
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::once::key_use;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::api::payout_rules::{
    change_refused, create_refused, name_rule, not_found, rule_in_path,
};
use crate::http::error::{ApiError, Code};
use crate::http::reply::run;
use crate::http::state::state;
use crate::json::Tree;
use crate::store::{NewPayoutRule, PayoutRuleRecord};
use crate::wire::payout_rule_request;
use crate::wire::problem::Problem;

#[derive(Template)]
#[template(path = "payout/rule.html")]
struct RulePage {
    frame: Frame,
    list_href: String,
    action: String,
    /// The rule that is shown; `None` for the form of a new one.
    shown: Option<Shown>,
    /// Problems that belong to no field.
    problems: Vec<String>,
    store: String,
    store_problem: String,
    currency: String,
    currency_problem: String,
    destinations: String,
    destinations_problems: Vec<String>,
    remaining: String,
    remaining_problems: Vec<String>,
    key: String,
}

/// What the page shows of a rule beside its form.
struct Shown {
    id: String,
    created: String,
    created_by: String,
    updated: String,
    /// When it was deleted; empty while it is in use.
    deleted: String,
    /// The metadata as JSON; empty if it has none.
    metadata: String,
}

/// The values of the form's fields.
#[derive(Default)]
struct Typed {
    store: String,
    currency: String,
    destinations: String,
    remaining: String,
}

/// A rule, and the name of the user or client that made it.
struct Loaded {
    rule: PayoutRuleRecord,
    created_by: String,
}

/// `GET /admin/{aid}/payout-rules/new`
pub async fn show_new(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManagePayouts)?;
    page(&staff, &request, None, Typed::default(), &[])
}

/// `GET /admin/{aid}/payout-rules/{payout_rule_id}`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManagePayouts)?;
    let loaded = load(&staff, &request).await?;
    let (destinations, remaining) = typed_lines(&loaded.rule);
    let key = &loaded.rule.rule.key;
    let typed = Typed {
        store: key.rule_id.as_str().to_owned(),
        currency: key.currency.as_ref().map_or("", |currency| currency.code()).to_owned(),
        destinations,
        remaining,
    };
    page(&staff, &request, Some(&loaded), typed, &[])
}

/// `POST /admin/{aid}/payout-rules`
pub async fn create(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManagePayouts)?;
    let state = state(&request)?;
    let rule = match read(&form, None) {
        Ok(rule) => rule,
        Err(problems) => return refuse(&staff, &request, None, &form, &problems),
    };
    let command = CreatePayoutRule { on_behalf_of: staff.on_behalf_of(), rule };
    let key = key_use(&staff, &request, &form);
    let made = run(state, Idempotent { command, key, name: name_rule }, create_refused).await;
    match made {
        Ok(_) => Ok(see_other(&rules_href(state, &staff.account_id))),
        Err(error) => conflict(&staff, &request, None, &form, error),
    }
}

/// `POST /admin/{aid}/payout-rules/{payout_rule_id}`: replaces the rule; its metadata stay.
pub async fn update(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManagePayouts)?;
    let state = state(&request)?;
    let loaded = load(&staff, &request).await?;
    let rule = match read(&form, Some(&loaded.rule)) {
        Ok(rule) => rule,
        Err(problems) => return refuse(&staff, &request, Some(&loaded), &form, &problems),
    };
    let command = ChangePayoutRule {
        on_behalf_of: staff.on_behalf_of(),
        id: loaded.rule.id.clone(),
        change: PayoutRuleChange::Replace(rule),
    };
    let command = Idempotent { command, key: None, name: name_rule };
    match run(state, command, change_refused).await {
        Ok(_) => Ok(see_other(&rule_href(state, &staff.account_id, &loaded.rule.id))),
        Err(error) => conflict(&staff, &request, Some(&loaded), &form, error),
    }
}

/// `POST /admin/{aid}/payout-rules/{payout_rule_id}/delete`
pub async fn delete(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManagePayouts)?;
    let state = state(&request)?;
    let command = ChangePayoutRule {
        on_behalf_of: staff.on_behalf_of(),
        id: rule_in_path(&request)?,
        change: PayoutRuleChange::Delete,
    };
    run(state, Idempotent { command, key: None, name: name_rule }, change_refused).await?;
    Ok(see_other(&rules_href(state, &staff.account_id)))
}

/// The rule that the form asks for. The metadata of the rule before are kept.
fn read(form: &Form, before: Option<&PayoutRuleRecord>) -> Result<NewPayoutRule, Vec<Problem>> {
    let mut destinations = entries(form.text("destinations"));
    let remaining = entries(form.text("remaining"));
    if !remaining.is_empty() {
        destinations.push(Tree::object([
            ("type", Tree::text("remaining_amount")),
            ("destinations", Tree::List(remaining)),
        ]));
    }
    let mut body = Tree::object([
        ("rule_type", Tree::text(RuleType::StoreId.as_str())),
        ("rule_id", Tree::text(form.text("store").trim())),
        ("destinations", Tree::List(destinations)),
    ]);
    let currency = form.text("currency").trim();
    if !currency.is_empty() {
        body = body.with("currency", Tree::text(currency.to_ascii_uppercase()));
    }
    let kept = before.map(|rule| words::parsed(&rule.rule.document));
    let metadata = kept.and_then(|document| document.member("metadata").cloned());
    if let Some(metadata) = metadata {
        body = body.with("metadata", metadata);
    }
    payout_rule_request::parse(&body)
}

/// The form again, with the reason why the rule collides with another.
fn conflict(
    staff: &Staff,
    request: &HttpRequest,
    loaded: Option<&Loaded>,
    form: &Form,
    error: ApiError,
) -> Result<HttpResponse, PageError> {
    let message = match error.code {
        Code::PayoutRuleTaken => {
            "Another rule is for this store and currency. Change that one.".to_owned()
        }
        Code::TooManyPayoutRules => error.message,
        _ => return Err(error.into()),
    };
    let problem = Problem::new("", "conflict", message);
    let mut response = refuse(staff, request, loaded, form, &[problem])?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

fn refuse(
    staff: &Staff,
    request: &HttpRequest,
    loaded: Option<&Loaded>,
    form: &Form,
    problems: &[Problem],
) -> Result<HttpResponse, PageError> {
    let text = |name: &str| form.text(name).to_owned();
    let typed = Typed {
        store: text("store"),
        currency: text("currency"),
        destinations: text("destinations"),
        remaining: text("remaining"),
    };
    let mut response = page(staff, request, loaded, typed, problems)?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}

fn page(
    staff: &Staff,
    request: &HttpRequest,
    loaded: Option<&Loaded>,
    typed: Typed,
    problems: &[Problem],
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let list_href = rules_href(state, &staff.account_id);
    let of = |field: &str| {
        let found = problems.iter().find(|problem| problem.path == field);
        found.map(|problem| problem.message.clone()).unwrap_or_default()
    };
    let (mut of_lines, mut of_remaining) = (Vec::new(), Vec::new());
    for problem in problems {
        // The percentage is missing, or it is something else than a number.
        let message = match problem.code == "wrong_type" && problem.path.ends_with("/value") {
            true => "Write a name and a percentage, such as seller 90%.",
            false => problem.message.as_str(),
        };
        match place(&problem.path) {
            Some((None, line)) => of_lines.push(format!("Line {line}: {message}")),
            Some((Some(_), line)) => of_remaining.push(format!("Line {line}: {message}")),
            None if problem.path == "/destinations" => of_lines.push(problem.message.clone()),
            None if problem.path.ends_with("/destinations") => {
                of_remaining.push(problem.message.clone());
            }
            None => {}
        }
    }
    let has_no_field = problems.iter().filter(|problem| problem.path.is_empty());
    html(&RulePage {
        frame: Frame { here: "payouts", ..Frame::inside(state, staff) },
        action: match loaded {
            Some(loaded) => rule_href(state, &staff.account_id, &loaded.rule.id),
            None => list_href.clone(),
        },
        list_href,
        shown: loaded.map(|loaded| shown(staff, loaded)),
        problems: has_no_field.map(|problem| problem.message.clone()).collect(),
        store: typed.store,
        store_problem: of("/rule_id"),
        currency: typed.currency,
        currency_problem: of("/currency"),
        destinations: typed.destinations,
        destinations_problems: of_lines,
        remaining: typed.remaining,
        remaining_problems: of_remaining,
        key: state.randomness.uuid(),
    })
}

/// The entry that a pointer such as `/destinations/2/destinations/0/value` is about: the position
/// of the remaining amount, if it is inside that, and the number of the line, from 1.
fn place(pointer: &str) -> Option<(Option<usize>, usize)> {
    let rest = pointer.strip_prefix("/destinations/")?;
    let mut steps = rest.split('/');
    let outer: usize = steps.next()?.parse().ok()?;
    match (steps.next(), steps.next()) {
        (Some("destinations"), Some(inner)) => {
            let line: usize = inner.parse().ok()?;
            Some((Some(outer), line + 1))
        }
        (Some("destinations"), None) => None,
        _ => Some((None, outer + 1)),
    }
}

fn shown(staff: &Staff, Loaded { rule, created_by }: &Loaded) -> Shown {
    let zone = staff.time_zone();
    let document = words::parsed(&rule.rule.document);
    Shown {
        id: rule.id.clone(),
        created: local(rule.created_at, zone),
        created_by: created_by.clone(),
        updated: local(rule.updated_at, zone),
        deleted: rule.deleted.as_ref().map_or_else(String::new, |(at, _)| local(*at, zone)),
        metadata: document.member("metadata").map(Tree::to_string).unwrap_or_default(),
    }
}

async fn load(staff: &Staff, request: &HttpRequest) -> Result<Loaded, PageError> {
    let (account_id, id) = (staff.account_id.clone(), rule_in_path(request)?);
    let read = state(request)?.store.read(move |reader| {
        let rule = reader.find_payout_rule(&account_id, &id)?.ok_or_else(not_found)?;
        let doer = reader.find_doer(&rule.created_by.0)?;
        let created_by = doer.map_or_else(|| rule.created_by.0.clone(), |doer| words::doer(&doer));
        Ok::<_, ApiError>(Loaded { rule, created_by })
    });
    Ok(read.await?)
}
