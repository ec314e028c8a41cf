//! JSON text as JavaScript would write it: `JSON.stringify(JSON.parse(text))` gives the same bytes,
//! so that receivers can sign what they serialize again (docs/contract.md, Decision 10).

use super::Tree;
use super::parse::parse_ours;
use super::write::push_string;

impl Tree {
    /// The value as JavaScript writes it: numbers in their shortest form, and keys that look like
    /// positions of an array first. A number that a double cannot hold is written as it was sent.
    pub fn script_text(&self) -> String {
        let mut text = String::new();
        push(&mut text, self);
        text
    }
}

/// JSON text of our own as JavaScript would write it. Text that the strict parser refuses is
/// returned unchanged.
pub fn script_text(text: String) -> String {
    match parse_ours(text.as_bytes()) {
        Ok(tree) => tree.script_text(),
        Err(_) => text,
    }
}

fn push(out: &mut String, tree: &Tree) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Tree::Number(text) => push_number(out, text),
        Tree::Text(text) => push_string(out, text),
        Tree::List(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                if 0 < at {
                    out.push(',');
                }
                push(out, element);
            }
            out.push(']');
        }
        Tree::Object(members) => push_object(out, members),
    }
}

fn push_object(out: &mut String, members: &[(String, Tree)]) {
    let mut positions: Vec<(u32, &(String, Tree))> =
        members.iter().filter_map(|member| Some((position(&member.0)?, member))).collect();
    positions.sort_unstable_by_key(|(position, _)| *position);
    let first = positions.into_iter().map(|(_, member)| member);
    let others = members.iter().filter(|member| position(&member.0).is_none());
    out.push('{');
    for (at, (key, value)) in first.chain(others).enumerate() {
        if 0 < at {
            out.push(',');
        }
        push_string(out, key);
        out.push(':');
        push(out, value);
    }
    out.push('}');
}

/// The number of a key that JavaScript takes for a position of an array (ECMA-262, "array index").
fn position(key: &str) -> Option<u32> {
    let plain = key == "0" || !key.starts_with('0');
    let digits = key.bytes().all(|byte| byte.is_ascii_digit());
    let position: u32 = (plain && digits).then(|| key.parse().ok())??;
    (position < u32::MAX).then_some(position)
}

fn push_number(out: &mut String, text: &str) {
    let is_short_integer = text.len() <= 15
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if is_short_integer {
        return out.push_str(text);
    }
    let shortest = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let shortest = shortest.and_then(|value| Decimal::parse(&format!("{value:e}")));
    match (shortest, Decimal::parse(text)) {
        (Some(shortest), Some(sent)) if shortest == sent => shortest.push_as_script(out),
        _ => out.push_str(text),
    }
}

/// A decimal number: 0.d1d2d3… times ten to the power of `point`. Without digits it is 0.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

impl Decimal {
    /// Parses a JSON number, or one as Rust writes it with an exponent.
    fn parse(text: &str) -> Option<Decimal> {
        let (text, negative) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - digits.len()).ok()?;
        let point = exponent.checked_add(i64::try_from(whole.len()).ok()?)?.checked_sub(zeros)?;
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits, point: 0 });
        }
        Some(Decimal { negative, digits, point })
    }

    /// Writes the number as ECMA-262's Number::toString does.
    fn push_as_script(&self, out: &mut String) {
        let digits = &self.digits;
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        if self.negative {
            out.push('-');
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        match self.point {
            _ if digits.is_empty() => out.push('0'),
            point if count <= point && point <= 21 => {
                out.push_str(digits);
                out.push_str(&zeros(point - count));
            }
            point if 0 < point && point <= 21 => {
                let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
                out.push_str(&[whole, ".", fraction].concat());
            }
            point if -6 < point && point <= 0 => {
                out.push_str(&["0.", &zeros(-point), digits].concat());
            }
            point => {
                let (first, rest) = digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                out.push_str(&format!("{first}{dot}{rest}e{:+}", point - 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &str, expected: &str) {
        assert_eq!(script_text(sent.to_owned()), expected, "for {sent}");
        assert_eq!(script_text(expected.to_owned()), expected, "the text is not stable");
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        // Each pair was printed by JSON.stringify(JSON.parse(sent)) in Node.
        for (sent, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("39800", "39800"),
            ("-39800.00", "-39800"),
            ("9007199254740991", "9007199254740991"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1E-2", "0.01"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1.25e-9", "1.25e-9"),
            ("123456789012345680000", "123456789012345680000"),
            ("1e21", "1e+21"),
            ("1.5e+300", "1.5e+300"),
            ("100000000000000000000", "100000000000000000000"),
            ("5e-324", "5e-324"),
            ("0.1", "0.1"),
        ] {
            check(sent, expected);
        }
    }

    #[test]
    fn a_number_that_a_double_cannot_hold_is_not_rounded() {
        for sent in ["12345678901234567890", "0.1000000000000000055", "1e400", "9007199254740993"] {
            check(sent, sent);
        }
    }

    #[test]
    fn keys_come_in_the_order_that_javascript_keeps() {
        check(
            r#"{"b":1,"10":2,"a":3,"2":4,"01":5,"4294967294":6,"4294967295":7,"-1":8,"":9}"#,
            r#"{"2":4,"10":2,"4294967294":6,"b":1,"a":3,"01":5,"4294967295":7,"-1":8,"":9}"#,
        );
        check(r#"[{"1":1,"0":[{"x":1,"0":2}]}]"#, r#"[{"0":[{"0":2,"x":1}],"1":1}]"#);
    }

    #[test]
    fn texts_are_written_as_javascript_writes_them() {
        check("\"\\u0008\\u001f\\u007f\\u2028\\/\\u00e6\"", "\"\\b\\u001f\u{7f}\u{2028}/æ\"");
    }
}
