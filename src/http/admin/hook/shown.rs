//! Addresses and words of webhooks.

use crate::domain::delivery::DeliveryState;
use crate::domain::hook::PausedBecause;
use crate::domain::ids::AccountId;
use crate::http::admin::reply::escaped_segment;
use crate::http::state::AppState;
use crate::json::{self, Tree};
use crate::store::{Counted, DeliveryRecord, HookRecord};

/// The address of an account's list of hooks.
pub fn hooks_href(state: &AppState, account_id: &AccountId) -> String {
    format!("{}/admin/{account_id}/hooks", state.links.base_path())
}

/// The address of a hook's page.
pub fn hook_href(state: &AppState, account_id: &AccountId, hook_id: &str) -> String {
    format!("{}/{}", hooks_href(state, account_id), escaped_segment(hook_id))
}

/// The state of a hook: the class of its dot, and the word.
pub fn hook_state(hook: &HookRecord) -> (&'static str, &'static str) {
    match (&hook.deleted, &hook.paused) {
        (Some(_), _) => ("deleted", "Deleted"),
        (None, Some(_)) => ("paused", "Paused"),
        (None, None) => ("active", "Active"),
    }
}

/// Why a hook is paused, as the end of a sentence.
pub fn paused_because(why: PausedBecause) -> &'static str {
    match why {
        PausedBecause::Request => "somebody paused it",
        PausedBecause::Gone => "its receiver answered 410 Gone",
        PausedBecause::Failing => "nothing was delivered for 75 hours",
    }
}

pub fn delivery_state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "Waiting",
        DeliveryState::Delivered => "Delivered",
        DeliveryState::Failed => "Given up",
        DeliveryState::Skipped => "Skipped",
    }
}

/// How the last try ended: the status and the duration, or why there was no answer; empty before
/// the first try.
pub fn outcome(delivery: &DeliveryRecord) -> String {
    let Some(last) = &delivery.last_try else { return String::new() };
    let took = format!("{} ms", last.duration_ms);
    match (last.status, &last.error) {
        (Some(status), _) => format!("{status}, {took}"),
        (None, Some(error)) => format!("{error}, {took}"),
        (None, None) => took,
    }
}

/// A number that was counted up to a limit.
pub fn counted(counted: Counted) -> String {
    match (counted.is_all, counted.count) {
        (true, count) => count.to_string(),
        (false, 0) => "an unknown number".to_owned(),
        (false, count) => format!("over {count}"),
    }
}

/// The paths in a JSON array, one per line.
pub fn paths(list: Option<&str>) -> String {
    let list = list.and_then(|text| json::parse(text.as_bytes()).ok()).unwrap_or(Tree::Null);
    let paths: Vec<&str> = list.elements().iter().filter_map(Tree::as_text).collect();
    paths.join("\n")
}
