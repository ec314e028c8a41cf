//! A webhook's page: its settings and state, the forms that change it, and its deliveries.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::list::WAITING_MAX;
use super::shown::{
    counted, delivery_state, hook_href, hook_state, hooks_href, outcome, paths, paused_because,
};
use crate::clock::{local, rfc3339};
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{escaped_segment, html, query_value};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::api::hooks::{find_hook, hook_in_path};
use crate::http::error::ApiError;
use crate::http::state::{AppState, state};
use crate::store::{Counted, DeliveryRecord, HookRecord};

/// The deliveries on one page.
const PAGE_ROWS: u32 = 25;

/// The most events that are read to count what a paused hook has missed.
const MISSED_EVENTS_MAX: usize = 10_000;

#[derive(Template)]
#[template(path = "hook/page.html")]
struct HookPage {
    frame: Frame,
    list_href: String,
    self_href: String,
    /// Why a form on the page was refused; empty if none was.
    problem: String,
    /// The secret that was made just now; empty otherwise.
    secret: String,
    url: String,
    state: &'static str,
    state_words: &'static str,
    is_active: bool,
    is_deleted: bool,
    created: String,
    created_by: String,
    /// Since when and why it is paused, as a sentence; empty while it is active.
    paused: String,
    /// What a paused hook has missed; "over 10,000" if it is too much to count.
    missed: String,
    events: Vec<&'static str>,
    fields: String,
    exclude_fields: String,
    secret_type: &'static str,
    /// Until when the secret before the last rotation signs as well; empty if there is none.
    previous_until: String,
    delivered: i64,
    failed: i64,
    waiting: String,
    /// The first failed try since the last success; empty after a success.
    failing_since: String,
    /// The key that keeps a rotation that is sent twice from being made twice.
    key: String,
    deliveries: Vec<Row>,
    first_href: String,
    next_href: String,
}

struct Row {
    href: String,
    at: String,
    when: String,
    event: String,
    state: &'static str,
    state_words: &'static str,
    /// When the next try is due; empty unless there is one.
    next: String,
    tries: u32,
    outcome: String,
}

/// Everything that the page shows, read in one transaction.
struct Loaded {
    hook: HookRecord,
    created_by: String,
    waiting: Counted,
    missed: Option<Counted>,
    deliveries: Vec<DeliveryRecord>,
}

/// What an earlier form adds to the page.
#[derive(Default)]
pub struct Told {
    /// Why the form was refused, as a sentence.
    pub problem: String,
    /// The secret that it made.
    pub secret: String,
}

/// `GET /admin/{aid}/hooks/{hid}`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManageHooks)?;
    let hook_id = hook_in_path(&request);
    let after = query_value(&request, "after");
    page(&staff, state(&request)?, hook_id, after, Told::default()).await
}

/// The page of the hook, with what a form has to tell.
pub async fn show_told(
    staff: &Staff,
    request: &HttpRequest,
    hook_id: String,
    status: StatusCode,
    told: Told,
) -> Result<HttpResponse, PageError> {
    let mut response = page(staff, state(request)?, hook_id, String::new(), told).await?;
    *response.status_mut() = status;
    Ok(response)
}

async fn page(
    staff: &Staff,
    state: &AppState,
    hook_id: String,
    after: String,
    told: Told,
) -> Result<HttpResponse, PageError> {
    let is_first = after.is_empty();
    let (account_id, id) = (staff.account_id.clone(), hook_id.clone());
    let read = state.store.read(move |reader| {
        let hook = find_hook(reader, &account_id, &id)?;
        let start = match after.as_str() {
            "" => None,
            after => Some(
                reader
                    .find_delivery(hook.hook_seq, after)?
                    .ok_or_else(|| ApiError::not_found("delivery"))?
                    .delivery_seq,
            ),
        };
        let doer = reader.find_doer(&hook.created_by.0)?;
        Ok::<_, ApiError>(Loaded {
            created_by: doer.map_or_else(|| hook.created_by.0.clone(), |doer| words::doer(&doer)),
            waiting: reader.count_waiting(hook.hook_seq, WAITING_MAX)?,
            missed: match hook.paused {
                Some(_) => Some(reader.count_missed(&hook, MISSED_EVENTS_MAX)?),
                None => None,
            },
            // One more than the page shows tells whether there is a next page.
            deliveries: reader.list_deliveries(hook.hook_seq, start, PAGE_ROWS + 1)?,
            hook,
        })
    });
    let loaded = read.await?;
    html(&view(state, staff, loaded, told, is_first))
}

fn view(state: &AppState, staff: &Staff, read: Loaded, told: Told, is_first: bool) -> HookPage {
    let Loaded { hook, created_by, waiting, missed, mut deliveries } = read;
    let zone = staff.time_zone();
    let self_href = hook_href(state, &staff.account_id, &hook.id);
    let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let has_next = shown < deliveries.len();
    deliveries.truncate(shown);
    let next = deliveries.last().filter(|_| has_next);
    let (class, words) = hook_state(&hook);
    let text = |list: &Option<crate::domain::KeptJson>| paths(list.as_ref().map(|l| l.0.as_str()));
    HookPage {
        list_href: hooks_href(state, &staff.account_id),
        problem: told.problem,
        secret: told.secret,
        url: hook.settings.url.clone(),
        state: class,
        state_words: words,
        is_active: class == "active",
        is_deleted: class == "deleted",
        created: local(hook.created_at, zone),
        created_by,
        paused: hook.paused.map_or_else(String::new, |(at, why)| {
            format!("Paused since {}, because {}.", local(at, zone), paused_because(why))
        }),
        missed: missed.map(counted).unwrap_or_default(),
        events: hook.settings.events.words(),
        fields: text(&hook.settings.fields),
        exclude_fields: text(&hook.settings.exclude_fields),
        secret_type: hook.settings.secret.kind.as_str(),
        previous_until: hook
            .previous_secret
            .as_ref()
            .filter(|previous| state.clock.now() < previous.until)
            .map_or_else(String::new, |previous| local(previous.until, zone)),
        delivered: hook.delivered_count,
        failed: hook.failed_count,
        waiting: counted(waiting),
        failing_since: hook.health.failing_since.map_or_else(String::new, |at| local(at, zone)),
        key: state.randomness.uuid(),
        first_href: if is_first { String::new() } else { self_href.clone() },
        next_href: next.map_or_else(String::new, |last| format!("{self_href}?after={}", last.id)),
        deliveries: deliveries.iter().map(|one| row(one, &self_href, zone)).collect(),
        self_href,
        frame: Frame { here: "hooks", ..Frame::inside(state, staff) },
    }
}

fn row(delivery: &DeliveryRecord, hook_href: &str, zone: &str) -> Row {
    let next = delivery.next_at.filter(|_| 0 < delivery.tries);
    Row {
        href: format!("{hook_href}/deliveries/{}", escaped_segment(&delivery.id)),
        at: rfc3339(delivery.created_at),
        when: local(delivery.created_at, zone),
        event: delivery.event.clone(),
        state: delivery.state.as_str(),
        state_words: delivery_state(delivery.state),
        next: next.map_or_else(String::new, |at| format!("next try {}", local(at, zone))),
        tries: delivery.tries,
        outcome: outcome(delivery),
    }
}
