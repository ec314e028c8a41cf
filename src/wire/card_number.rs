//! Whole card numbers, which are refused wherever a client's document names a card: Tillbook must
//! never store one (docs/contract.md, Decision 3).

use super::problem::Problem;
use crate::json::Tree;

/// The code of the problem, and its message.
pub const UNMASKED: &str = "unmasked_card_number";
pub const UNMASKED_MESSAGE: &str =
    "This contains a whole card number; send it masked, such as 4444 **** **** 4448.";

/// Names of members that hold a card or its number, in lower case and without separators.
const CARD_NAMES: [&str; 5] = ["card", "cardnumber", "creditcard", "maskedpan", "pan"];

/// Reports whole card numbers in a member that no shape knows: in all of it if it is a card or part
/// of one, else in the members below it that are cards.
pub fn refuse_card_numbers(
    path: &mut String,
    name: &str,
    value: &Tree,
    problems: &mut Vec<Problem>,
) {
    let is_card = is_card_name(name) || is_in_card(path);
    below(path, name, |path| find(path, value, is_card, problems));
}

/// Reports whole card numbers in an object with any members.
pub fn refuse_card_numbers_in(path: &mut String, object: &Tree, problems: &mut Vec<Problem>) {
    let is_card = is_in_card(path);
    find(path, object, is_card, problems);
}

fn find(path: &mut String, value: &Tree, is_card: bool, problems: &mut Vec<Problem>) {
    match value {
        Tree::Text(text) | Tree::Number(text) => {
            // Times in milliseconds are as long as card numbers and begin with 1, which no card's
            // number does.
            if is_card && !text.trim_start().starts_with('1') && has_card_number(text) {
                problems.push(Problem::new(path.as_str(), UNMASKED, UNMASKED_MESSAGE));
            }
        }
        Tree::Object(members) => {
            for (name, value) in members {
                let is_card = is_card || is_card_name(name);
                below(path, name, |path| find(path, value, is_card, problems));
            }
        }
        Tree::List(elements) => {
            for (at, value) in elements.iter().enumerate() {
                below(path, &at.to_string(), |path| find(path, value, is_card, problems));
            }
        }
        Tree::Null | Tree::Bool(_) => {}
    }
}

/// Runs something one step further down the path. Unlike the names of known fields, a client's own
/// may have characters that a JSON pointer escapes (RFC 6901).
fn below(path: &mut String, step: &str, run: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(&step.replace('~', "~0").replace('/', "~1"));
    run(path);
    path.truncate(length);
}

/// True for the path of a known field `card`, and below it.
fn is_in_card(path: &str) -> bool {
    path.ends_with("/card") || path.contains("/card/")
}

fn is_card_name(name: &str) -> bool {
    let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
    let plain: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    CARD_NAMES.contains(&plain.as_str())
}

/// True if a text contains a whole card number, with or without separators.
pub fn has_card_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '-' | '.')).any(is_card_number)
}

/// True for 13 to 19 digits with a valid check digit (ISO/IEC 7812).
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().rev().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if 9 < twice => twice - 9,
        (_, twice) => twice,
    };
    let sum: u32 = digits.iter().enumerate().map(doubled).sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}
