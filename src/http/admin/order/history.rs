//! An order's history, newest first.

use super::cards::why;
use super::read::OrderRead;
use super::sections::{Section, Whole};
use crate::clock::rfc3339;
use crate::domain::KeptJson;
use crate::domain::event::EventState;
use crate::domain::operation::Operation;
use crate::http::admin::words;
use crate::json::{self, Tree};
use crate::store::{ApiEvent, EventBody, EventRecord, ServiceEvent};
use crate::wire::event_view;
use crate::wire::links::Links;

/// Bytes of the JSON of one event, and of all of them on the page.
const EVENT_RAW_BYTES_MAX: usize = 4 << 10;
const RAW_BYTES_MAX: usize = 28 << 10;

/// Characters of a comment or a description, unless the events are shown in full.
const SAID_CHARS_MAX: usize = 400;

/// Names of changed fields that a row lists.
const FIELDS_MAX: usize = 6;

/// An event in the history.
pub struct EventRow {
    pub at: String,
    pub when: String,
    pub what: String,
    pub by: String,
    /// The text of a comment, the description of a service's step, or why an operation gave money
    /// back; empty for other events.
    pub said: String,
    /// The address that deletes the comment; empty without a comment, or when the role may not.
    pub delete_href: String,
    /// The event's JSON; empty when it is too long for the page.
    pub raw: String,
}

/// Options of the rows.
pub struct EventOptions<'a> {
    pub links: &'a Links,
    pub whole: &'a Whole,
    pub self_href: &'a str,
    pub may_comment: bool,
}

/// One row per event. The newest have their JSON, until `RAW_BYTES_MAX` is used up.
pub fn event_rows(read: &OrderRead, options: &EventOptions<'_>) -> Vec<EventRow> {
    let newest = read.order.events.iter().rev().take(options.whole.shown_max(Section::Events));
    let mut bytes_left = RAW_BYTES_MAX;
    newest.map(|event| event_row(read, options, event, &mut bytes_left)).collect()
}

fn event_row(
    read: &OrderRead,
    options: &EventOptions<'_>,
    event: &EventRecord,
    bytes_left: &mut usize,
) -> EventRow {
    let comment = read.order.comments.iter().find(|comment| comment.event_seq == event.seq);
    let (what, said) = match &event.body {
        EventBody::Operation(operation) => (operation_words(read, operation), why(read, operation)),
        EventBody::Service(step) => (step_words(step), member(step.body.as_ref(), "description")),
        EventBody::Api(api) => {
            let said = member(comment.map(|comment| &comment.document), "comment");
            (change_words(api, event.version, comment.is_some()), said)
        }
    };
    let deletable = comment.filter(|_| options.may_comment);
    let whole = options.whole.has(Section::Events);
    EventRow {
        at: rfc3339(event.created_at),
        when: read.local(event.created_at),
        what,
        by: read.name_of(&event.created_by),
        said: words::cut(&said, if whole { usize::MAX } else { SAID_CHARS_MAX }),
        delete_href: deletable.map_or_else(String::new, |comment| {
            format!("{}/comments/{}/delete", options.self_href, comment.id)
        }),
        raw: raw(event_view::render(options.links, (&read.order).into(), event), bytes_left),
    }
}

fn operation_words(read: &OrderRead, operation: &Operation) -> String {
    let amount = words::of_money(&read.order.currency, operation.amount.minor_units().into());
    let kind = words::operation(operation.kind);
    let refused = if operation.success { "" } else { " refused by the gateway" };
    format!("{kind}{amount}{refused}")
}

fn step_words(step: &ServiceEvent) -> String {
    let went = match step.state {
        EventState::Success => "",
        EventState::Pending => " (not done yet)",
        EventState::Failure | EventState::Error => " (failed)",
    };
    let short = |text: &str| words::cut(&text.replace('_', " "), 80);
    format!("{}: {}{went}", short(&step.service), short(&step.service_status))
}

/// A short name for a change. An order's id may be the word `open`, so the path is not enough: the
/// method is matched too.
fn change_words(api: &ApiEvent, version: i64, is_comment: bool) -> String {
    let mut segments = api.path.trim_end_matches('/').rsplit('/');
    let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let before_that = segments.next().unwrap_or_default();
    match (api.method.as_str(), last) {
        _ if is_comment => "Comment".to_owned(),
        _ if api.draft_id.is_some() && version == 1 => "Order created".to_owned(),
        _ if api.draft_id.is_some() => "Lines changed by a draft".to_owned(),
        ("PUT", _) => changed_fields(api),
        ("DELETE", _) if before == "comments" => "Comment deleted".to_owned(),
        ("POST", "delete") if before_that == "comments" => "Comment deleted".to_owned(),
        ("POST", "comments") => "Comment, since deleted".to_owned(),
        ("POST", "open") => "Opened again".to_owned(),
        ("POST", "close") => "Closed".to_owned(),
        ("POST", "cancel") => "Cancelled".to_owned(),
        _ => "Changed".to_owned(),
    }
}

/// "Changed", with the names of the fields that the request sent.
fn changed_fields(api: &ApiEvent) -> String {
    let body = api.body.as_ref().and_then(|body| json::parse(body.0.as_bytes()).ok());
    let Some(Tree::Object(members)) = body else { return "Changed".to_owned() };
    let word = |(key, _): &(String, Tree)| words::cut(&key.replace('_', " "), 40);
    let mut fields: Vec<String> = members.iter().take(FIELDS_MAX).map(word).collect();
    let left = words::count_left(members.len().saturating_sub(FIELDS_MAX));
    fields.extend((!left.is_empty()).then_some(left));
    if fields.is_empty() { "Changed".to_owned() } else { format!("Changed: {}", fields.join(", ")) }
}

/// A text member of a document; empty when it is missing.
fn member(document: Option<&KeptJson>, key: &str) -> String {
    let tree = document.and_then(|document| json::parse(document.0.as_bytes()).ok());
    let text = tree.as_ref().and_then(|tree| tree.member(key)).and_then(Tree::as_text);
    text.unwrap_or_default().to_owned()
}

/// The JSON if there are bytes left for it; otherwise empty. A quote takes five bytes on the page:
/// it is escaped as `&#34;`.
fn raw(text: String, bytes_left: &mut usize) -> String {
    let bytes = text.len() + 4 * text.matches('"').count();
    if EVENT_RAW_BYTES_MAX < text.len() || *bytes_left < bytes {
        return String::new();
    }
    *bytes_left -= bytes;
    text
}
