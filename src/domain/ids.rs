//! Identifiers of accounts, orders, lines, resources, events, drafts, clients and users.

use std::fmt;

use super::money::AMOUNT_MAX;

/// An account: `T` (test) or `P` (production) and eight digits, such as `T12345678`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// Parses an account id; `None` unless it is `P` or `T` and eight digits.
    pub fn parse(text: &str) -> Option<AccountId> {
        let digits = text.strip_prefix(['T', 'P'])?;
        let valid = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
        valid.then(|| AccountId(text.to_owned()))
    }

    /// True for a test account, whose orders are never of real money.
    pub fn is_test(&self) -> bool {
        self.0.starts_with('T')
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Longest [`OrderName`], in characters.
pub const ORDER_NAME_CHARS_MAX: usize = 64;

/// The name of an order in paths: its `id` or its `order_id`; both share one namespace in an
/// account (docs/contract.md, Decision 5). 1 to 64 printable ASCII characters without spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderName(String);

impl OrderName {
    /// Parses a name. `.` and `..` are refused because every client resolves them away in a path.
    pub fn parse(text: &str) -> Option<OrderName> {
        let printable = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
        let sized = (1..=ORDER_NAME_CHARS_MAX).contains(&text.len());
        let addressable = text != "." && text != "..";
        (printable && sized && addressable).then(|| OrderName(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Longest [`ResourceId`], in characters (published schema `ResourceId`).
pub const RESOURCE_ID_CHARS_MAX: usize = 40;

/// The public id of a resource: a UUID v4 when it is ours, never longer than 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// The id; `None` when it is empty or longer than 40 characters.
    pub fn parse(text: &str) -> Option<ResourceId> {
        let sized = (1..=RESOURCE_ID_CHARS_MAX).contains(&text.chars().count());
        sized.then(|| ResourceId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The number of an order's line, unique in its order. Between 0 and 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(i64);

impl LineId {
    /// `None` if the number is out of range.
    pub fn new(number: i64) -> Option<LineId> {
        (0..=AMOUNT_MAX).contains(&number).then_some(LineId(number))
    }

    pub fn number(self) -> i64 {
        self.0
    }

    /// The next number; `None` after the last.
    pub fn next(self) -> Option<LineId> {
        LineId::new(self.0 + 1)
    }
}

/// Who did something: the id of an API client or of a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreatedBy(pub String);

/// Position of an event, and so of an operation, in the history of the whole book. Strictly
/// rising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventSeq(pub i64);

/// The row of an order. Rows are numbered from 1 in the order of creation, over all accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderSeq(pub i64);

/// The row of a draft. Rows are numbered from 1 in the order of creation, over all accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DraftSeq(pub i64);

/// The row of an order session. Rows are numbered from 1 in the order of creation, over all
/// accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionSeq(pub i64);

/// The row of a payout rule. Rows are numbered from 1 in the order of creation, over all accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayoutRuleSeq(pub i64);

/// The row of a user of the back office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserSeq(pub i64);

/// The row of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookSeq(pub i64);

/// The row of a delivery of a hook. Rows are numbered from 1 in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliverySeq(pub i64);

/// The row of a callback of an order session. Rows are numbered from 1 in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallbackSeq(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_names_are_refused() {
        assert!(AccountId::parse("T00000001").is_some());
        for wrong in ["t00000001", "X00000001", "T0000000", "T000000011", "T0000000١", ""] {
            assert!(AccountId::parse(wrong).is_none(), "{wrong}");
        }
        assert!(OrderName::parse("A/B?ø".trim_end_matches('ø')).is_some());
        for wrong in ["", "a b", "å", "..", ".", &"x".repeat(65)] {
            assert!(OrderName::parse(wrong).is_none(), "{wrong}");
        }
        assert!(OrderName::parse(&"x".repeat(64)).is_some());
        assert!(LineId::new(0).is_some() && LineId::new(-1).is_none());
        assert!(ResourceId::parse(&"x".repeat(41)).is_none());
    }
}
