//! The page of an order: its money, lines, operations and history.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::actions::{Action, OperationAction, actions, operation_actions};
use super::cards::{OperationCard, operation_cards};
use super::curl::{Command, commands};
use super::figures::{Bar, Figure, LineRow, bar, figures, line_rows};
use super::history::{EventOptions, EventRow, event_rows};
use super::order_sessions::{SessionRow, session_rows};
use super::people::{Person, people_and_delivery};
use super::read::{OrderRead, load};
use super::recorded::{Recorded, recorded};
use super::sections::{More, Section, Whole};
use crate::domain::operation::OperationKind;
use crate::domain::role::Right;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{large_html, order_href, orders_href, query_value};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::extract::order_in_path;
use crate::http::state::state;
use crate::wire::receipt_view::has_receipt;

#[derive(Template)]
#[template(path = "order/page.html")]
struct OrderPage {
    frame: Frame,
    order_id: String,
    list_href: String,
    self_href: String,
    problem: String,
    status: &'static str,
    status_words: &'static str,
    payment_status: &'static str,
    payment_words: &'static str,
    created: String,
    created_by: String,
    /// True once a capture has succeeded (docs/contract.md, Decision 14).
    has_receipt: bool,
    /// When the order expires; empty if never, or if it has expired.
    expires: String,
    /// By how much the captures exceed the reservations; empty if they do not.
    over_captured: String,
    /// When and why the order was closed or cancelled, and who did it; empty while it is open.
    ended: String,
    figures: Vec<Figure>,
    bar: Bar,
    people: Vec<Person>,
    lines: Vec<LineRow>,
    more_lines: Option<More>,
    operations: Vec<OperationCard>,
    more_operations: Option<More>,
    sessions: Vec<SessionRow>,
    more_sessions: Option<More>,
    recorded: Option<Recorded>,
    operation_actions: Vec<OperationAction>,
    actions: Vec<Action>,
    may_comment: bool,
    /// The key that keeps a comment that is sent twice from being added twice.
    comment_key: String,
    /// The comment of a refused form.
    comment: String,
    events: Vec<EventRow>,
    more_events: Option<More>,
    /// The API's address of the events.
    events_url: String,
    commands: Vec<Command>,
    commands_open: bool,
}

/// `GET /admin/{aid}/orders/{order_id}`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    page(&staff, &request, Refused { problem: "", comment: "" }).await
}

/// A form on the page that was refused.
pub struct Refused<'a> {
    /// Why the form was refused, as a sentence; empty if no form was sent.
    pub problem: &'a str,
    /// The comment that was typed.
    pub comment: &'a str,
}

/// The page with a problem at the top, for a form on it that was refused.
pub async fn show_problem(
    staff: &Staff,
    request: &HttpRequest,
    status: StatusCode,
    problem: &str,
) -> Result<HttpResponse, PageError> {
    show_refused(staff, request, status, Refused { problem, comment: "" }).await
}

/// The page with a problem at the top, and the typed comment in its field.
pub async fn show_refused(
    staff: &Staff,
    request: &HttpRequest,
    status: StatusCode,
    refused: Refused<'_>,
) -> Result<HttpResponse, PageError> {
    let mut response = page(staff, request, refused).await?;
    *response.status_mut() = status;
    Ok(response)
}

async fn page(
    staff: &Staff,
    request: &HttpRequest,
    refused: Refused<'_>,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let (account_id, name) = (staff.account_id.clone(), order_in_path(request)?);
    state.answers.expect_room(&staff.visitor.user_id)?;
    let _turn = state.answers.page_turn(&staff.account_id).await?;
    let read = state.store.read(move |reader| load(reader, &account_id, &name));
    let read = read.await?.ok_or(PageError::NotFound)?;
    let frame = Frame { demo: read.demo, ..Frame::inside(state, staff) };
    let order = &read.order;
    let list_href = orders_href(state, &staff.account_id);
    let self_href = order_href(state, &staff.account_id, &order.order_id);
    let whole = Whole::asked(request);
    let operations = order.events.iter().filter(|event| event.operation().is_some()).count();
    let may_comment = staff.visitor.role.may(Right::Comment);
    let options =
        EventOptions { links: &state.links, whole: &whole, self_href: &self_href, may_comment };
    let events = event_rows(&read, &options);
    let more = |section, count| whole.more(section, count, &self_href);
    let page = OrderPage {
        more_lines: more(Section::Lines, order.items.len()),
        more_operations: more(Section::Operations, operations),
        more_sessions: more(Section::Sessions, read.sessions.len()),
        sessions: session_rows(&read, staff, &state.links, &whole, &self_href),
        more_events: more(Section::Events, order.events.len()),
        events_url: state.links.events(&order.account_id, &order.order_id),
        commands: commands(order, &state.links, &whole, &self_href),
        commands_open: whole.has(Section::Commands),
        operation_actions: operation_actions(state, order, staff, &self_href),
        recorded: recorded(&read, staff, &query_value(request, "recorded"), &self_href),
        self_href,
        list_href,
        frame,
        order_id: order.order_id.as_str().to_owned(),
        problem: refused.problem.to_owned(),
        comment: refused.comment.to_owned(),
        status: order.ledger.status.as_str(),
        status_words: words::status_with_release(&order.ledger),
        payment_status: order.payment_status.as_str(),
        payment_words: words::payment_status(&order.ledger, order.payment_status),
        created: read.local(order.created_at),
        created_by: read.name_of(&order.created_by),
        has_receipt: has_receipt(order.operations_of(OperationKind::Capture)),
        expires: order
            .expires_at
            .filter(|at| state.clock.now() < *at)
            .map_or_else(String::new, |at| read.local(at)),
        over_captured: words::over_captured(&order.currency, &order.ledger),
        ended: ended(&read),
        figures: figures(order),
        bar: bar(order),
        people: people_and_delivery(&read),
        lines: line_rows(&read, &whole),
        operations: operation_cards(&read, &whole),
        actions: actions(order, staff),
        may_comment,
        comment_key: state.randomness.uuid(),
        events,
    };
    large_html(state, staff, &page)
}

/// A sentence on how the order was closed or cancelled; empty while it is open.
fn ended(read: &OrderRead) -> String {
    if let Some(cancelled) = &read.order.cancelled {
        let (at, by) = (read.local(cancelled.at), read.name_of(&cancelled.by));
        let reason = words::cancelled_reason(cancelled.reason);
        let held = words::held(&read.order.currency, &read.order.ledger);
        let held = match read.order.ledger.holds() {
            true => format!(" {held} is still reserved, until its release is recorded."),
            false => String::new(),
        };
        return format!("Cancelled {at} by {by}: {reason}.{held}");
    }
    if let Some((at, by)) = &read.order.closed {
        return format!("Closed {} by {}.", read.local(*at), read.name_of(by));
    }
    String::new()
}
