//! Renders webhook subscriptions and their deliveries (docs/contract.md, Decision 10).

use crate::clock::rfc3339;
use crate::domain::delivery::DeliveryState;
use crate::json::{ObjectText, Tree};
use crate::store::{DeliveryRecord, HookRecord, LastTry};

/// The hook's JSON text, with the type of its secret only.
pub fn render(hook: &HookRecord) -> String {
    let kind = Tree::text(hook.settings.secret.kind.as_str());
    render_with(hook, &Tree::object([("type", kind)]))
}

/// The hook's JSON text with its secret, for the one answer that shows a secret that we made.
pub fn render_with_secret(hook: &HookRecord) -> String {
    let secret = &hook.settings.secret;
    let (kind, value) = (Tree::text(secret.kind.as_str()), Tree::text(&secret.value));
    render_with(hook, &Tree::object([("type", kind), ("value", value)]))
}

fn render_with(hook: &HookRecord, secret: &Tree) -> String {
    let settings = &hook.settings;
    let mut config = ObjectText::default();
    config
        .text("url", &settings.url)
        .text("content_type", "application/json")
        .json("secret", &secret.to_string())
        .integer("insecure_ssl", 0);
    let events = settings.events.words().into_iter().map(Tree::text).collect();
    let mut object = ObjectText::default();
    object
        .text("id", &hook.id)
        .text("created_at", &rfc3339(hook.created_at))
        .text("created_by", &hook.created_by.0)
        .text("updated_at", &rfc3339(hook.updated_at))
        .flag("active", hook.paused.is_none() && hook.deleted.is_none())
        .json("config", &config.end())
        .json("events", &Tree::List(events).to_string());
    if let Some(fields) = &settings.fields {
        object.json("fields", &fields.0);
    }
    if let Some(fields) = &settings.exclude_fields {
        object.json("exclude_fields", &fields.0);
    }
    object
        .integer("through_seq", hook.through_seq.0)
        .integer("delivered_count", hook.delivered_count)
        .integer("failed_count", hook.failed_count);
    if let Some((at, because)) = &hook.paused {
        object.text("paused_at", &rfc3339(*at)).text("paused_because", because.as_str());
    }
    if let Some(since) = hook.health.failing_since {
        object.text("failing_since", &rfc3339(since));
    }
    if let Some(previous) = &hook.previous_secret {
        object.text("previous_secret_until", &rfc3339(previous.until));
    }
    if let Some((at, by)) = &hook.deleted {
        object.text("deleted_at", &rfc3339(*at)).text("deleted_by", &by.0);
    }
    object.text("paging_token", &hook.id).end()
}

/// A delivery's JSON text in a list, without the request and the answer.
pub fn render_delivery(delivery: &DeliveryRecord) -> String {
    delivery_text(delivery).end()
}

/// A delivery's JSON text with its request and the beginning of the last answer.
pub fn render_whole_delivery(hook: &HookRecord, delivery: &DeliveryRecord) -> String {
    let mut object = delivery_text(delivery);
    object.text("url", &hook.settings.url);
    let mut request = ObjectText::default();
    let headers = request_headers(delivery).map(|(name, value)| (name, Tree::text(value)));
    request.json("headers", &Tree::object(headers).to_string());
    if let Some(body) = &delivery.body {
        request.json("body", body);
    }
    object.json("request", &request.end());
    if let Some(last) = &delivery.last_try {
        write_try(&mut object, hook, delivery, last);
    }
    object.end()
}

/// The headers of a delivery's request, without those that are made for each try.
pub fn request_headers(delivery: &DeliveryRecord) -> [(&'static str, &str); 4] {
    [
        ("content-type", "application/json"),
        ("event", &delivery.event),
        ("event-delivery", &delivery.id),
        ("webhook-id", &delivery.id),
    ]
}

fn delivery_text(delivery: &DeliveryRecord) -> ObjectText {
    let mut object = ObjectText::default();
    object
        .text("id", &delivery.id)
        .text("event_delivery", &delivery.id)
        .text("event", &delivery.event)
        .text("created_at", &rfc3339(delivery.created_at))
        .text("state", delivery.state.as_str())
        .integer("tries", delivery.tries);
    if let Some(seq) = delivery.seq {
        object.integer("seq", seq.0);
    }
    if let Some(status) = delivery.last_try.as_ref().and_then(|last| last.status) {
        object.integer("status", status);
    }
    if let Some(next_at) = delivery.next_at {
        // A first try is due from the moment that the delivery was made.
        object.text("next_at", &rfc3339(next_at.max(delivery.created_at)));
    }
    object.text("paging_token", &delivery.id);
    object
}

/// Secrets of at least this many bytes are left out of answers that repeat them; shorter ones
/// could be parts of any word.
const SECRET_BYTES_MIN: usize = 6;

/// The stored body of a receiver's answer, without the hook's secrets, which some receivers repeat.
pub fn shown_response(hook: &HookRecord, last: &LastTry) -> String {
    without_secrets(hook, last.response.as_deref().unwrap_or_default(), str::to_owned)
}

/// The stored headers of a receiver's answer, a JSON object, without the hook's secrets.
pub fn shown_response_headers(hook: &HookRecord, last: &LastTry) -> String {
    let escaped = |secret: &str| {
        let quoted = Tree::text(secret).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    without_secrets(hook, last.response_headers.as_deref().unwrap_or("{}"), escaped)
}

fn without_secrets(hook: &HookRecord, answer: &str, written: impl Fn(&str) -> String) -> String {
    let previous = hook.previous_secret.iter().map(|previous| &previous.value);
    let secrets = previous.chain([&hook.settings.secret.value]);
    let known = secrets.filter(|secret| SECRET_BYTES_MIN <= secret.len());
    known.fold(answer.to_owned(), |answer, secret| answer.replace(&written(secret), "(secret)"))
}

fn write_try(
    object: &mut ObjectText,
    hook: &HookRecord,
    delivery: &DeliveryRecord,
    last: &LastTry,
) {
    if last.status.is_some() {
        let mut response = ObjectText::default();
        response.json("headers", &shown_response_headers(hook, last));
        response.text("body", &shown_response(hook, last));
        object.json("response", &response.end());
    }
    let mut details = ObjectText::default();
    details
        .text("delivery_at", &rfc3339(last.at))
        .integer("delivery_duration", last.duration_ms)
        .flag("delivery_success", delivery.state == DeliveryState::Delivered);
    if let Some(error) = &last.error {
        details.text("error", error);
    }
    object.json("details", &details.end());
}
