//! The list of an account's webhooks.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown::{counted, hook_href, hook_state, hooks_href, paused_because};
use crate::domain::hook::HOOKS_MAX;
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::html;
use crate::http::admin::visitor::Staff;
use crate::http::state::{AppState, state};
use crate::store::{Counted, HookQuery, HookRecord, StoreError};

/// The most waiting deliveries that are counted for one hook.
pub const WAITING_MAX: u32 = 1_000;

#[derive(Template)]
#[template(path = "hook/list.html")]
struct HookList {
    frame: Frame,
    new_href: String,
    rows: Vec<Row>,
    /// True if the account may have no more hooks.
    is_full: bool,
    hooks_max: u32,
}

struct Row {
    href: String,
    url: String,
    events: Vec<&'static str>,
    state: &'static str,
    state_words: &'static str,
    /// Why it is paused; empty while it is active.
    why: &'static str,
    waiting: String,
    delivered: i64,
    failed: i64,
}

/// `GET /admin/{aid}/hooks`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    staff.expect_right(Right::ManageHooks)?;
    let state = state(&request)?;
    let account_id = staff.account_id.clone();
    let read = state.store.read(move |reader| {
        let query = HookQuery { include_deleted: false, limit: HOOKS_MAX, starting_after: None };
        let hooks = reader.list_hooks(&account_id, &query)?;
        let waiting: Result<Vec<Counted>, StoreError> =
            hooks.iter().map(|hook| reader.count_waiting(hook.hook_seq, WAITING_MAX)).collect();
        let is_full = i64::from(HOOKS_MAX) <= reader.count_hooks(&account_id, false)?;
        Ok::<_, StoreError>((hooks, waiting?, is_full))
    });
    let (hooks, waiting, is_full) = read.await?;
    let rows = hooks.iter().zip(waiting);
    html(&HookList {
        rows: rows.map(|(hook, waiting)| row(state, &staff, hook, waiting)).collect(),
        frame: Frame { here: "hooks", ..Frame::inside(state, &staff) },
        new_href: format!("{}/new", hooks_href(state, &staff.account_id)),
        is_full,
        hooks_max: HOOKS_MAX,
    })
}

fn row(state: &AppState, staff: &Staff, hook: &HookRecord, waiting: Counted) -> Row {
    let (class, words) = hook_state(hook);
    Row {
        href: hook_href(state, &staff.account_id, &hook.id),
        url: hook.settings.url.clone(),
        events: hook.settings.events.words(),
        state: class,
        state_words: words,
        why: hook.paused.map_or("", |(_, why)| paused_because(why)),
        waiting: counted(waiting),
        delivered: hook.delivered_count,
        failed: hook.failed_count,
    }
}
