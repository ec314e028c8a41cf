//! The amount of a part of a line's quantity: 3 of 5 chairs cost three fifths of the line.

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

/// A line of which a part is asked for by quantity. Amounts are magnitudes in minor units.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub quantity: Quantity,
    /// The whole line's quantity.
    pub of: Quantity,
    /// The whole line's price.
    pub payable: u64,
    /// The amount that can still be moved.
    pub available: u64,
}

/// Why a typed quantity is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityRejected {
    /// Not a number above 0, or one that is too long.
    NoQuantity,
    /// The mark groups thousands, or it is the decimal mark.
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

    fn of_millionths(millionths: u128) -> Option<Quantity> {
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

/// A JSON number rounded to 6 decimals, halves away from 0, without zeros at its end. `None` if it
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

impl Part {
    /// The amount of the part, rounded to the nearest minor unit. If only a rounding difference
    /// would be left on the line, the part takes it too, so that no minor unit is stranded.
    pub fn amount(&self) -> u64 {
        let share = nearest(u128::from(self.payable) * self.quantity.0, self.of.0);
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        if share.abs_diff(self.available) <= self.rounding_max() { self.available } else { share }
    }

    /// The most that rounding each unit by itself can have added up to; less than half a unit.
    fn rounding_max(&self) -> u64 {
        let units = self.of.0.div_ceil(SCALE);
        let half_unit = u128::from(self.payable) * SCALE / self.of.0 / 2;
        u64::try_from((units / 2).min(half_unit)).unwrap_or(0)
    }
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

    #[track_caller]
    fn check(quantity: &str, of: &str, payable: u64, available: u64, expected: u64) {
        let (quantity, whole) = (Quantity::parse(quantity).unwrap(), Quantity::parse(of).unwrap());
        let part = Part { quantity, of: whole, payable, available };
        assert_eq!(part.amount(), expected, "{part:?}");
    }

    #[test]
    fn a_part_costs_its_share() {
        check("3", "5", 39_800, 39_800, 23_880);
        check("5", "5", 39_800, 39_800, 39_800);
        check("1,5", "6", 1_000, 1_000, 250);
        check("1", "3", 100, 100, 33);
        check("6", "5", 39_800, 39_800, 47_760);
    }

    #[test]
    fn the_last_part_takes_what_rounding_left() {
        check("1", "3", 100, 34, 34);
        check("2", "3", 100, 67, 67);
        check("1", "7", 1_000, 142, 142);
        check("1", "1", 999, 998, 999);
    }

    #[test]
    fn a_part_is_never_more_than_its_share_of_the_rest() {
        check("2", "3", 10_000, 7_500, 6_667);
        check("1", "1000", 100_000, 160, 100);
        check("1", "3", 1, 1, 0);
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
            (".5", ""),
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
