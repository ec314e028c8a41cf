//! Compares JSON values by meaning, not by notation.

use super::Tree;

impl Tree {
    /// Whether both values mean the same: the order of members and the notation of numbers are
    /// ignored, so that `1.50` equals `1.5` and `1e2` equals `100`.
    pub fn means_same(&self, other: &Tree) -> bool {
        match (self, other) {
            (Tree::Number(one), Tree::Number(two)) => one == two || same_number(one, two),
            (Tree::List(ours), Tree::List(theirs)) => {
                let pairs = ours.iter().zip(theirs);
                ours.len() == theirs.len() && pairs.into_iter().all(|(a, b)| a.means_same(b))
            }
            (Tree::Object(ours), Tree::Object(theirs)) => {
                let same = |(key, value): &(String, Tree)| {
                    other.member(key).is_some_and(|theirs| value.means_same(theirs))
                };
                ours.len() == theirs.len() && ours.iter().all(same)
            }
            _ => self == other,
        }
    }
}

fn same_number(one: &str, two: &str) -> bool {
    normal(one).is_some_and(|one| Some(one) == normal(two))
}

/// A number's sign, its digits without leading and trailing zeros, and the power of ten of the last
/// digit. `None` if that power overflows.
fn normal(number: &str) -> Option<(bool, String, i64)> {
    let (number, negative) = match number.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (number, false),
    };
    let (mantissa, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power: i64 = power.parse().ok()?;
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn values_are_equal_whatever_their_notation() {
        let table = [
            ("1.50", "1.5", true),
            ("-0.0", "0", true),
            ("100", "1e2", true),
            ("0.001", "1E-3", true),
            ("1", "-1", false),
            ("10", "1", false),
            ("12345678901234567890.1", "12345678901234567890.2", false),
            ("1e99999999999999999999", "1e99999999999999999998", false),
            ("\"1\"", "1", false),
            (r#"{"a":1.0,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
            ("[1,2]", "[2,1]", false),
            ("[1]", "[1,2]", false),
        ];
        for (one, two, expected) in table {
            let tree = |text: &str| parse(text.as_bytes()).unwrap();
            assert_eq!(tree(one).means_same(&tree(two)), expected, "{one} and {two}");
            assert_eq!(tree(two).means_same(&tree(one)), expected, "{two} and {one}");
        }
    }
}
