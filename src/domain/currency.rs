//! The currencies of ISO 4217 and how many decimals each has.

use std::sync::LazyLock;

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

    /// Parses an amount as a person types it, with a comma or a point and with or without spaces
    /// between thousands, into minor units.
    pub fn parse_figure(&self, typed: &str) -> Result<i64, FigureRejected> {
        let plain: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let (sign, digits) = match plain.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (-1, rest),
            None => (1, plain.as_str()),
        };
        let (whole, part) = digits.split_once([',', '.']).unwrap_or((digits, ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) {
            return Err(FigureRejected::NoFigure);
        }
        let decimals = usize::from(self.decimals);
        if decimals < part.trim_end_matches('0').len() {
            return Err(FigureRejected::TooManyDecimals { decimals: self.decimals });
        }
        let kept = &part[..part.len().min(decimals)];
        let minor: i64 =
            format!("{whole}{kept:0<decimals$}").parse().map_err(|_| FigureRejected::NoFigure)?;
        Ok(sign * minor)
    }
}

fn read_row(row: &'static str) -> Option<Currency> {
    let (code, decimals) = row.split_once(',')?;
    Some(Currency { code, decimals: decimals.parse().ok()? })
}

/// Why a typed amount is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureRejected {
    NoFigure,
    TooManyDecimals { decimals: u8 },
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
    fn figures_are_read_as_people_type_them() {
        let parse = |code, typed| Currency::parse(code).unwrap().parse_figure(typed);
        assert_eq!(parse("NOK", " 1 398,5 "), Ok(139_850));
        assert_eq!(parse("NOK", "1\u{a0}398.50"), Ok(139_850));
        assert_eq!(parse("NOK", "-0.05"), Ok(-5));
        assert_eq!(parse("NOK", "12.500"), Ok(1_250));
        assert_eq!(parse("NOK", "1."), Ok(100));
        assert_eq!(parse("ISK", "4990"), Ok(4_990));
        assert_eq!(parse("NOK", "1.005"), Err(FigureRejected::TooManyDecimals { decimals: 2 }));
        assert_eq!(parse("ISK", "1,5"), Err(FigureRejected::TooManyDecimals { decimals: 0 }));
        for typed in ["", "-", ".5", "1.2.3", "1e3", "abc", "99999999999999999999"] {
            assert_eq!(parse("NOK", typed), Err(FigureRejected::NoFigure), "{typed}");
        }
    }
}
