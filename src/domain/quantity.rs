//! A quantity of a line's units, at six decimals.

use std::fmt;

use super::typed_number::{self, Reading, TypedNumber};

/// Most digits after the decimal point of a quantity.
const DECIMALS_MAX: usize = 6;

/// Most digits before the decimal point.
const DIGITS_MAX: usize = 12;

/// Most digits of a number that is rounded.
const NUMBER_DIGITS_MAX: usize = 30;

const SCALE: u128 = 1_000_000;

/// A quantity in millionths, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u128);

/// Why a typed quantity is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityRejected {
    /// Not a number above 0, or one that is too long.
    NoQuantity,
    /// Its only mark may group thousands or be the decimal mark.
    Ambiguous { grouped: Quantity, decimal: Quantity },
}

impl Quantity {
    pub const ONE: Quantity = Quantity(SCALE);

    /// Parses a quantity as a person types it, such as `3` or `2,5`.
    pub fn parse(typed: &str) -> Result<Quantity, QuantityRejected> {
        let above_zero = |number| Quantity::of(&number).ok_or(QuantityRejected::NoQuantity);
        match typed_number::read(typed).ok_or(QuantityRejected::NoQuantity)? {
            Reading::One(number) => above_zero(number),
            Reading::Two { grouped, decimal } => Err(QuantityRejected::Ambiguous {
                grouped: above_zero(grouped)?,
                decimal: above_zero(decimal)?,
            }),
        }
    }

    fn of(number: &TypedNumber) -> Option<Quantity> {
        let is_sized = number.whole.len() <= DIGITS_MAX && number.decimals.len() <= DECIMALS_MAX;
        if !is_sized || number.negative {
            return None;
        }
        let digits = format!("{}{:0<DECIMALS_MAX$}", number.whole, number.decimals);
        Quantity::of_millionths(digits.parse().ok()?)
    }

    /// The quantity of a JSON number, rounded to millionths; `None` unless that is above 0 and has
    /// at most twelve digits before the point.
    pub fn of_json_number(number: &str) -> Option<Quantity> {
        let text = rounded(number)?;
        let negative = text.starts_with('-');
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let (whole, decimals) = (whole.to_owned(), decimals.to_owned());
        Quantity::of(&TypedNumber { negative, whole, decimals })
    }

    pub fn millionths(self) -> u128 {
        self.0
    }

    /// `None` for 0.
    pub fn of_millionths(millionths: u128) -> Option<Quantity> {
        (0 < millionths).then_some(Quantity(millionths))
    }
}

/// Without grouping and without zeros at the end, as `1250.5`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:0DECIMALS_MAX$}", self.0 % SCALE);
        let text = format!("{}.{decimals}", self.0 / SCALE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// A JSON number rounded to 6 decimals (halves away from 0), without zeros at its end. `None` if it
/// is longer than any quantity.
pub fn rounded(number: &str) -> Option<String> {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{part}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || NUMBER_DIGITS_MAX < digits.len() {
        return None;
    }
    // The number is `digits` times ten to the power of `places`, in millionths.
    let exponent: i64 = exponent.parse().ok()?;
    let decimals = i64::try_from(DECIMALS_MAX).ok()?;
    let places = exponent.checked_add(decimals)?.checked_sub(i64::try_from(part.len()).ok()?)?;
    let digits: u128 = digits.parse().ok()?;
    let power = |places: u64| u32::try_from(places).ok().and_then(|n| 10u128.checked_pow(n));
    let millionths = match u64::try_from(places) {
        Ok(places) => digits.checked_mul(power(places)?)?,
        Err(_) => power(places.unsigned_abs()).map_or(0, |divisor| nearest(digits, divisor)),
    };
    let text = format!("{}.{:0>DECIMALS_MAX$}", millionths / SCALE, millionths % SCALE);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Some(if text == "0" { text.to_owned() } else { format!("{sign}{text}") })
}

/// `dividend / divisor`, halves rounded up.
fn nearest(dividend: u128, divisor: u128) -> u128 {
    (dividend + divisor / 2) / divisor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_rounded_to_six_decimals() {
        for (sent, shown) in [
            ("0.30000000000000004", "0.3"),
            ("2.9999999999999996", "3"),
            ("0.1", "0.1"),
            ("1.100000", "1.1"),
            ("3", "3"),
            ("3.0", "3"),
            ("100", "100"),
            ("0.0000005", "0.000001"),
            ("0.00000049", "0"),
            ("-0.0000001", "0"),
            ("-2.50", "-2.5"),
            ("1.2345675", "1.234568"),
            ("1.5e2", "150"),
            ("25E-1", "2.5"),
            ("1e-400", "0"),
            ("999999999999.999999", "999999999999.999999"),
        ] {
            assert_eq!(rounded(sent).as_deref(), Some(shown), "{sent}");
        }
        for too_long in ["1e400", "1e99999999999999999999", &"1".repeat(31), "1e33"] {
            assert_eq!(rounded(too_long), None, "{too_long}");
        }
    }

    #[test]
    fn quantities_are_never_read_as_other_quantities() {
        let shown = |typed: &str| match Quantity::parse(typed) {
            Ok(quantity) => quantity.to_string(),
            Err(QuantityRejected::NoQuantity) => String::new(),
            Err(QuantityRejected::Ambiguous { grouped, decimal }) => {
                format!("{grouped} or {decimal}")
            }
        };
        for (typed, expected) in [
            (" 2.50 ", "2.5"),
            ("2,5", "2.5"),
            ("1 000", "1000"),
            ("1.000", "1000 or 1"),
            ("1,250", "1250 or 1.25"),
            ("0.125", "125 or 0.125"),
            ("0.1250", "0.125"),
            ("1.000.000", "1000000"),
            ("0.000001", "0.000001"),
            ("", ""),
            ("0", ""),
            ("0,0", ""),
            ("0.000", ""),
            ("-1", ""),
            ("1e3", ""),
            ("1.2.3", ""),
            ("x", ""),
            (".5", "0.5"),
            (".500", "500 or 0.5"),
            ("5.", ""),
            ("1.1234567", ""),
            ("1234567890123", ""),
        ] {
            assert_eq!(shown(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn quantities_of_json_are_taken_at_six_decimals() {
        let shown = |number: &str| Quantity::of_json_number(number).map(|q| q.to_string());
        for (number, expected) in [
            ("3", "3"),
            ("1.250", "1.25"),
            ("0.125", "0.125"),
            ("0.30000000000000004", "0.3"),
            ("2.9999999999999996", "3"),
            ("0.0000005", "0.000001"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("25e-1", "2.5"),
            ("100000000000", "100000000000"),
        ] {
            assert_eq!(shown(number).as_deref(), Some(expected), "{number}");
        }
        for number in ["0", "0.0", "-1", "0.0000004", "1e12", "1e-400", "1e99999999999999999999"] {
            assert_eq!(shown(number), None, "{number}");
        }
    }
}
