//! The currencies of ISO 4217 and how many decimals each has.

/// `code,decimals` of every currency that has minor units, sorted by code.
const TABLE: &str = include_str!("../../data/reference/currencies.csv");

/// A currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Currency {
    code: String,
    decimals: u8,
}

impl Currency {
    /// The currency of that three-letter code, in capitals; `None` when there is none.
    pub fn parse(code: &str) -> Option<Currency> {
        TABLE.lines().skip(1).find_map(|row| {
            let (found, decimals) = row.split_once(',')?;
            (found == code)
                .then(|| decimals.parse().ok())
                .flatten()
                .map(|decimals| Currency { code: code.to_owned(), decimals })
        })
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// How many of an amount's digits stand behind the decimal point.
    pub fn decimals(&self) -> u8 {
        self.decimals
    }

    /// `minor_units` for a person to read, as in `398.00 NOK`.
    pub fn display(&self, minor_units: i128) -> String {
        let sign = if minor_units < 0 { "-" } else { "" };
        let scale = 10_u128.pow(u32::from(self.decimals));
        let (whole, part) =
            (minor_units.unsigned_abs() / scale, minor_units.unsigned_abs() % scale);
        let width = usize::from(self.decimals);
        if width == 0 {
            return format!("{sign}{whole} {}", self.code);
        }
        format!("{sign}{whole}.{part:0width$} {}", self.code)
    }
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
        let display = |code, minor| Currency::parse(code).unwrap().display(minor);
        assert_eq!(display("NOK", 39800), "398.00 NOK");
        assert_eq!(display("NOK", -5), "-0.05 NOK");
        assert_eq!(display("ISK", 4990), "4990 ISK");
        assert_eq!(display("KWD", 1005), "1.005 KWD");
    }
}
