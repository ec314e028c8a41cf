//! Payout rules: how the money of a line is divided (docs/contract.md, Decision 12).

use super::KeptJson;
use super::currency::Currency;

/// The most entries of one rule, those of its remaining amount included.
pub const DESTINATIONS_MAX: usize = 20;

/// The most rules of one account that are not deleted.
pub const RULES_MAX: u32 = 10_000;

/// The most rules in the options of one draft.
pub const RULES_OF_DRAFT_MAX: usize = 100;

/// Longest [`RuleId`], in characters.
pub const RULE_ID_CHARS_MAX: usize = 200;

/// Longest [`Destination`], in characters.
const DESTINATION_CHARS_MAX: usize = 40;

/// The property of an item that a rule is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleType {
    /// The rule's `rule_id` is the id of a line's store.
    StoreId,
}

impl RuleType {
    pub const ALL: [RuleType; 1] = [Self::StoreId];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StoreId => "order.items.store.id",
        }
    }

    pub fn parse(word: &str) -> Option<RuleType> {
        Self::ALL.into_iter().find(|rule_type| rule_type.as_str() == word)
    }
}

/// The value that a rule is matched with, such as the id of a store. 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RuleId(String);

impl RuleId {
    /// `None` if the text is empty or too long.
    pub fn parse(text: &str) -> Option<RuleId> {
        let sized = (1..=RULE_ID_CHARS_MAX).contains(&text.chars().count());
        sized.then(|| RuleId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a receiver of payouts: 1 to 40 of `A-Z`, `a-z`, `0-9`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination(String);

impl Destination {
    pub fn parse(text: &str) -> Option<Destination> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let sized = (1..=DESTINATION_CHARS_MAX).contains(&text.len());
        (plain && sized).then(|| Destination(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A percentage from 0 to 100, in units of 0.0001 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentage(u32);

impl Percentage {
    /// 100 percent, in units.
    const WHOLE: u32 = 1_000_000;

    /// The most decimals of a percentage.
    const DECIMALS: usize = 4;

    /// Parses the text of a JSON number; `None` if it is out of range, has more than four decimals
    /// that are not 0, or has an exponent.
    pub fn parse(text: &str) -> Option<Percentage> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let is_plain = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_plain(whole) || !is_plain(fraction) {
            return None;
        }
        let missing_decimals = Self::DECIMALS.checked_sub(fraction.len())?;
        let units = format!("{whole}{fraction}{}", "0".repeat(missing_decimals));
        let units = units.parse().ok().filter(|units| *units <= Self::WHOLE)?;
        Some(Percentage(units))
    }

    /// In units of 0.0001 percent.
    pub fn units(self) -> u32 {
        self.0
    }
}

/// An entry of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Percentage(PercentageEntry),
    /// Divides the amount that the entries before it leave.
    Remaining(Vec<PercentageEntry>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PercentageEntry {
    pub value: Percentage,
    pub destination: Destination,
}

/// Why a rule's entries are invalid. `entry` is a position among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharesRejected {
    Empty,
    TooMany,
    RemainingNotLast {
        entry: usize,
    },
    RemainingNotWhole {
        entry: usize,
    },
    /// The percentages add up to more than 100, or to less without a remaining amount.
    NotWhole,
}

/// Each destination's part of a line, in the order in which a rule first names them. The weights
/// add up to [`Shares::WHOLE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Vec<Share>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub destination: Destination,
    pub weight: u64,
}

impl Shares {
    /// The sum of all weights. Fine enough for a percentage of the rest that other percentages
    /// leave.
    pub const WHOLE: u64 = 1_000_000_000_000;

    /// The shares that a rule's entries give. A destination that is named more than once has the
    /// sum of its weights.
    pub fn of(entries: &[Entry]) -> Result<Shares, SharesRejected> {
        let whole = u64::from(Percentage::WHOLE);
        let named = |entry: &Entry| match entry {
            Entry::Percentage(_) => 1,
            Entry::Remaining(inner) => inner.len(),
        };
        if entries.is_empty() {
            return Err(SharesRejected::Empty);
        }
        if DESTINATIONS_MAX < entries.iter().map(named).sum::<usize>() {
            return Err(SharesRejected::TooMany);
        }
        let mut shares = Shares(Vec::new());
        let mut left = whole;
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Percentage(PercentageEntry { value, destination }) => {
                    let units = u64::from(value.units());
                    left = left.checked_sub(units).ok_or(SharesRejected::NotWhole)?;
                    shares.add(destination, units * whole);
                }
                Entry::Remaining(_) if at + 1 != entries.len() => {
                    return Err(SharesRejected::RemainingNotLast { entry: at });
                }
                Entry::Remaining(inner) => {
                    let units = |entry: &PercentageEntry| u64::from(entry.value.units());
                    if inner.iter().map(units).sum::<u64>() != whole {
                        return Err(SharesRejected::RemainingNotWhole { entry: at });
                    }
                    inner.iter().for_each(|it| shares.add(&it.destination, left * units(it)));
                    left = 0;
                }
            }
        }
        if left == 0 { Ok(shares) } else { Err(SharesRejected::NotWhole) }
    }

    /// Shares as they were stored; `None` if the weights do not add up to the whole.
    pub fn restore(shares: Vec<Share>) -> Option<Shares> {
        let sum = shares.iter().try_fold(0_u64, |sum, share| sum.checked_add(share.weight));
        (sum == Some(Self::WHOLE)).then_some(Shares(shares))
    }

    pub fn as_slice(&self) -> &[Share] {
        &self.0
    }

    fn add(&mut self, destination: &Destination, weight: u64) {
        match self.0.iter_mut().find(|share| share.destination == *destination) {
            Some(share) => share.weight += weight,
            None => self.0.push(Share { destination: destination.clone(), weight }),
        }
    }
}

/// A rule as a line has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRule {
    pub rule_type: RuleType,
    pub rule_id: RuleId,
    pub shares: Shares,
}

/// A rule as it was copied to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedRule {
    pub rule: LineRule,
    /// The rule's type, id and destinations as they were sent.
    pub document: KeptJson,
}

/// The items that a rule applies to. Each of an account's rules that are not deleted has another
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleKey {
    pub rule_type: RuleType,
    pub rule_id: RuleId,
    /// `None` if the rule is for every currency that has no rule of its own.
    pub currency: Option<Currency>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> PercentageEntry {
        let (destination, value) = text.split_once(' ').unwrap();
        PercentageEntry {
            value: Percentage::parse(value).unwrap(),
            destination: Destination::parse(destination).unwrap(),
        }
    }

    /// Entries separated by commas; those of the remaining amount after a `>`.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let list = |part: &str| -> Vec<PercentageEntry> {
            part.split(", ").filter(|one| !one.is_empty()).map(entry).collect()
        };
        let mut entries = Vec::new();
        for (at, part) in text.split('>').enumerate() {
            match at {
                0 => entries.extend(list(part).into_iter().map(Entry::Percentage)),
                _ => entries.push(Entry::Remaining(list(part.trim_start()))),
            }
        }
        let told = match Shares::of(&entries) {
            Ok(shares) => {
                assert!(Shares::restore(shares.0.clone()).is_some());
                let shares = shares.0.iter();
                let shares = shares.map(|s| format!("{} {}", s.destination.as_str(), s.weight));
                shares.collect::<Vec<_>>().join(", ")
            }
            Err(rejected) => format!("{rejected:?}"),
        };
        assert_eq!(told, expected, "for {text}");
    }

    #[test]
    fn the_shares_of_a_rule_add_up_to_the_whole() {
        check("a 100", "a 1000000000000");
        check("a 33.3333, b 66.6667", "a 333333000000, b 666667000000");
        check("a 10> b 50.5, a 49.5", "a 545500000000, b 454500000000");
        check("a 99.9999> b 0.0001, c 99.9999", "a 999999000000, b 1, c 999999");
        check("a 100> b 100", "a 1000000000000, b 0");
        check("> b 100", "b 1000000000000");
        check("a 0, b 100", "a 0, b 1000000000000");
        check("a 50, a 50", "a 1000000000000");
    }

    #[test]
    fn shares_that_are_not_the_whole_are_refused() {
        check("", "Empty");
        check("a 99.9999", "NotWhole");
        check("a 100, b 0.0001", "NotWhole");
        check("a 100, b 0.0001> c 100", "NotWhole");
        check("a 10> b 99.9999", "RemainingNotWhole { entry: 1 }");
        check("a 10> ", "RemainingNotWhole { entry: 1 }");
        check("a 10> b 100> c 100", "RemainingNotLast { entry: 1 }");
        let many = |count: usize| vec!["a 5"; count].join(", ");
        check(&many(20), "a 1000000000000");
        check(&many(21), "TooMany");
        check(&format!("{}> b 50, c 50", many(19)), "TooMany");
    }

    #[test]
    fn a_percentage_is_a_decimal_from_0_to_100() {
        let read = |text| Percentage::parse(text).map(Percentage::units);
        for (text, units) in [
            ("0", 0),
            ("0.0001", 1),
            ("33.3", 333_000),
            ("33.33330000", 333_333),
            ("100.000", 1_000_000),
            ("007", 70_000),
        ] {
            assert_eq!(read(text), Some(units), "{text}");
        }
        let wrong = ["", ".", ".5", "100.0001", "0.00001", "-1", "-0", "+1", "1e1", "1 ", "１"];
        for text in wrong.into_iter().chain(["99999999999999999999", "1.2.3"]) {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!(Destination::parse("a-B_9").is_some());
        assert!(Destination::parse(&"d".repeat(40)).is_some());
        for wrong in ["", "a b", "å", "a.b", &"d".repeat(41)] {
            assert!(Destination::parse(wrong).is_none(), "{wrong}");
        }
        assert!(RuleId::parse(&"ø".repeat(200)).is_some());
        assert!(RuleId::parse("").is_none() && RuleId::parse(&"x".repeat(201)).is_none());
        for rule_type in RuleType::ALL {
            assert_eq!(RuleType::parse(rule_type.as_str()), Some(rule_type));
        }
    }
}
