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

/// The zero of every script's decimal digits (Unicode 16.0, general category Nd). The other nine
/// digits follow it.
const ZEROS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x1_04a0, 0x1_0d30, 0x1_1066, 0x1_10f0, 0x1_1136, 0x1_11d0, 0x1_12f0, 0x1_1450, 0x1_14d0,
    0x1_1650, 0x1_16c0, 0x1_1730, 0x1_18e0, 0x1_1950, 0x1_1c50, 0x1_1d50, 0x1_1da0, 0x1_6a60,
    0x1_6ac0, 0x1_6b50, 0x1_d7ce, 0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6, 0x1_e140, 0x1_e2f0,
    0x1_e950, 0x1_fbf0,
];

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
    let found_before = problems.len();
    match value {
        Tree::Text(text) | Tree::Number(text) => {
            if is_card && has_likely_card_number(text) {
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
    let has_elements = matches!(value, Tree::Object(_) | Tree::List(_));
    if is_card && has_elements && problems.len() == found_before {
        find_in_pieces(path, value, problems);
    }
}

/// Reports a whole card number whose pieces are the elements of a list.
fn find_in_pieces(path: &str, list: &Tree, problems: &mut Vec<Problem>) {
    let mut pieces = Vec::new();
    collect_pieces(list, &mut pieces);
    let Some((last, others)) = pieces.split_last() else { return };
    let length = pieces[0].chars().count();
    let are_even = others.iter().all(|piece| piece.chars().count() == length)
        && last.chars().count() <= length;
    // Short pieces of different lengths are parts of a time.
    let separator = if are_even { " " } else { "/" };
    if has_likely_card_number(&pieces.join(separator)) {
        problems.push(Problem::new(path, UNMASKED, UNMASKED_MESSAGE));
    }
}

/// Collects the texts and numbers of a list, and of the lists in it.
fn collect_pieces<'a>(value: &'a Tree, pieces: &mut Vec<&'a str>) {
    match value {
        Tree::Text(text) | Tree::Number(text) => pieces.push(text),
        Tree::List(elements) => elements.iter().for_each(|it| collect_pieces(it, pieces)),
        // PHP writes a list with a missing element as an object with the elements' numbers.
        Tree::Object(members) if members.iter().all(|(name, _)| is_element_number(name)) => {
            members.iter().for_each(|(_, it)| collect_pieces(it, pieces));
        }
        Tree::Object(_) | Tree::Null | Tree::Bool(_) => {}
    }
}

fn is_element_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
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
    let letters = name.chars().map(half_width).filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    CARD_NAMES.contains(&plain.as_str())
}

/// True if a text contains a whole card number, with or without separators.
pub fn has_card_number(text: &str) -> bool {
    candidates(text).iter().any(|digits| is_card_number(digits))
}

/// Like [`has_card_number`] for a text of any meaning. Times in milliseconds are as long as card
/// numbers and begin with 1, which no card's number does.
fn has_likely_card_number(text: &str) -> bool {
    candidates(text).iter().any(|digits| !digits.starts_with(&[1]) && is_card_number(digits))
}

/// The digits that a text may write as one number: groups joined by a space, a dash or a point, and
/// groups of three digits or more joined by any other sign. Shorter groups are parts of a time.
fn candidates(text: &str) -> Vec<Vec<u32>> {
    let plain = joined(text, |c| matches!(c, ' ' | '-' | '.'), 1);
    let other = joined(text, |c| !c.is_alphanumeric() && !matches!(c, '*' | '•' | '#'), 3);
    [plain, other].concat()
}

fn joined(text: &str, joins: impl Fn(char) -> bool, group_min: usize) -> Vec<Vec<u32>> {
    let (mut all, mut number, mut group) = (Vec::new(), Vec::new(), Vec::new());
    // The letter ends the last group.
    for c in text.chars().chain(['x']) {
        if let Some(digit) = digit(c) {
            group.push(digit);
            continue;
        }
        if group.len() < group_min && !group.is_empty() {
            group.clear();
            all.push(std::mem::take(&mut number));
        }
        number.append(&mut group);
        if !joins(c) {
            all.push(std::mem::take(&mut number));
        }
    }
    all
}

/// The value of a decimal digit of any script: some keyboards write full-width or Arabic ones.
fn digit(c: char) -> Option<u32> {
    let code = u32::from(c);
    let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?)?;
    Some(code - zero).filter(|value| *value < 10)
}

/// The ASCII sign that a full-width sign stands for; any other sign as it is.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// True for 13 to 19 digits with a valid check digit (ISO/IEC 7812).
fn is_card_number(digits: &[u32]) -> bool {
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if 9 < twice => twice - 9,
        (_, twice) => twice,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_card_number_is_found_however_it_is_separated() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "4111\u{2011}1111\u{2011}1111\u{2011}1111",
            "4111/1111/1111/1111",
            "4111_1111:1111,1111",
            "4111\n1111\n1111\n1111",
            "４１１１１１１１１１１１１１１１",
            "\u{96a}\u{967}\u{967}\u{967}-1111-1111-1111",
            "\u{1d7d2}111 1111 1111 111\u{1d7cf}",
            "\u{664}\u{661}\u{661}\u{661} 1111 1111 1111",
            "1 x 4111111111111111",
            "1: 4111 1111 1111 1111",
            "PAN 4111.1111.1111.1111.",
            "3782 822463 10005",
        ] {
            assert!(has_card_number(text) && has_likely_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_card_numbers() {
        for text in [
            "4444 **** **** 4448",
            "4242424242424241",
            "2026-11-23T09:00:00.000Z",
            "2026/11/23 09:00:07",
            "4111 1111 x 1111 1111",
            "411111111111",
        ] {
            assert!(!has_card_number(text), "{text}");
        }
        assert!(!has_likely_card_number("1795000000009"), "a time in milliseconds");
    }
}
