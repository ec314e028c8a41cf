//! The payment sessions on an order's page.

use super::read::OrderRead;
use super::sections::{Section, Whole};
use crate::clock::rfc3339;
use crate::domain::callback::CallbackState;
use crate::domain::order_session::SessionStatus;
use crate::domain::role::Right;
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::store::{OrderSessionRecord, SessionCallback};
use crate::wire::links::Links;
use crate::wire::session_view::checkout_url;

/// A session in the list.
pub struct SessionRow {
    pub created_at: String,
    pub created: String,
    pub by: String,
    pub amount: String,
    /// The API's word.
    pub status: &'static str,
    pub status_words: &'static str,
    /// When it expires, was put on hold or ended.
    pub until: String,
    /// How far the call of its `callback_url` is; empty if there is none.
    pub callback: String,
    /// The operation that completed it; empty if there is none.
    pub operation: String,
    /// The address of that operation's card.
    pub operation_href: String,
    /// The payer's page; empty once the session has ended, or for a role that may not record
    /// payments.
    pub pay_href: String,
    /// The address that cancels it; empty when it cannot be cancelled.
    pub cancel_href: String,
}

/// The newest sessions, newest first; all of them, if the address asks for that.
pub fn session_rows(
    read: &OrderRead,
    staff: &Staff,
    links: &Links,
    whole: &Whole,
    self_href: &str,
) -> Vec<SessionRow> {
    let may_pay = staff.visitor.role.may(Right::ManagePayments);
    let newest = read.sessions.iter().rev().take(whole.shown_max(Section::Sessions));
    let row = |session: &OrderSessionRecord| {
        let is_open = session.status == SessionStatus::Open;
        let if_open = |href: String| if is_open && may_pay { href } else { String::new() };
        let id = session.id.as_str();
        let transaction = session.transaction.as_ref();
        SessionRow {
            created_at: rfc3339(session.created_at),
            created: read.local(session.created_at),
            by: read.name_of(&session.created_by),
            amount: words::money(&read.order.currency, session.amount.minor_units().into()),
            status: session.status.as_str(),
            status_words: status_words(session),
            until: until(read, session),
            callback: read.callbacks.get(&session.session_seq).map(callback).unwrap_or_default(),
            operation: transaction
                .map(|of| format!("{} {}", words::operation(of.kind), of.id.as_str()))
                .unwrap_or_default(),
            operation_href: transaction
                .map(|of| format!("{self_href}#operation-{}", of.id.as_str()))
                .unwrap_or_default(),
            pay_href: if_open(checkout_url(links, session)),
            cancel_href: if_open(format!("{self_href}/sessions/{id}/cancel")),
        }
    };
    newest.map(row).collect()
}

fn status_words(session: &OrderSessionRecord) -> &'static str {
    match session.status {
        SessionStatus::Open if session.held_at.is_some() => "On hold",
        SessionStatus::Open => "Open",
        SessionStatus::Completed => "Completed",
        SessionStatus::Failed => "Declined",
        SessionStatus::Cancelled => "Cancelled",
        SessionStatus::Expired => "Expired",
    }
}

fn until(read: &OrderRead, session: &OrderSessionRecord) -> String {
    match session.ended_at {
        Some(at) => format!("ended {}", read.local(at)),
        None => format!("expires {}", read.local(session.expires_at)),
    }
}

fn callback(callback: &SessionCallback) -> String {
    let tries = match callback.tries {
        0 => return "callback not tried yet".to_owned(),
        1 => "1 try".to_owned(),
        tries => format!("{tries} tries"),
    };
    let why = callback.error.as_deref().unwrap_or_default();
    match callback.state {
        CallbackState::Delivered => format!("callback answered after {tries}"),
        CallbackState::Waiting => format!("callback is tried again after {tries}: {why}"),
        CallbackState::Failed => format!("callback failed after {tries}: {why}"),
    }
}
