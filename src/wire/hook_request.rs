//! Parses webhook subscriptions and requests to send deliveries again
//! (docs/contract.md, Decision 10).

use super::hook_signature::signing_key;
use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::clock::parse_rfc3339;
use crate::domain::hook::{
    HookEvent, HookEvents, HookSecret, SECRET_CHARS_MAX, SecretType, URL_CHARS_MAX,
};
use crate::domain::ids::EventSeq;
use crate::domain::{KeptJson, Timestamp};
use crate::json::Tree;
use crate::store::ReplayRange;

/// The most paths in `fields` or `exclude_fields`, and the most characters of each.
const PATHS_MAX: usize = 100;
const PATH_CHARS_MAX: usize = 200;

/// The most elements of `events` in a request.
const EVENTS_MAX: usize = 100;

const TEXT: Shape = Shape::Text;

const CONFIG: Shape = Shape::Object(&[
    required("url", Shape::Text),
    optional("content_type", Shape::OneOf(&["application/json"])),
    optional("secret", Shape::Any),
    optional("insecure_ssl", Shape::Integer),
]);

const HOOK: Shape = Shape::Object(&[
    required("config", CONFIG),
    required("events", Shape::List(&TEXT, EVENTS_MAX)),
    optional("active", Shape::Flag),
    optional("fields", Shape::List(&TEXT, PATHS_MAX)),
    optional("exclude_fields", Shape::List(&TEXT, PATHS_MAX)),
    optional("through_seq", Shape::Integer),
]);

/// The fields of a change of a hook: those of a new hook, all of them optional.
const HOOK_PART: Shape = Shape::Object(&[
    optional("config", CONFIG.part()),
    optional("events", Shape::List(&TEXT, EVENTS_MAX)),
    optional("active", Shape::Flag),
    optional("fields", Shape::List(&TEXT, PATHS_MAX)),
    optional("exclude_fields", Shape::List(&TEXT, PATHS_MAX)),
]);

/// The fields of a hook that were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookRequest {
    pub url: Option<String>,
    pub events: Option<HookEvents>,
    /// The inner `None` removes the paths: an empty list was sent.
    pub fields: Option<Option<KeptJson>>,
    pub exclude_fields: Option<Option<KeptJson>>,
    pub secret: Option<HookSecret>,
    pub active: Option<bool>,
    /// The event after which a new hook starts.
    pub through_seq: Option<EventSeq>,
}

/// A new hook: its URL and events were sent.
#[derive(Debug, Clone)]
pub struct NewHookRequest {
    pub url: String,
    pub events: HookEvents,
    pub rest: HookRequest,
}

/// How a paused hook goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeFrom {
    /// It gets everything that it has missed.
    Missed,
    /// It gets only later events.
    Now,
}

/// Parses a new hook, or reports everything that is wrong with the body.
pub fn parse_new(body: &Tree) -> Result<NewHookRequest, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), HOOK, "", &mut problems);
    let mut rest = read(&kept, &mut problems);
    match (rest.url.take(), rest.events.take()) {
        (Some(url), Some(events)) if problems.is_empty() => {
            Ok(NewHookRequest { url, events, rest })
        }
        _ => Err(problems),
    }
}

/// Parses a change of a hook.
pub fn parse_change(body: &Tree) -> Result<HookRequest, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), HOOK_PART, "", &mut problems);
    let request = read(&kept, &mut problems);
    if problems.is_empty() { Ok(request) } else { Err(problems) }
}

/// Parses the body of a rotation: the new secret, if it was sent.
pub fn parse_rotation(body: &Tree) -> Result<Option<HookSecret>, Vec<Problem>> {
    const ROTATION: Shape = Shape::Object(&[optional("secret", Shape::Any)]);
    let mut problems = Vec::new();
    let kept = clean(body.clone(), ROTATION, "", &mut problems);
    let sent = kept.member("secret");
    let secret = sent.and_then(|sent| read_secret(sent, "/secret", &mut problems));
    if problems.is_empty() { Ok(secret) } else { Err(problems) }
}

/// Parses how a hook is resumed; by default with the events that it has missed.
pub fn parse_resume(body: &Tree) -> Result<ResumeFrom, Vec<Problem>> {
    const RESUME: Shape = Shape::Object(&[optional("from", Shape::OneOf(&["missed", "now"]))]);
    let mut problems = Vec::new();
    let kept = clean(body.clone(), RESUME, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_now = kept.member("from").and_then(Tree::as_text) == Some("now");
    Ok(if is_now { ResumeFrom::Now } else { ResumeFrom::Missed })
}

/// Parses which deliveries are sent again.
pub fn parse_replay(body: &Tree) -> Result<ReplayRange, Vec<Problem>> {
    const REPLAY: Shape = Shape::Object(&[
        required("since", Shape::DateTime),
        optional("until", Shape::DateTime),
        optional("failed_only", Shape::Flag),
    ]);
    let mut problems = Vec::new();
    let kept = clean(body.clone(), REPLAY, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let time = |key: &str| kept.member(key).and_then(Tree::as_text).and_then(parse_rfc3339);
    Ok(ReplayRange {
        since: time("since").unwrap_or(Timestamp(i64::MIN)),
        until: time("until").unwrap_or(Timestamp(i64::MAX)),
        failed_only: kept.member("failed_only").and_then(Tree::as_bool).unwrap_or(false),
    })
}

/// Reads the fields of a clean document. A field with a wrong type has its problem already.
fn read(kept: &Tree, problems: &mut Vec<Problem>) -> HookRequest {
    let config = |key: &str| kept.member("config").and_then(|config| config.member(key));
    let url = config("url").and_then(Tree::as_text).map(str::to_owned);
    if url.as_ref().is_some_and(|url| URL_CHARS_MAX < url.chars().count()) {
        let message = format!("Expected at most {URL_CHARS_MAX} characters.");
        problems.push(Problem::new("/config/url", "bad_value", message));
    }
    if config("insecure_ssl").and_then(Tree::as_integer).is_some_and(|insecure| insecure != 0) {
        let message = "Certificates are always checked; send 0 or leave the field out.";
        problems.push(Problem::new("/config/insecure_ssl", "not_supported", message));
    }
    let through_seq = kept.member("through_seq").and_then(Tree::as_integer);
    if through_seq.is_some_and(|seq| seq < 0) {
        let message = "Expected the seq of an event, or 0 for all events.";
        problems.push(Problem::new("/through_seq", "bad_value", message));
    }
    HookRequest {
        url,
        events: kept.member("events").and_then(|sent| read_events(sent, problems)),
        fields: read_paths(kept, "fields", problems),
        exclude_fields: read_paths(kept, "exclude_fields", problems),
        secret: config("secret").and_then(|sent| read_secret(sent, "/config/secret", problems)),
        active: kept.member("active").and_then(Tree::as_bool),
        through_seq: through_seq.map(EventSeq),
    }
}

fn read_events(sent: &Tree, problems: &mut Vec<Problem>) -> Option<HookEvents> {
    let known = || HookEvent::ALL.map(HookEvent::as_str).join(", ");
    if matches!(sent, Tree::List(events) if events.is_empty()) {
        let message = format!("Expected at least one of: {}.", known());
        problems.push(Problem::new("/events", "bad_value", message));
    }
    let mut events = Vec::new();
    for (at, word) in sent.elements().iter().enumerate() {
        let Some(word) = word.as_text() else { continue };
        match HookEvent::parse(word) {
            Some(event) => events.push(event),
            None => {
                let message = format!("This server never sends such an event; use: {}.", known());
                problems.push(Problem::new(format!("/events/{at}"), "not_supported", message));
            }
        }
    }
    (!events.is_empty()).then(|| HookEvents::new(events))
}

fn read_paths(kept: &Tree, key: &str, problems: &mut Vec<Problem>) -> Option<Option<KeptJson>> {
    let sent = kept.member(key)?;
    for (at, path) in sent.elements().iter().enumerate() {
        if !path.as_text().is_some_and(is_path) {
            let message = "Expected a path such as order.items.line_id, of at most 200 characters.";
            problems.push(Problem::new(format!("/{key}/{at}"), "bad_value", message));
        }
    }
    Some((!sent.elements().is_empty()).then(|| KeptJson(sent.to_string())))
}

fn is_path(path: &str) -> bool {
    let is_step = |step: &str| {
        !step.is_empty() && step.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    path.chars().count() <= PATH_CHARS_MAX && path.split('.').all(is_step)
}

fn read_secret(sent: &Tree, path: &str, problems: &mut Vec<Problem>) -> Option<HookSecret> {
    let mut wrong = |code: &'static str, message: &str| {
        problems.push(Problem::new(path, code, message));
        None
    };
    let kind = match sent {
        Tree::Text(_) => SecretType::HmacSha1,
        Tree::Object(_) => match sent.member("type").map(Tree::as_text) {
            None => SecretType::HmacSha1,
            Some(word) => match word.and_then(SecretType::parse) {
                Some(kind) => kind,
                None => return wrong("not_supported", "Expected type HMAC-SHA1 or Authorization."),
            },
        },
        _ => return wrong("wrong_type", "Expected a string, or an object with type and value."),
    };
    let value = sent.as_text().or_else(|| sent.member("value").and_then(Tree::as_text));
    let Some(value) = value else {
        return wrong("required", "The secret has no value.");
    };
    let is_printable = match kind {
        SecretType::HmacSha1 => !value.chars().any(char::is_control),
        SecretType::Authorization => {
            value.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && value.trim() == value
        }
    };
    if !is_printable || !(1..=SECRET_CHARS_MAX).contains(&value.chars().count()) {
        return wrong("bad_value", "Expected a secret of 1 to 1000 printable characters.");
    }
    if signing_key(value).is_none() {
        return wrong("bad_value", "Expected base64 after whsec_.");
    }
    Some(HookSecret { kind, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let parsed = parse_new(&parse(body.as_bytes()).unwrap());
        let found = match parsed {
            Ok(hook) => {
                let secret = hook.rest.secret.map(|secret| secret.value).unwrap_or_default();
                format!("{} {} {secret}", hook.url, hook.events)
            }
            Err(problems) => {
                let texts = problems.iter().map(|p| format!("{} {}", p.path, p.code));
                texts.collect::<Vec<_>>().join(", ")
            }
        };
        assert_eq!(found, expected, "for {body}");
    }

    /// A hook whose `config` also has these members.
    fn with(config: &str) -> String {
        format!(r#"{{"config":{{"url":"https://x",{config}}},"events":["shopping_draft_add"]}}"#)
    }

    #[test]
    fn a_hook_is_read_with_every_form_of_secret() {
        for (secret, value) in [
            (r#""bare""#, "bare"),
            (r#"{"type":"HMAC-SHA1","value":"v"}"#, "v"),
            (r#"{"type":"Authorization","value":"Bearer x"}"#, "Bearer x"),
            (r#"{"value":"whsec_bmV3"}"#, "whsec_bmV3"),
            ("null", ""),
        ] {
            let body = with(&format!(r#""secret":{secret},"insecure_ssl":0"#));
            check(&body, &format!("https://x shopping_draft_add {value}"));
        }
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        check("{}", "/config required, /events required");
        check(
            r#"{"config":{},"events":[],"fields":["a/b","a..b","a.b"],"through_seq":-1}"#,
            "/config/url required, /through_seq bad_value, /events bad_value, /fields/0 bad_value, \
             /fields/1 bad_value",
        );
        check(
            r#"{"config":{"url":"https://x"},"events":["transaction","shopping_draft_add"]}"#,
            "/events/0 not_supported",
        );
        for (config, problem) in [
            (r#""insecure_ssl":1"#, "/config/insecure_ssl not_supported"),
            (r#""content_type":"text/xml""#, "/config/content_type bad_value"),
            (r#""secret":{"type":"AWS4-HMAC-SHA256","value":"x"}"#, "/config/secret not_supported"),
            (r#""secret":{"type":"HMAC-SHA1"}"#, "/config/secret required"),
            (r#""secret":7"#, "/config/secret wrong_type"),
            (r#""secret":"""#, "/config/secret bad_value"),
            (r#""secret":"a\nb""#, "/config/secret bad_value"),
            (r#""secret":"whsec_!""#, "/config/secret bad_value"),
            (r#""secret":{"type":"Authorization","value":"ø"}"#, "/config/secret bad_value"),
        ] {
            check(&with(config), problem);
        }
    }

    #[test]
    fn an_empty_list_of_fields_removes_them() {
        let change = |body: &str| parse_change(&parse(body.as_bytes()).unwrap()).unwrap();
        assert_eq!(change("{}"), HookRequest::default());
        assert_eq!(change(r#"{"fields":[]}"#).fields, Some(None));
        let fields = Some(Some(KeptJson(r#"["order.id"]"#.to_owned())));
        assert_eq!(change(r#"{"fields":["order.id"]}"#).fields, fields);
    }
}
