//! The currencies of ISO 4217 and how many decimals each has.

use std::sync::LazyLock;

use super::typed_number::{self, Reading, TypedNumber};

/// `code,decimals` of every currency that has minor units, sorted by code.
const TABLE: &str = include_str!("../../data/reference/currencies.csv");

static CURRENCIES: LazyLock<Vec<Currency>> =
    LazyLock::new(|| TABLE.lines().skip(1).filter_map(read_row).collect());

/// A currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Currency {
    code: &'static str,
    decimals: u8,
}

/// Why a typed amount is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureRejected {
    NoFigure,
    TooManyDecimals {
        decimals: u8,
    },
    TooLarge,
    /// Two amounts in minor units: the mark groups thousands, or it is the decimal mark. The
    /// second is `None` if the currency does not have that many decimals.
    Ambiguous {
        grouped: i64,
        decimal: Option<i64>,
    },
}

impl Currency {
    /// The currency with this three-letter code, in capitals; `None` if it is unknown.
    pub fn parse(code: &str) -> Option<Currency> {
        let at = CURRENCIES.binary_search_by(|currency| currency.code.cmp(code)).ok()?;
        CURRENCIES.get(at).cloned()
    }

    pub fn code(&self) -> &str {
        self.code
    }

    /// Digits after the decimal point.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// The amount for a person to read, such as `1 398.00`.
    pub fn figure(&self, minor_units: i128) -> String {
        let sign = if minor_units < 0 { "-" } else { "" };
        let scale = 10_u128.pow(u32::from(self.decimals));
        let magnitude = minor_units.unsigned_abs();
        let whole = grouped(magnitude / scale);
        let (part, width) = (magnitude % scale, usize::from(self.decimals));
        if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:0width$}") }
    }

    /// An amount to show people how to write one: `120.00`, or `120` without decimals.
    pub fn example(&self) -> String {
        self.figure(120 * 10_i128.pow(u32::from(self.decimals)))
    }

    /// The amount with its currency, such as `1 398.00 NOK`.
    pub fn display(&self, minor_units: i128) -> String {
        format!("{}\u{a0}{}", self.figure(minor_units), self.code)
    }

    /// The amount in thousandths of the currency's unit, to compare amounts of different
    /// currencies. The few currencies with four decimals lose the last one.
    pub fn thousandths(&self, minor_units: i128) -> i128 {
        match self.decimals {
            0 => minor_units * 1_000,
            1 => minor_units * 100,
            2 => minor_units * 10,
            3 => minor_units,
            _ => minor_units / 10,
        }
    }

    /// Parses an amount as a person types it into minor units. An amount that can be read in two
    /// ways is refused, in every currency.
    pub fn parse_figure(&self, typed: &str) -> Result<i64, FigureRejected> {
        match typed_number::read(typed).ok_or(FigureRejected::NoFigure)? {
            Reading::One(number) => self.minor_units(&number),
            Reading::Two { grouped, decimal } => Err(FigureRejected::Ambiguous {
                grouped: self.minor_units(&grouped)?,
                decimal: self.minor_units(&with_needed_decimals(decimal)).ok(),
            }),
        }
    }

    fn minor_units(&self, number: &TypedNumber) -> Result<i64, FigureRejected> {
        let decimals = usize::from(self.decimals);
        if decimals < number.decimals.len() {
            return Err(FigureRejected::TooManyDecimals { decimals: self.decimals });
        }
        let digits = format!("{}{:0<decimals$}", number.whole, number.decimals);
        let minor: i64 = digits.parse().map_err(|_| FigureRejected::TooLarge)?;
        Ok(if number.negative { -minor } else { minor })
    }
}

/// `1.000` as a decimal number is 1, which a currency without decimals has too.
fn with_needed_decimals(number: TypedNumber) -> TypedNumber {
    TypedNumber { decimals: number.decimals.trim_end_matches('0').to_owned(), ..number }
}

fn read_row(row: &'static str) -> Option<Currency> {
    let (code, decimals) = row.split_once(',')?;
    Some(Currency { code, decimals: decimals.parse().ok()? })
}

/// Groups the digits in threes, with no-break spaces.
fn grouped(whole: u128) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if 0 < at && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_a_currency() {
        let codes: Vec<&str> = TABLE.lines().skip(1).map(|row| &row[..3]).collect();
        assert!(codes.iter().all(|code| Currency::parse(code).is_some()));
        assert!(codes.is_sorted() && 150 < codes.len());
        assert_eq!(Currency::parse("nok"), None);
        assert_eq!(Currency::parse("XXX"), None);
        assert_eq!(Currency::parse(""), None);
    }

    #[test]
    fn amounts_show_the_currency_s_own_decimals() {
        let display =
            |code, minor| Currency::parse(code).unwrap().display(minor).replace('\u{a0}', "_");
        assert_eq!(display("NOK", 39800), "398.00_NOK");
        assert_eq!(display("NOK", -123_456_705), "-1_234_567.05_NOK");
        assert_eq!(display("ISK", 4990), "4_990_ISK");
        assert_eq!(display("KWD", 1005), "1.005_KWD");
    }

    #[test]
    fn thousandths_compare_across_currencies() {
        let thousandths = |code, minor| Currency::parse(code).unwrap().thousandths(minor);
        assert_eq!(thousandths("ISK", 4_990), thousandths("NOK", 499_000));
        assert_eq!(thousandths("KWD", -1_005), -1_005);
        assert_eq!(thousandths("CLF", 10_059), 1_005);
    }

    #[test]
    fn figures_are_never_read_as_other_amounts() {
        use FigureRejected::{Ambiguous, NoFigure, TooLarge, TooManyDecimals};
        let many = |decimals| Err(TooManyDecimals { decimals });
        let two = |grouped, decimal| Err(Ambiguous { grouped, decimal });
        for (code, typed, expected) in [
            ("NOK", " 1 398,5 ", Ok(139_850)),
            ("NOK", "1\u{a0}398.50", Ok(139_850)),
            ("NOK", "1,398.50", Ok(139_850)),
            ("NOK", "1.398,50", Ok(139_850)),
            ("NOK", "1.398.000", Ok(139_800_000)),
            ("NOK", "-0.05", Ok(-5)),
            ("NOK", "1", Ok(100)),
            ("NOK", "1.000", two(100_000, Some(100))),
            ("NOK", "1,500", two(150_000, Some(150))),
            ("NOK", "1.005", two(100_500, None)),
            ("NOK", "-12.500", two(-1_250_000, Some(-1_250))),
            ("NOK", "12.5000", many(2)),
            ("NOK", "1.0000", many(2)),
            ("NOK", "1,234.567", many(2)),
            ("NOK", "1.", Err(NoFigure)),
            ("NOK", "1.00.0", Err(NoFigure)),
            ("NOK", "99999999999999999999", Err(TooLarge)),
            ("NOK", "99999999999999999.999", Err(TooLarge)),
            ("ISK", "4990", Ok(4_990)),
            ("ISK", "4 990", Ok(4_990)),
            ("ISK", "12.000", two(12_000, Some(12))),
            ("ISK", "12.345", two(12_345, None)),
            ("ISK", "1,5", many(0)),
            ("ISK", "12.0", many(0)),
            ("ISK", "12.00", many(0)),
            ("ISK", "1.234.567", Ok(1_234_567)),
            ("JPY", "1,000", two(1_000, Some(1))),
            ("KWD", "1.5", Ok(1_500)),
            ("KWD", "1.50", Ok(1_500)),
            ("KWD", "1.000", two(1_000_000, Some(1_000))),
            ("KWD", "12,345", two(12_345_000, Some(12_345))),
            ("KWD", "1,234.567", Ok(1_234_567)),
            ("KWD", "1.2345", many(3)),
            ("CLF", "1.2345", Ok(12_345)),
            ("CLF", "1.234", two(12_340_000, Some(12_340))),
        ] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!(currency.parse_figure(typed), expected, "{typed} {code}");
        }
    }
}
