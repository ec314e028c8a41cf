//! The buttons on a webhook's page: ping, pause, resume, rotate the secret, delete.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::form::secret_in;
use super::page::{Told, show_told};
use super::shown::{hook_href, hooks_href};
use crate::app::{ChangeHook, HookChange, Idempotent, Once};
use crate::domain::role::Right;
use crate::http::admin::form::Form;
use crate::http::admin::once::key_use;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::see_other;
use crate::http::admin::visitor::Staff;
use crate::http::api::hooks::{
    change_refused, chosen_or_made, find_hook, hook_in_path, not_shown_again, send_ping,
};
use crate::http::error::Code;
use crate::http::reply::run;
use crate::http::state::state;
use crate::json::Tree;
use crate::store::HookRecord;
use crate::wire::hook_request::parse_rotation;

/// A button on the page.
#[derive(Debug, Clone, Copy)]
pub enum Button {
    Pause,
    Resume,
    Delete,
}

/// `POST /admin/{aid}/hooks/{hid}/{pause|resume|delete}`
pub async fn press(
    button: Button,
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let hook_id = hook_in_path(&request);
    let change = match (button, form.text("from")) {
        (Button::Pause, _) => HookChange::Pause,
        (Button::Delete, _) => HookChange::Delete,
        (Button::Resume, "missed") => HookChange::ResumeWithMissed,
        (Button::Resume, "now") => HookChange::ResumeFromNow,
        (Button::Resume, _) => {
            let problem = "Choose whether to send what was missed, or to go on from now.";
            let told = Told { problem: problem.to_owned(), ..Told::default() };
            return show_told(&staff, &request, hook_id, StatusCode::BAD_REQUEST, told).await;
        }
    };
    let state = state(&request)?;
    let on_behalf_of = staff.on_behalf_of();
    let command = ChangeHook { on_behalf_of, hook_id: hook_id.clone(), change };
    run(state, Idempotent { command, key: None, name: not_shown_again }, change_refused).await?;
    state.store.signal.note_hooks_changed();
    Ok(see_other(&match button {
        Button::Delete => hooks_href(state, &staff.account_id),
        Button::Pause | Button::Resume => hook_href(state, &staff.account_id, &hook_id),
    }))
}

/// `POST /admin/{aid}/hooks/{hid}/ping`
pub async fn ping(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let hook = load(&staff, &request).await?;
    match send_ping(state, staff.on_behalf_of(), &hook).await {
        Ok(()) => {
            state.store.signal.note_hooks_changed();
            Ok(see_other(&hook_href(state, &staff.account_id, &hook.id)))
        }
        Err(error) if error.code == Code::HookPaused => {
            let told = Told { problem: error.message, ..Told::default() };
            show_told(&staff, &request, hook.id, StatusCode::CONFLICT, told).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/{aid}/hooks/{hid}/rotate`: shows a secret that it made once. A form that is sent
/// twice rotates once, because the receiver may know only the secret from before.
pub async fn rotate(
    staff: Staff,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, PageError> {
    staff.visitor.expect_own_form(&form)?;
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let hook_id = hook_in_path(&request);
    let sent = secret_in(&form).map(|secret| ("secret".to_owned(), secret));
    let sent = match parse_rotation(&Tree::Object(sent.into_iter().collect())) {
        Ok(sent) => sent,
        Err(problems) => {
            load(&staff, &request).await?;
            let problem = problems.first().map(|one| one.message.clone()).unwrap_or_default();
            let told = Told { problem, ..Told::default() };
            return show_told(&staff, &request, hook_id, StatusCode::BAD_REQUEST, told).await;
        }
    };
    let (secret, is_made) = chosen_or_made(state, sent);
    let shown = if is_made { secret.value.clone() } else { String::new() };
    let command = ChangeHook {
        on_behalf_of: staff.on_behalf_of(),
        hook_id: hook_id.clone(),
        change: HookChange::Rotate(secret),
    };
    let key = key_use(&staff, &request, &form);
    let command = Idempotent { command, key, name: not_shown_again };
    let rotated = run(state, command, change_refused).await?;
    if let Once::Now(_) = rotated {
        state.store.signal.note_hooks_changed();
        if is_made {
            let told = Told { secret: shown, ..Told::default() };
            return show_told(&staff, &request, hook_id, StatusCode::OK, told).await;
        }
    }
    Ok(see_other(&hook_href(state, &staff.account_id, &hook_id)))
}

async fn load(staff: &Staff, request: &HttpRequest) -> Result<HookRecord, PageError> {
    let (account_id, id) = (staff.account_id.clone(), hook_in_path(request));
    let read = state(request)?.store.read(move |reader| find_hook(reader, &account_id, &id));
    Ok(read.await?)
}
