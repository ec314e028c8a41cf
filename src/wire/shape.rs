//! Tables of what a document may contain, and the walk that checks a document against them.
//!
//! The walk reports all problems at once, each with its JSON pointer. It returns the document as it
//! will be kept: without read-only fields, without known fields that are `null`, with `39800.0`
//! written as 39800, and with every unknown field as it was sent (docs/contract.md, Decision 3).

use super::card_number::{
    UNMASKED, UNMASKED_MESSAGE, has_card_number, refuse_card_numbers, refuse_card_numbers_in,
};
use super::problem::Problem;
use crate::clock::parse_rfc3339;
use crate::domain::currency::Currency;
use crate::domain::ids::{LineId, OrderName, ResourceId};
use crate::domain::money::{AMOUNT_MAX, Amount};
use crate::domain::time_to_live::{TIME_TO_LIVE_MAX_S, TimeToLive};
use crate::json::Tree;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Anything, kept as sent.
    Any,
    Flag,
    Text,
    Integer,
    /// `order_time_to_live`, in whole seconds.
    TimeToLive,
    /// A whole number of minor units, in the range of an amount.
    Amount,
    LineId,
    /// A line id, also as a string of digits; kept as a string.
    LineIdText,
    Number,
    /// RFC 3339 with any offset, kept as sent.
    DateTime,
    Currency,
    OrderName,
    ResourceId,
    /// Text that contains no whole card number.
    TextWithoutCardNumber,
    OneOf(&'static [&'static str]),
    /// An object with any members.
    FreeObject,
    Object(&'static [Field]),
    /// An object in which every field is optional, even a required one.
    Part(&'static [Field]),
    /// A list: the shape of its elements, and how many it may have.
    List(&'static Shape, usize),
    /// Set by the server; a client's value is dropped.
    ReadOnly,
}

impl Shape {
    /// This shape with every field of an object optional; other shapes are unchanged.
    pub const fn part(self) -> Shape {
        match self {
            Shape::Object(fields) => Shape::Part(fields),
            other => other,
        }
    }

    /// True if this is the shape of an object and has a field of that name.
    pub fn knows(self, name: &str) -> bool {
        match self {
            Shape::Object(fields) | Shape::Part(fields) => fields.iter().any(|f| f.name == name),
            _ => false,
        }
    }
}

/// A known member of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub required: bool,
}

/// A problem's code and message, without its path.
type Wrong = (&'static str, String);

/// A field that may be left out.
pub const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// A field that must be sent.
pub const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// Checks a document and returns it as it will be kept. Problems are added to `problems`; if there
/// are any, the returned document must not be used.
pub fn clean(tree: Tree, shape: Shape, path: &str, problems: &mut Vec<Problem>) -> Tree {
    clean_at(&mut path.to_owned(), tree, shape, problems)
}

/// `path` is one buffer that grows and shrinks during the walk. Most requests have no problems, so
/// building a path for every value would be wasted time.
fn clean_at(path: &mut String, tree: Tree, shape: Shape, problems: &mut Vec<Problem>) -> Tree {
    match shape {
        Shape::Object(fields) => {
            let missing = missing(&tree, fields);
            let kept = clean_object(path, tree, fields, problems);
            problems.extend(missing.into_iter().map(|field| {
                let message = format!("`{}` is required.", field.name);
                Problem::new(format!("{path}/{}", field.name), "required", message)
            }));
            kept
        }
        Shape::Part(fields) => clean_object(path, tree, fields, problems),
        Shape::List(element, count_max) => clean_list(path, tree, *element, count_max, problems),
        leaf => {
            if let Err((code, message)) = check_leaf(&tree, leaf) {
                problems.push(Problem::new(path.as_str(), code, message));
            }
            if matches!(leaf, Shape::FreeObject) {
                refuse_card_numbers_in(path, &tree, problems);
            }
            normalized(tree, leaf)
        }
    }
}

fn clean_object(
    path: &mut String,
    tree: Tree,
    fields: &'static [Field],
    problems: &mut Vec<Problem>,
) -> Tree {
    let mut members = match tree {
        Tree::Object(members) => members,
        _ if is_empty_list(&tree) => Vec::new(),
        _ => {
            // The message is also shown without the path.
            let expected = if path.is_empty() { "the body to be an object" } else { "an object" };
            let (code, message) = wrong_type(expected, &tree);
            problems.push(Problem::new(path.as_str(), code, message));
            return Tree::Null;
        }
    };
    members.retain_mut(|(key, value)| {
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            refuse_card_numbers(path, key, value, problems);
            return true;
        };
        if *value == Tree::Null || matches!(field.shape, Shape::ReadOnly) {
            return false;
        }
        let sent = std::mem::replace(value, Tree::Null);
        *value =
            with_pointer_step(path, field.name, |path| clean_at(path, sent, field.shape, problems));
        true
    });
    Tree::Object(members)
}

/// The fields that an object must have and does not.
fn missing(tree: &Tree, fields: &'static [Field]) -> Vec<&'static Field> {
    if !is_object(tree) {
        return Vec::new();
    }
    let is_missing =
        |field: &&Field| tree.member(field.name).is_none_or(|value| *value == Tree::Null);
    fields.iter().filter(|field| field.required).filter(is_missing).collect()
}

fn clean_list(
    path: &mut String,
    tree: Tree,
    element: Shape,
    count_max: usize,
    problems: &mut Vec<Problem>,
) -> Tree {
    let Tree::List(elements) = tree else {
        let (code, message) = wrong_type("an array", &tree);
        problems.push(Problem::new(path.as_str(), code, message));
        return Tree::Null;
    };
    if count_max < elements.len() {
        let message = format!("Send at most {count_max} elements.");
        problems.push(Problem::new(path.as_str(), "too_many_items", message));
        return Tree::Null;
    }
    let clean_one = |(at, value): (usize, Tree)| {
        with_pointer_step(path, &at.to_string(), |path| clean_at(path, value, element, problems))
    };
    Tree::List(elements.into_iter().enumerate().map(clean_one).collect())
}

/// Runs `run` with one step added to the path, and then removes the step. Steps are field names of
/// the API and positions, which have no character that a JSON pointer escapes (RFC 6901).
fn with_pointer_step<T>(path: &mut String, step: &str, run: impl FnOnce(&mut String) -> T) -> T {
    let length = path.len();
    path.push('/');
    path.push_str(step);
    let done = run(path);
    path.truncate(length);
    done
}

fn check_leaf(tree: &Tree, shape: Shape) -> Result<(), Wrong> {
    match shape {
        Shape::Any | Shape::ReadOnly | Shape::List(..) => Ok(()),
        Shape::Object(_) | Shape::Part(_) => Ok(()),
        Shape::Flag => expect(matches!(tree, Tree::Bool(_)), "true or false", tree),
        Shape::Text => expect(matches!(tree, Tree::Text(_)), "a string", tree),
        Shape::Number => expect(matches!(tree, Tree::Number(_)), "a number", tree),
        Shape::FreeObject => expect(is_object(tree), "an object", tree),
        Shape::Integer => integer(tree).map(drop),
        Shape::TimeToLive => time_to_live(tree),
        Shape::Amount => amount(tree),
        Shape::LineId => line_id(tree),
        Shape::LineIdText => line_id(&number_in(tree)),
        Shape::DateTime | Shape::Currency | Shape::OrderName => check_text(tree, shape),
        Shape::ResourceId | Shape::TextWithoutCardNumber | Shape::OneOf(_) => {
            check_text(tree, shape)
        }
    }
}

fn check_text(tree: &Tree, shape: Shape) -> Result<(), Wrong> {
    let Tree::Text(text) = tree else {
        return Err(wrong_type("a string", tree));
    };
    let wrong = |code, message: &str| Err((code, message.to_owned()));
    match shape {
        Shape::DateTime if parse_rfc3339(text).is_none() => {
            wrong("bad_date_time", "Expected an RFC 3339 date-time, such as 2026-11-23T09:00:00Z.")
        }
        Shape::Currency if Currency::parse(text).is_none() => {
            wrong("bad_value", "Expected an ISO 4217 currency code, such as NOK.")
        }
        Shape::OrderName if OrderName::parse(text).is_none() => {
            wrong("bad_value", "Expected 1 to 64 printable ASCII characters without spaces.")
        }
        Shape::ResourceId if ResourceId::parse(text).is_none() => {
            wrong("bad_value", "Expected an id of 1 to 40 characters.")
        }
        Shape::TextWithoutCardNumber if has_card_number(text) => wrong(UNMASKED, UNMASKED_MESSAGE),
        Shape::OneOf(words) if !words.contains(&text.as_str()) => {
            Err(("bad_value", format!("Expected one of: {}.", words.join(", "))))
        }
        _ => Ok(()),
    }
}

fn integer(tree: &Tree) -> Result<i64, Wrong> {
    let Tree::Number(text) = tree else {
        return Err(wrong_type("an integer", tree));
    };
    tree.as_integer().ok_or_else(|| {
        let (code, expected) = match tree.is_whole() {
            true => ("amount_out_of_range", "a whole number that fits 64 bits"),
            false => ("wrong_type", "a whole number, written with digits only"),
        };
        (code, format!("Expected {expected}, found {}.", shortened(text)))
    })
}

fn amount(tree: &Tree) -> Result<(), Wrong> {
    match Amount::new(integer(tree)?) {
        Some(_) => Ok(()),
        None => {
            let message = format!("Expected an amount from -{AMOUNT_MAX} to {AMOUNT_MAX}.");
            Err(("amount_out_of_range", message))
        }
    }
}

fn time_to_live(tree: &Tree) -> Result<(), Wrong> {
    match tree.as_integer().and_then(TimeToLive::new) {
        Some(_) => Ok(()),
        None if tree.is_whole() => {
            Err(("bad_value", format!("Expected 1 to {TIME_TO_LIVE_MAX_S} seconds.")))
        }
        None => integer(tree).map(drop),
    }
}

fn line_id(tree: &Tree) -> Result<(), Wrong> {
    match tree.as_integer().and_then(LineId::new) {
        Some(_) => Ok(()),
        None if tree.is_whole() => {
            Err(("bad_value", format!("Expected a line id from 0 to {AMOUNT_MAX}.")))
        }
        None => integer(tree).map(drop),
    }
}

/// A string of digits as the number that it writes; other values are unchanged.
fn number_in(tree: &Tree) -> Tree {
    match tree {
        Tree::Text(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            Tree::Number(text.clone())
        }
        other => other.clone(),
    }
}

/// True for an object and for an empty list, which is how PHP writes an empty map.
fn is_object(tree: &Tree) -> bool {
    matches!(tree, Tree::Object(_)) || is_empty_list(tree)
}

fn is_empty_list(tree: &Tree) -> bool {
    matches!(tree, Tree::List(elements) if elements.is_empty())
}

/// Writes integers and empty objects in one form, however they were sent.
fn normalized(tree: Tree, shape: Shape) -> Tree {
    match shape {
        Shape::FreeObject if is_empty_list(&tree) => Tree::Object(Vec::new()),
        Shape::Integer | Shape::TimeToLive | Shape::Amount | Shape::LineId => {
            tree.with_plain_integer()
        }
        Shape::LineIdText => match number_in(&tree).as_integer() {
            Some(number) => Tree::text(number.to_string()),
            None => tree,
        },
        _ => tree,
    }
}

fn expect(holds: bool, expected: &str, found: &Tree) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong_type(expected, found)) }
}

fn wrong_type(expected: &str, found: &Tree) -> Wrong {
    ("wrong_type", format!("Expected {expected}, found {}.", found.kind()))
}

/// The start of a client's text, so that a message stays short.
fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    const INNER: &[Field] = &[required("n", Shape::Amount), optional("id", Shape::ReadOnly)];
    const INNER_SHAPE: Shape = Shape::Object(INNER);
    const OUTER: Shape = Shape::Object(&[
        required("list", Shape::List(&INNER_SHAPE, 2)),
        optional("at", Shape::DateTime),
        optional("pan", Shape::TextWithoutCardNumber),
        optional("word", Shape::OneOf(&["a", "b"])),
        optional("meta", Shape::FreeObject),
        optional("any", Shape::Any),
    ]);

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut problems = Vec::new();
        let kept = clean(parse(text.as_bytes()).unwrap(), OUTER, "", &mut problems);
        let found: Vec<String> =
            problems.iter().map(|p| format!("{} {}", p.path, p.code)).collect();
        let answer = if found.is_empty() { kept.to_string() } else { found.join(", ") };
        assert_eq!(answer, expected, "for {text}");
    }

    #[test]
    fn a_valid_document_is_kept_to_the_letter() {
        check(
            r#"{"x":{"y":null},"list":[{"n":5.0,"id":7,"z":1.10}],"at":null,"meta":{"k":null}}"#,
            r#"{"x":{"y":null},"list":[{"n":5,"z":1.10}],"meta":{"k":null}}"#,
        );
        check(
            r#"{"list":[],"at":"2026-11-23T09:00:00+01:00","pan":"4444 **** **** 4448","any":null}"#,
            r#"{"list":[],"at":"2026-11-23T09:00:00+01:00","pan":"4444 **** **** 4448"}"#,
        );
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        check(
            r#"{"list":[{"n":"5"},{"n":9007199254740992}],"at":"today","word":"c"}"#,
            "/list/0/n wrong_type, /list/1/n amount_out_of_range, /at bad_date_time, \
             /word bad_value",
        );
        check("[]", "/list required");
        check("[1]", " wrong_type");
        check(r#"{"list":[[]],"meta":[],"any":[],"x":[]}"#, "/list/0/n required");
        check(
            r#"{"list":[],"meta":[],"any":[],"x":[]}"#,
            r#"{"list":[],"meta":{},"any":[],"x":[]}"#,
        );
        check(r#"{"list":[],"meta":[1]}"#, "/meta wrong_type");
        check("{}", "/list required");
        check(r#"{"list":[[5]]}"#, "/list/0 wrong_type");
        check(r#"{"list":[{"n":1},{"n":1},{"n":1}]}"#, "/list too_many_items");
        check(r#"{"list":[{"n":1e3},{"n":398.5}]}"#, "/list/0/n wrong_type, /list/1/n wrong_type");
        check(r#"{"list":[{"n":null}]}"#, "/list/0/n required");
        check(r#"{"list":[{"n":99999999999999999999}]}"#, "/list/0/n amount_out_of_range");
        check(r#"{"list":[],"pan":"4242-4242 42424242"}"#, "/pan unmasked_card_number");
        check(r#"{"list":[],"pan":"PAN 4111111111111111."}"#, "/pan unmasked_card_number");
        check(r#"{"list":[],"pan":"4242424242424241"}"#, r#"{"list":[],"pan":"4242424242424241"}"#);
    }
}
