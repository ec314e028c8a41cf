//! Reads a number as a person types it. A text that could be two numbers is refused with both.
//!
//! Spaces group thousands. A point or a comma is a decimal mark if it occurs once; if it occurs
//! several times it groups; if both occur, the last is the decimal mark and the other groups.
//! `1.000` may be a thousand or one, so exactly three digits behind a single mark are ambiguous.
//! A number may begin with its decimal mark (`.5` is 0.5) but not end with it, since the decimals
//! of `5.` may have been forgotten.

/// Digits in a group of thousands.
const GROUP: usize = 3;

/// A number without its grouping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedNumber {
    pub negative: bool,
    /// Digits before the decimal mark; at least one.
    pub whole: String,
    /// Digits behind it, zeros included.
    pub decimals: String,
}

/// What a typed text may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    One(TypedNumber),
    /// Exactly three digits follow a single mark, which may group or be the decimal mark.
    Two {
        grouped: TypedNumber,
        decimal: TypedNumber,
    },
}

/// Reads a typed text; `None` if it is not a number, or if its groups are not of three digits.
pub fn read(typed: &str) -> Option<Reading> {
    let text = typed.trim();
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let number = |whole: String, decimals: &str| TypedNumber {
        negative,
        whole,
        decimals: decimals.to_owned(),
    };
    let count = |mark: char| text.matches(mark).count();
    let decimal_mark = match (count('.'), count(',')) {
        (0, 0) | (0, 2..) | (2.., 0) => None,
        (1, 0) => Some('.'),
        (0, 1) => Some(','),
        _ => text.chars().rfind(|c| matches!(c, '.' | ',')),
    };
    let Some(mark) = decimal_mark else {
        return Some(Reading::One(number(ungrouped(text)?, "")));
    };
    // If the last mark occurs before as well, it stays in `whole` with the other and is refused.
    let (whole, decimals) = text.rsplit_once(mark)?;
    if !is_digits(decimals) || whole.contains(mark) {
        return None;
    }
    let whole = if whole.is_empty() { "0".to_owned() } else { ungrouped(whole)? };
    let is_single = count('.') + count(',') == 1;
    let decimal = number(whole.clone(), decimals);
    if is_single && decimals.len() == GROUP {
        return Some(Reading::Two { grouped: number(whole + decimals, ""), decimal });
    }
    Some(Reading::One(decimal))
}

/// The digits of a whole number whose thousands may be grouped, all by the same kind of mark.
fn ungrouped(text: &str) -> Option<String> {
    let mark = text.chars().find(|c| !c.is_ascii_digit());
    let separates = |c: char| match mark {
        Some(mark @ ('.' | ',')) => c == mark,
        // Tabs and line breaks separate numbers that were pasted together.
        _ => c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}'),
    };
    let groups: Vec<&str> = text.split(separates).collect();
    let is_grouped_right = match groups.as_slice() {
        [_] => true,
        [first, rest @ ..] => {
            (1..=GROUP).contains(&first.len())
                && !first.starts_with('0')
                && rest.iter().all(|group| group.len() == GROUP)
        }
        [] => false,
    };
    let is_number = is_grouped_right && groups.iter().all(|group| is_digits(group));
    is_number.then(|| groups.concat())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The readings as plain numbers, `grouped | decimal`; empty if it is not a number.
    fn readings(typed: &str) -> String {
        let plain = |number: TypedNumber| {
            let sign = if number.negative { "-" } else { "" };
            let mark = if number.decimals.is_empty() { "" } else { "." };
            format!("{sign}{}{mark}{}", number.whole, number.decimals)
        };
        match read(typed) {
            None => String::new(),
            Some(Reading::One(number)) => plain(number),
            Some(Reading::Two { grouped, decimal }) => {
                format!("{} | {}", plain(grouped), plain(decimal))
            }
        }
    }

    #[test]
    fn each_text_is_one_number_or_two() {
        for (typed, expected) in [
            ("0", "0"),
            ("007", "007"),
            (" 1398 ", "1398"),
            ("1 398", "1398"),
            ("1\u{a0}398", "1398"),
            ("1\u{202f}398\u{2009}000", "1398000"),
            ("1 398,5", "1398.5"),
            ("\u{2212} 5", "-5"),
            ("-0.05", "-0.05"),
            ("1.5", "1.5"),
            ("1,50", "1.50"),
            ("1.5000", "1.5000"),
            // Nothing before the decimal mark.
            (".5", "0.5"),
            (",50", "0.50"),
            ("-.5", "-0.5"),
            ("\u{2212},05", "-0.05"),
            (".5000", "0.5000"),
            // Exactly three digits behind a single mark.
            (".500", "0500 | 0.500"),
            (",000", "0000 | 0.000"),
            ("1.000", "1000 | 1.000"),
            ("12,000", "12000 | 12.000"),
            ("0.125", "0125 | 0.125"),
            ("1234.567", "1234567 | 1234.567"),
            ("1 234.567", "1234567 | 1234.567"),
            ("-1.000", "-1000 | -1.000"),
            // Several marks of one kind group.
            ("1.234.567", "1234567"),
            ("1,234,567", "1234567"),
            // With both kinds, the last is the decimal mark.
            ("1.234,5", "1234.5"),
            ("1,234.567", "1234.567"),
            ("1,234,567.00", "1234567.00"),
        ] {
            assert_eq!(readings(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn other_texts_and_wrong_groups_are_not_numbers() {
        for typed in [
            "",
            "-",
            ".",
            "-.",
            ". 5",
            " . 5",
            ",.5",
            ".,5",
            ".123.456",
            "1.",
            "1,",
            "5. ",
            "1 000.",
            "1.234,",
            "1.234.",
            "1..5",
            "1.00.0",
            "1.2.3",
            "12,34,567",
            "1234.567,8",
            "1.234,567.8",
            "1.234,567,8",
            "0.500.000",
            "1 20",
            "1 20,5",
            "123 456.0 / 0",
            "1  000",
            "0 500",
            "1 2345",
            "1 234.567,5",
            "1.234 567",
            "1 .5",
            "1. 5",
            "1\t000",
            "1\n000",
            "1\u{2028}000",
            "1'000",
            "1\u{200b}000",
            "1e3",
            "+5",
            "--5",
            "5-",
            "(5)",
            "5 NOK",
            "٣",
            "５",
            "1·5",
        ] {
            assert_eq!(readings(typed), "", "{typed:?}");
        }
    }
}
