//! Webhook subscriptions (docs/contract.md, Decision 10).

use actix_web::{HttpRequest, HttpResponse};

use crate::app::{
    ChangeHook, ChangeHookRefused, CreateHook, CreateHookRefused, HookChange, HookUpdate,
    OnBehalfOf, PingHook, PingRefused,
};
use crate::auth::access::Actor;
use crate::domain::hook::{HOOKS_MAX, HookSecret, SecretType};
use crate::domain::ids::{AccountId, HookSeq};
use crate::http::edge::body::BODY_BYTES_MAX;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{HooksReader, HooksWriter, Sent, on_behalf_of, path_segment};
use crate::http::reply::{ok_json, read, read_page};
use crate::http::state::{AppState, state};
use crate::json::list_text;
use crate::outbound::Refusal;
use crate::store::{AnswerName, HookQuery, HookRecord, HookSettings, Reader};
use crate::wire::hook_request::{self, ResumeFrom};
use crate::wire::hook_signature::new_secret;
use crate::wire::list_query::unknown_paging_token;
use crate::wire::problem::Problem;
use crate::wire::{hook_body, hook_list_query, hook_view};

/// `POST /hooks/subscriptions`: makes a hook and sends it a ping, without waiting for that.
pub async fn create(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let hook = hook_request::parse_new(&sent.body)?;
    judge_url(state, &hook.url)?;
    let (secret, is_made) = chosen_or_made(state, hook.rest.secret);
    let command = CreateHook {
        on_behalf_of: on_behalf_of(&actor),
        settings: HookSettings {
            url: hook.url,
            events: hook.events,
            fields: hook.rest.fields.flatten(),
            exclude_fields: hook.rest.exclude_fields.flatten(),
            secret,
        },
        through_seq: hook.rest.through_seq,
        active: hook.rest.active.unwrap_or(true),
    };
    let written = state.store.writer.write(command).await;
    let hook_seq = written.map_err(|error| ApiError::from_write(error, create_refused))?;
    let hook = load(state, hook_seq).await?;
    if hook.paused.is_none() {
        send_ping(state, on_behalf_of(&actor), &hook).await?;
    }
    state.store.signal.note_hooks_changed();
    Ok(ok_json(shown(&hook, is_made)))
}

/// `GET /hooks/subscriptions`: a page of hooks, newest first, as a bare array.
pub async fn list(
    HooksReader(actor): HooksReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let asked = hook_list_query::hook_list(request.query_string())?;
    let account_id = actor.account_id.clone();
    read_page(state(&request)?, &actor, move |reader| {
        let starting_after = match &asked.starting_after {
            Some(id) => {
                let found = reader.find_hook(&account_id, id)?;
                Some(found.ok_or_else(unknown_paging_token)?.hook_seq)
            }
            None => None,
        };
        let (include_deleted, limit) = (asked.include_deleted, asked.limit);
        let query = HookQuery { include_deleted, limit, starting_after };
        let hooks = reader.list_hooks(&account_id, &query)?;
        let total = asked.total.then(|| reader.count_hooks(&account_id, include_deleted));
        let texts: Vec<String> = hooks.iter().map(hook_view::render).collect();
        Ok((list_text(&texts), total.transpose()?))
    })
    .await
}

/// `GET /hooks/subscriptions/{hid}`: one hook, also if it was deleted.
pub async fn show(
    HooksReader(actor): HooksReader,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (account_id, id) = (actor.account_id.clone(), hook_in_path(&request));
    let render =
        move |reader: &Reader<'_>| Ok(hook_view::render(&find_hook(reader, &account_id, &id)?));
    read(state(&request)?, &actor, render).await
}

/// `PUT /hooks/subscriptions/{hid}`: changes the fields that were sent.
pub async fn update(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let asked = hook_request::parse_change(&sent.body)?;
    if let Some(url) = &asked.url {
        judge_url(state(&request)?, url)?;
    }
    let update = HookUpdate {
        url: asked.url,
        events: asked.events,
        fields: asked.fields,
        exclude_fields: asked.exclude_fields,
        secret: asked.secret,
        active: asked.active,
    };
    change(&actor, &request, HookChange::Update(update)).await
}

/// `DELETE /hooks/subscriptions/{hid}`: marks it as deleted; answers with the hook.
pub async fn delete(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, HookChange::Delete).await
}

/// `POST /hooks/subscriptions/{hid}/pause`
pub async fn pause(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    change(&actor, &request, HookChange::Pause).await
}

/// `POST /hooks/subscriptions/{hid}/resume`
pub async fn resume(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let resumed = match hook_request::parse_resume(&sent.body)? {
        ResumeFrom::Missed => HookChange::ResumeWithMissed,
        ResumeFrom::Now => HookChange::ResumeFromNow,
    };
    change(&actor, &request, resumed).await
}

/// `POST /hooks/subscriptions/{hid}/rotate`: gives it another secret. One that we make is shown in
/// this answer only.
pub async fn rotate(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    let state = state(&request)?;
    let (secret, is_made) = chosen_or_made(state, hook_request::parse_rotation(&sent.body)?);
    let hook = written(state, &actor, &request, HookChange::Rotate(secret)).await?;
    Ok(ok_json(shown(&hook, is_made)))
}

/// `POST /hooks/subscriptions/{hid}/ping`: sends the hook itself to its URL, once.
pub async fn ping(
    HooksWriter(actor): HooksWriter,
    request: HttpRequest,
    sent: Sent<BODY_BYTES_MAX>,
) -> Result<HttpResponse, ApiError> {
    sent.expect_object()?;
    let state = state(&request)?;
    let (account_id, id) = (actor.account_id.clone(), hook_in_path(&request));
    let find = move |reader: &Reader<'_>| find_hook(reader, &account_id, &id);
    let hook = state.store.read(find).await?;
    send_ping(state, on_behalf_of(&actor), &hook).await?;
    state.store.signal.note_hooks_changed();
    Ok(HttpResponse::NoContent().finish())
}

/// The id of the hook in the path.
pub fn hook_in_path(request: &HttpRequest) -> String {
    path_segment(request, "hid").unwrap_or_default()
}

/// The hook of an id, or a 404.
pub fn find_hook(
    reader: &Reader<'_>,
    account_id: &AccountId,
    id: &str,
) -> Result<HookRecord, ApiError> {
    let found = reader.find_hook(account_id, id)?;
    found.ok_or_else(|| ApiError::not_found("hook"))
}

async fn change(
    actor: &Actor,
    request: &HttpRequest,
    change: HookChange,
) -> Result<HttpResponse, ApiError> {
    let hook = written(state(request)?, actor, request, change).await?;
    Ok(ok_json(hook_view::render(&hook)))
}

async fn written(
    state: &AppState,
    actor: &Actor,
    request: &HttpRequest,
    change: HookChange,
) -> Result<HookRecord, ApiError> {
    let hook_id = hook_in_path(request);
    let command = ChangeHook { on_behalf_of: on_behalf_of(actor), hook_id, change };
    let written = state.store.writer.write(command).await;
    let hook_seq = written.map_err(|error| ApiError::from_write(error, change_refused))?;
    state.store.signal.note_hooks_changed();
    load(state, hook_seq).await
}

/// Sends a hook a ping.
pub async fn send_ping(
    state: &AppState,
    on_behalf_of: OnBehalfOf,
    hook: &HookRecord,
) -> Result<(), ApiError> {
    let command = PingHook {
        on_behalf_of,
        hook_id: hook.id.clone(),
        body: hook_body::ping_body(hook_view::render(hook)),
    };
    let pinged = state.store.writer.write(command).await;
    pinged.map_err(|error| {
        ApiError::from_write(error, |why| match why {
            PingRefused::HookNotFound => ApiError::not_found("hook"),
            PingRefused::HookPaused => ApiError::new(
                Code::HookPaused,
                "This hook is paused, so nothing is sent to it. Resume it first.",
            ),
        })
    })
}

async fn load(state: &AppState, hook_seq: HookSeq) -> Result<HookRecord, ApiError> {
    Ok(state.store.read(move |reader| reader.load_hook(hook_seq)).await?)
}

/// The secret that was sent, or a new one, and whether we made it.
pub fn chosen_or_made(state: &AppState, sent: Option<HookSecret>) -> (HookSecret, bool) {
    let is_made = sent.is_none();
    let made =
        || HookSecret { kind: SecretType::HmacSha1, value: new_secret(&state.randomness.bytes()) };
    (sent.unwrap_or_else(made), is_made)
}

/// The hook's JSON text, with its secret if we made that just now.
fn shown(hook: &HookRecord, is_made: bool) -> String {
    if is_made { hook_view::render_with_secret(hook) } else { hook_view::render(hook) }
}

/// Refuses a hook's URL to which nothing would ever be sent.
pub fn judge_url(state: &AppState, url: &str) -> Result<(), Vec<Problem>> {
    judge_url_at(state, "/config/url", url)
}

/// Refuses a URL to which nothing would ever be sent; `path` names it in the request.
pub fn judge_url_at(state: &AppState, path: &str, url: &str) -> Result<(), Vec<Problem>> {
    let judged = state.webhook_guard.judge_url(url);
    judged.map(drop).map_err(|why| {
        let code = match why {
            Refusal::NotAUrl | Refusal::Credentials => "bad_value",
            Refusal::NotHttps(_) | Refusal::Private(_) => "not_allowed",
        };
        vec![Problem::new(path, code, sentence(&why.to_string()))]
    })
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

/// Names the answer of a form that made or changed a hook: a secret is not shown again.
pub fn not_shown_again(_: &HookSeq) -> AnswerName {
    AnswerName::Text("{}".to_owned())
}

/// Explains why a hook was not changed.
pub fn change_refused(ChangeHookRefused::HookNotFound: ChangeHookRefused) -> ApiError {
    ApiError::not_found("hook")
}

/// Explains why a hook was not made.
pub fn create_refused(why: CreateHookRefused) -> ApiError {
    match why {
        CreateHookRefused::TooManyHooks => ApiError::new(
            Code::TooManyHooks,
            format!(
                "This account already has {HOOKS_MAX} hooks, the most allowed. Delete one first."
            ),
        ),
        CreateHookRefused::NoSuchEvent => ApiError::invalid(vec![Problem::new(
            "/through_seq",
            "bad_value",
            "No event has this seq yet. Leave it out to start with the next event.",
        )]),
    }
}
