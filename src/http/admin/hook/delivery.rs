//! A delivery's page: the request, how the last try was answered, and sending it again.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown::{delivery_state, hook_href, outcome};
use crate::app::{ReplayDelivery, ReplayRefused};
use crate::clock::{local, rfc3339};
use crate::domain::delivery::{DeliveryState, TRIES_MAX};
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{escaped_segment, html, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words::cut;
use crate::http::api::deliveries::{delivery_in_path, find_delivery, refused};
use crate::http::api::hooks::{find_hook, hook_in_path};
use crate::http::error::ApiError;
use crate::http::state::{AppState, state};
use crate::json::{self, Tree};
use crate::store::{DeliveryRecord, HookRecord, WriteError};
use crate::wire::hook_view::{request_headers, shown_response, shown_response_headers};

/// Characters of a body on the page, so that a page stays below 100 kB.
const BODY_CHARS_MAX: usize = 32 << 10;

/// Headers of an answer that are shown, and characters of each.
const HEADERS_MAX: usize = 50;
const HEADER_CHARS_MAX: usize = 300;

#[derive(Template)]
#[template(path = "hook/delivery.html")]
struct DeliveryPage {
    frame: Frame,
    hook_href: String,
    self_href: String,
    /// Why it was not sent again; empty if that was not asked.
    problem: String,
    id: String,
    event: String,
    url: String,
    at: String,
    when: String,
    state: &'static str,
    state_words: &'static str,
    tries: u32,
    tries_max: u32,
    /// When the next try is due; empty unless there is one.
    next: String,
    headers: Vec<(String, String)>,
    body: String,
    /// True if the body is longer than the page shows.
    is_cut: bool,
    /// True if the body was deleted, so that it cannot be sent again.
    is_expired: bool,
    may_replay: bool,
    last: Option<LastAnswer>,
}

/// The last try.
struct LastAnswer {
    when: String,
    outcome: String,
    /// True if there was an answer.
    is_answered: bool,
    headers: Vec<(String, String)>,
    body: String,
}

/// `GET /admin/{aid}/hooks/{hid}/deliveries/{did}`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManageHooks)?;
    page(&staff, &request, "").await
}

/// `POST /admin/{aid}/hooks/{hid}/deliveries/{did}/replay`
pub async fn replay(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let (hook_id, delivery_id) = (hook_in_path(&request), delivery_in_path(&request));
    let href = delivery_href(state, &staff, &hook_id, &delivery_id);
    let command = ReplayDelivery { on_behalf_of: staff.on_behalf_of(), hook_id, delivery_id };
    match state.store.writer.write(command).await {
        Ok(_) => {
            state.store.signal.note_hooks_changed();
            Ok(see_other(&href))
        }
        Err(WriteError::Refused(ReplayRefused::BodyDeleted)) => {
            let problem = "Its body is no longer stored, so it cannot be sent again.";
            let mut response = page(&staff, &request, problem).await?;
            *response.status_mut() = StatusCode::CONFLICT;
            Ok(response)
        }
        Err(error) => Err(ApiError::from_write(error, refused).into()),
    }
}

async fn page(
    staff: &Staff,
    request: &HttpRequest,
    problem: &str,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let (account_id, hook_id) = (staff.account_id.clone(), hook_in_path(request));
    let id = delivery_in_path(request);
    let read = state.store.read(move |reader| {
        let hook = find_hook(reader, &account_id, &hook_id)?;
        let delivery = find_delivery(reader, &hook, &id)?;
        Ok::<_, ApiError>((hook, delivery))
    });
    let (hook, delivery) = read.await?;
    let frame = Frame { here: "hooks", ..Frame::inside(state, staff) };
    html(&view(state, staff, frame, (&hook, &delivery), problem))
}

fn view(
    state: &AppState,
    staff: &Staff,
    frame: Frame,
    (hook, delivery): (&HookRecord, &DeliveryRecord),
    problem: &str,
) -> DeliveryPage {
    let zone = staff.time_zone();
    let body = delivery.body.as_deref().unwrap_or_default();
    let shown = cut(body, BODY_CHARS_MAX);
    let is_finished = delivery.state != DeliveryState::Waiting;
    let last = delivery.last_try.as_ref().map(|last| LastAnswer {
        when: local(last.at, zone),
        outcome: outcome(delivery),
        is_answered: last.status.is_some(),
        headers: headers_of(&shown_response_headers(hook, last)),
        body: shown_response(hook, last),
    });
    DeliveryPage {
        frame,
        hook_href: hook_href(state, &staff.account_id, &hook.id),
        self_href: delivery_href(state, staff, &hook.id, &delivery.id),
        problem: problem.to_owned(),
        id: delivery.id.clone(),
        event: delivery.event.clone(),
        url: hook.settings.url.clone(),
        at: rfc3339(delivery.created_at),
        when: local(delivery.created_at, zone),
        state: delivery.state.as_str(),
        state_words: delivery_state(delivery.state),
        tries: delivery.tries,
        tries_max: TRIES_MAX,
        next: delivery
            .next_at
            .map_or_else(String::new, |at| local(at.max(delivery.created_at), zone)),
        headers: request_headers(delivery)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        is_cut: shown.len() < body.len(),
        body: shown,
        is_expired: delivery.body.is_none(),
        may_replay: is_finished && delivery.body.is_some() && hook.deleted.is_none(),
        last,
    }
}

/// The headers of an answer, from their JSON object.
fn headers_of(stored: &str) -> Vec<(String, String)> {
    let Ok(Tree::Object(members)) = json::parse(stored.as_bytes()) else { return Vec::new() };
    let text = |value: &Tree| value.as_text().map_or_else(|| value.to_string(), str::to_owned);
    let shown = members.iter().take(HEADERS_MAX);
    let both = |(name, value): &(String, Tree)| {
        (cut(name, HEADER_CHARS_MAX), cut(&text(value), HEADER_CHARS_MAX))
    };
    shown.map(both).collect()
}

fn delivery_href(state: &AppState, staff: &Staff, hook_id: &str, id: &str) -> String {
    let hook = hook_href(state, &staff.account_id, hook_id);
    format!("{hook}/deliveries/{}", escaped_segment(id))
}
