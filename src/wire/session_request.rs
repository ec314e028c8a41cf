//! Parses a request for an order session (docs/contract.md, Decision 11).

use url::Url;

use super::problem::Problem;
use super::return_address::is_web_address;
use super::shape::{Shape, clean, optional, required};
use crate::app::{CallbackOptions, SessionRequest};
use crate::domain::ids::LineId;
use crate::domain::money::Amount;
use crate::domain::operation::{OPERATION_ITEMS_MAX, duplicate_positions};
use crate::domain::order_session::{SessionItem, SessionItems};
use crate::json::Tree;

/// Most characters of a `profile_id`.
const PROFILE_ID_CHARS_MAX: usize = 64;

const ITEM_SHAPE: Shape =
    Shape::Object(&[required("line_id", Shape::LineIdText), optional("amount", Shape::Amount)]);

const SESSION: Shape = Shape::Object(&[
    required("items", Shape::List(&ITEM_SHAPE, OPERATION_ITEMS_MAX)),
    required("profile_id", Shape::Text),
    required(
        "url",
        Shape::Object(&[
            required("return_url", Shape::Text),
            optional("callback_url", Shape::Text),
            optional("merchant_terms_url", Shape::Text),
        ]),
    ),
    optional("express", Shape::FreeObject),
    optional("metadata", Shape::FreeObject),
    optional("processed_at", Shape::DateTime),
    optional("id", Shape::ReadOnly),
    optional("status", Shape::ReadOnly),
    optional("amount", Shape::ReadOnly),
    optional("currency", Shape::ReadOnly),
    optional("created_at", Shape::ReadOnly),
    optional("created_by", Shape::ReadOnly),
    optional("expires_at", Shape::ReadOnly),
    optional("held_at", Shape::ReadOnly),
    optional("ended_at", Shape::ReadOnly),
    optional("transaction_id", Shape::ReadOnly),
    optional("urls", Shape::ReadOnly),
    optional("_links", Shape::ReadOnly),
]);

/// Parses a session, or reports everything that is wrong with the body.
pub fn parse(body: Tree) -> Result<SessionRequest, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body, SESSION, "", &mut problems);
    let items = kept.member("items").map(Tree::elements).unwrap_or_default();
    let duplicate = |at: usize| {
        let message = "An earlier item names this line; send one item per line.";
        Problem::new(format!("/items/{at}/line_id"), "duplicate_line", message)
    };
    let repeated = duplicate_positions(items.iter().map(line_id));
    problems.extend(repeated.into_iter().map(duplicate));
    let has_items = matches!(kept.member("items"), Some(Tree::List(_)));
    if has_items && items.is_empty() {
        problems.push(Problem::new("/items", "empty", "Send at least one item."));
    }
    problems.extend(text_problems(&kept));
    let parsed = items.iter().map(parse_item).collect::<Option<Vec<_>>>();
    match parsed.and_then(SessionItems::new) {
        Some(items) if problems.is_empty() => Ok(SessionRequest { items, document: stored(kept) }),
        _ => Err(problems),
    }
}

fn parse_item(item: &Tree) -> Option<SessionItem> {
    let amount = match item.member("amount") {
        Some(amount) => Some(Amount::new(amount.as_integer()?)?),
        None => None,
    };
    Some(SessionItem { line_id: line_id(item)?, amount })
}

fn line_id(item: &Tree) -> Option<LineId> {
    LineId::new(item.member("line_id")?.as_text()?.parse().ok()?)
}

/// The problems of the profile's name and of the addresses.
fn text_problems(kept: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let profile_id = kept.member("profile_id").and_then(Tree::as_text);
    if profile_id.is_some_and(|text| !(1..=PROFILE_ID_CHARS_MAX).contains(&text.chars().count())) {
        let message = format!("Expected 1 to {PROFILE_ID_CHARS_MAX} characters.");
        problems.push(Problem::new("/profile_id", "bad_value", message));
    }
    for key in ["return_url", "callback_url", "merchant_terms_url"] {
        let address = kept.member("url").and_then(|urls| urls.member(key)).and_then(Tree::as_text);
        if address.is_some_and(|address| !is_web_address(address)) {
            let message = "Expected an absolute http or https URL of at most 2,000 characters.";
            problems.push(Problem::new(format!("/url/{key}"), "bad_value", message));
        }
    }
    let callback_url = kept.member("url").and_then(|urls| urls.member("callback_url"));
    let callback_url = callback_url.and_then(Tree::as_text).and_then(|text| Url::parse(text).ok());
    let invalid = callback_url.iter().flat_map(CallbackOptions::invalid_settings);
    problems.extend(invalid.map(|(name, expected)| {
        let message = format!("The query's {name}= is invalid: expected {expected}.");
        Problem::new("/url/callback_url", "bad_value", message)
    }));
    problems
}

/// The document with the request's addresses under the name that answers have for them: there,
/// `url` is the address of the payment page.
fn stored(kept: Tree) -> Tree {
    let Tree::Object(members) = kept else { return kept };
    let rename = |(key, value): (String, Tree)| match key.as_str() {
        "url" => ("urls".to_owned(), value),
        _ => (key, value),
    };
    Tree::Object(members.into_iter().map(rename).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let told = match parse(crate::json::parse(body.as_bytes()).unwrap()) {
            Ok(request) => request.document.to_text(),
            Err(problems) => {
                let each = problems.iter().map(|p| format!("{} {}", p.path, p.code));
                each.collect::<Vec<_>>().join(", ")
            }
        };
        assert_eq!(told, expected, "for {body}");
    }

    #[test]
    fn a_session_is_kept_as_it_was_sent() {
        check(
            r#"{"items":[{"line_id":1,"n":1.50},{"line_id":"02","amount":5.0}],"profile_id":"p",
                "url":{"return_url":"https://a.example/b?c=d#e","x":1},"id":"mine","y":2}"#,
            "{\"items\":[{\"line_id\":\"1\",\"n\":1.50},{\"line_id\":\"2\",\"amount\":5}],\
             \"profile_id\":\"p\",\"urls\":{\"return_url\":\"https://a.example/b?c=d#e\",\"x\":1},\
             \"y\":2}",
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        check("{}", "/items required, /profile_id required, /url required");
        check(
            r#"{"items":[],"profile_id":"","url":{}}"#,
            "/url/return_url required, /items empty, /profile_id bad_value",
        );
        check(
            r#"{"items":[{"line_id":"1"},{"line_id":1},{"line_id":"-1"},
                {"line_id":"x","amount":"5"}],"profile_id":"p",
                "url":{"return_url":"/back","callback_url":"ftp://a"}}"#,
            "/items/2/line_id wrong_type, /items/3/line_id wrong_type, \
             /items/3/amount wrong_type, /items/1/line_id duplicate_line, \
             /url/return_url bad_value, /url/callback_url bad_value",
        );
        let called = |query: &str, expected: &str| {
            let url = format!("https://a.example/cb?{query}");
            let body = format!(
                r#"{{"items":[{{"line_id":1}}],"profile_id":"p",
                    "url":{{"return_url":"https://a","callback_url":"{url}"}}}}"#
            );
            let told = parse(crate::json::parse(body.as_bytes()).unwrap()).err();
            let told: Vec<String> =
                told.into_iter().flatten().map(|p| format!("{} {}", p.path, p.message)).collect();
            assert_eq!(told.len(), expected.split_terminator(',').count(), "{query}: {told:?}");
            for (told, name) in told.iter().zip(expected.split(',')) {
                assert!(
                    told.starts_with(&format!("/url/callback_url The query's {name}=")),
                    "{told}"
                );
            }
        };
        for good in ["", "method=get&delay_callback=0", "delay_callback=60&method=POST", "x=1&e"] {
            called(good, "");
        }
        called("delay_callback=99999999999999999999&sid_parameter_name=a-b_9", "");
        for method in ["", "PUT", "GET%20", "PO%53T&method=x"] {
            called(&format!("method={method}"), "method");
        }
        for delay in ["", "-1", "1.5", "5s", "%2B5"] {
            called(&format!("delay_callback={delay}"), "delay_callback");
        }
        for name in ["", "a%26b", "a+b", "%C3%A9", &"n".repeat(65)] {
            called(&format!("sid_parameter_name={name}"), "sid_parameter_name");
        }
        called(
            "sid_parameter_name=&method=&delay_callback=",
            "sid_parameter_name,method,delay_callback",
        );
        let long = "p".repeat(65);
        check(
            &format!(
                r#"{{"items":[{{"line_id":1}}],"profile_id":"{long}","url":{{"return_url":"a"}}}}"#
            ),
            "/profile_id bad_value, /url/return_url bad_value",
        );
    }
}
