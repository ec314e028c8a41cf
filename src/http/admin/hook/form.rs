//! The forms that make a webhook and change its settings.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::page::{Told, show_told};
use super::shown::{hook_href, hooks_href, paths};
use crate::app::{ChangeHook, CreateHook, HookChange, HookUpdate, Idempotent, Once};
use crate::domain::KeptJson;
use crate::domain::hook::{HookEvent, SecretType};
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::frame::Frame;
use crate::http::admin::once::key_use;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, see_other};
use crate::http::admin::visitor::Staff;
use crate::http::api::hooks::{
    change_refused, chosen_or_made, create_refused, find_hook, hook_in_path, judge_url,
    not_shown_again, send_ping,
};
use crate::http::error::Code;
use crate::http::reply::run;
use crate::http::state::{AppState, state};
use crate::json::Tree;
use crate::store::{HookRecord, HookSettings};
use crate::wire::hook_request::{self, HookRequest, NewHookRequest};
use crate::wire::problem::Problem;

/// The events that a new hook gets unless others are chosen.
const CHOSEN_FIRST: [HookEvent; 2] = [HookEvent::OrderUpdate, HookEvent::DraftComplete];

#[derive(Template)]
#[template(path = "hook/form.html")]
struct HookForm {
    frame: Frame,
    list_href: String,
    action: String,
    is_new: bool,
    /// Problems that belong to no field.
    problems: Vec<String>,
    url: String,
    url_problem: String,
    events: Vec<EventChoice>,
    events_problem: String,
    fields: String,
    fields_problem: String,
    exclude_fields: String,
    exclude_fields_problem: String,
    authorization: bool,
    secret_problem: String,
    key: String,
}

struct EventChoice {
    word: &'static str,
    is_chosen: bool,
}

/// The values of the form's fields.
struct Typed {
    url: String,
    events: Vec<String>,
    fields: String,
    exclude_fields: String,
    authorization: bool,
}

/// `GET /admin/{aid}/hooks/new`
pub async fn show_new(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManageHooks)?;
    let typed = Typed {
        url: String::new(),
        events: CHOSEN_FIRST.map(|event| event.as_str().to_owned()).to_vec(),
        fields: String::new(),
        exclude_fields: String::new(),
        authorization: false,
    };
    page(&staff, &request, None, typed, Vec::new())
}

/// `POST /admin/{aid}/hooks`: makes a hook, and shows its secret once if it made that too.
pub async fn create(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let parsed = hook_request::parse_new(&body(&form, true));
    let NewHookRequest { url, events, rest } = match judged(state, &form, parsed) {
        Ok(hook) => hook,
        Err(problems) => return refuse(&staff, &request, None, &form, problems),
    };
    let (secret, is_made) = chosen_or_made(state, rest.secret);
    let shown = if is_made { secret.value.clone() } else { String::new() };
    let fields = rest.fields.flatten();
    let exclude_fields = rest.exclude_fields.flatten();
    let settings = HookSettings { url, events, fields, exclude_fields, secret };
    let on_behalf_of = staff.on_behalf_of();
    let command = CreateHook { on_behalf_of, settings, through_seq: None, active: true };
    let key = key_use(&staff, &request, &form);
    let made = run(state, Idempotent { command, key, name: not_shown_again }, create_refused).await;
    let hook_seq = match made {
        Ok(Once::Now(hook_seq)) => hook_seq,
        Ok(Once::Before(_)) => return Ok(see_other(&hooks_href(state, &staff.account_id))),
        Err(error) if error.code == Code::TooManyHooks => {
            let problem = Problem::new("", "too_many_hooks", error.message);
            return refuse(&staff, &request, None, &form, vec![problem]);
        }
        Err(error) => return Err(error.into()),
    };
    let hook = state.store.read(move |reader| reader.load_hook(hook_seq)).await?;
    send_ping(state, staff.on_behalf_of(), &hook).await?;
    state.store.signal.note_hooks_changed();
    match is_made {
        true => {
            let told = Told { secret: shown, ..Told::default() };
            show_told(&staff, &request, hook.id, StatusCode::OK, told).await
        }
        false => Ok(see_other(&hook_href(state, &staff.account_id, &hook.id))),
    }
}

/// `GET /admin/{aid}/hooks/{hid}/edit`
pub async fn show_edit(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManageHooks)?;
    let hook = load_living(&staff, &request).await?;
    let text = |list: &Option<KeptJson>| paths(list.as_ref().map(|list| list.0.as_str()));
    let typed = Typed {
        url: hook.settings.url.clone(),
        events: hook.settings.events.words().into_iter().map(str::to_owned).collect(),
        fields: text(&hook.settings.fields),
        exclude_fields: text(&hook.settings.exclude_fields),
        authorization: false,
    };
    page(&staff, &request, Some(&hook), typed, Vec::new())
}

/// `POST /admin/{aid}/hooks/{hid}/edit`
pub async fn update(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let hook = load_living(&staff, &request).await?;
    let parsed = hook_request::parse_change(&body(&form, false));
    let parsed = judged(state, &form, parsed);
    let HookRequest { url, events, fields, exclude_fields, .. } = match parsed {
        Ok(change) => change,
        Err(problems) => return refuse(&staff, &request, Some(&hook), &form, problems),
    };
    let update = HookUpdate { url, events, fields, exclude_fields, ..HookUpdate::default() };
    let command = ChangeHook {
        on_behalf_of: staff.on_behalf_of(),
        hook_id: hook.id.clone(),
        change: HookChange::Update(update),
    };
    run(state, Idempotent { command, key: None, name: not_shown_again }, change_refused).await?;
    state.store.signal.note_hooks_changed();
    Ok(see_other(&hook_href(state, &staff.account_id, &hook.id)))
}

/// What was parsed, or all problems, those of the address included.
fn judged<T>(
    state: &AppState,
    form: &Form,
    parsed: Result<T, Vec<Problem>>,
) -> Result<T, Vec<Problem>> {
    match (judge_url(state, form.text("url").trim()), parsed) {
        (Ok(()), parsed) => parsed,
        (Err(problems), Ok(_)) => Err(problems),
        (Err(of_url), Err(mut problems)) => {
            problems.extend(of_url);
            Err(problems)
        }
    }
}

/// The secret that was typed; `None` if one is to be made.
pub fn secret_in(form: &Form) -> Option<Tree> {
    let kind = form.text("secret_type");
    let value = form.text("secret");
    let is_wanted = !value.is_empty() || kind == SecretType::Authorization.as_str();
    let kind = if kind.is_empty() { SecretType::HmacSha1.as_str() } else { kind };
    is_wanted.then(|| Tree::object([("type", Tree::text(kind)), ("value", Tree::text(value))]))
}

/// The body that an API client would send.
fn body(form: &Form, is_new: bool) -> Tree {
    let lines = |name: &str| {
        let lines = form.text(name).lines().map(str::trim).filter(|line| !line.is_empty());
        Tree::List(lines.map(Tree::text).collect())
    };
    let mut config = vec![("url".to_owned(), Tree::text(form.text("url").trim()))];
    let secret = secret_in(form).filter(|_| is_new);
    config.extend(secret.map(|secret| ("secret".to_owned(), secret)));
    let events = events_in(form).map(Tree::text).collect();
    Tree::object([
        ("config", Tree::Object(config)),
        ("events", Tree::List(events)),
        ("fields", lines("fields")),
        ("exclude_fields", lines("exclude_fields")),
    ])
}

fn events_in(form: &Form) -> impl Iterator<Item = &str> {
    form.fields().iter().filter(|(name, _)| name == "events").map(|(_, word)| word.as_str())
}

/// The form again, with its problems beside the fields.
fn refuse(
    staff: &Staff,
    request: &HttpRequest,
    hook: Option<&HookRecord>,
    form: &Form,
    problems: Vec<Problem>,
) -> Result<HttpResponse, PageError> {
    let typed = Typed {
        url: form.text("url").to_owned(),
        events: events_in(form).map(str::to_owned).collect(),
        fields: form.text("fields").to_owned(),
        exclude_fields: form.text("exclude_fields").to_owned(),
        authorization: form.text("secret_type") == SecretType::Authorization.as_str(),
    };
    let is_conflict = problems.iter().any(|problem| problem.path.is_empty());
    let mut response = page(staff, request, hook, typed, problems)?;
    *response.status_mut() =
        if is_conflict { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
    Ok(response)
}

fn page(
    staff: &Staff,
    request: &HttpRequest,
    hook: Option<&HookRecord>,
    typed: Typed,
    problems: Vec<Problem>,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let list_href = hooks_href(state, &staff.account_id);
    let action = match hook {
        Some(hook) => format!("{}/edit", hook_href(state, &staff.account_id, &hook.id)),
        None => list_href.clone(),
    };
    let of = |start: &str| {
        let found = problems.iter().find(|one| !start.is_empty() && one.path.starts_with(start));
        found.map(|one| one.message.clone()).unwrap_or_default()
    };
    let choice = |event: HookEvent| EventChoice {
        word: event.as_str(),
        is_chosen: typed.events.iter().any(|word| word == event.as_str()),
    };
    html(&HookForm {
        frame: Frame { here: "hooks", ..Frame::inside(state, staff) },
        list_href,
        action,
        is_new: hook.is_none(),
        problems: problems
            .iter()
            .filter(|problem| problem.path.is_empty())
            .map(|problem| problem.message.clone())
            .collect(),
        url_problem: of("/config/url"),
        events: HookEvent::ALL.map(choice).into(),
        events_problem: match typed.events.is_empty() && !problems.is_empty() {
            true => "Choose at least one event.".to_owned(),
            false => of("/events"),
        },
        fields_problem: of("/fields"),
        exclude_fields_problem: of("/exclude_fields"),
        secret_problem: of("/config/secret"),
        url: typed.url,
        fields: typed.fields,
        exclude_fields: typed.exclude_fields,
        authorization: typed.authorization,
        key: state.randomness.uuid(),
    })
}

/// The hook in the path, unless it was deleted.
async fn load_living(staff: &Staff, request: &HttpRequest) -> Result<HookRecord, PageError> {
    let (account_id, id) = (staff.account_id.clone(), hook_in_path(request));
    let read = state(request)?.store.read(move |reader| find_hook(reader, &account_id, &id));
    let hook = read.await?;
    if hook.deleted.is_some() { Err(PageError::NotFound) } else { Ok(hook) }
}
