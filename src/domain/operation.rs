//! A payment operation: a client's report that money was moved at the gateway.

use std::collections::HashSet;

use super::KeptJson;
use super::Timestamp;
use super::ids::{CreatedBy, EventSeq, LineId, ResourceId};
use super::money::Amount;
use crate::sabotage::{self, Fault};

/// The four kinds of payment operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    Authorization,
    Capture,
    Refund,
    Cancellation,
}

impl OperationKind {
    /// In the order in which an order lists them.
    pub const ALL: [OperationKind; 4] =
        [Self::Authorization, Self::Capture, Self::Refund, Self::Cancellation];

    /// The word for one operation, as in an event's `service_status`.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Cancellation => "cancellation",
        }
    }

    /// The word for several, as in paths and in an order's JSON.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Authorization => "authorizations",
            Self::Capture => "captures",
            Self::Refund => "refunds",
            Self::Cancellation => "cancellations",
        }
    }

    /// The inverse of [`singular`](Self::singular).
    pub fn parse(word: &str) -> Option<OperationKind> {
        Self::ALL.into_iter().find(|kind| kind.singular() == word)
    }
}

/// One line's part of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationItem {
    pub line_id: LineId,
    pub amount: Amount,
}

/// Most items of one operation.
pub const OPERATION_ITEMS_MAX: usize = 1_000;

/// Items that each name another line, at most [`OPERATION_ITEMS_MAX`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinctItems(Vec<OperationItem>);

impl DistinctItems {
    /// `None` if there are too many items or if two of them name the same line.
    pub fn new(items: Vec<OperationItem>) -> Option<DistinctItems> {
        let is_valid = items.len() <= OPERATION_ITEMS_MAX
            && duplicate_positions(items.iter().map(|item| Some(item.line_id))).is_empty();
        is_valid.then_some(DistinctItems(items))
    }
}

/// The items of an operation: at least one, and with a total that is in range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationItems {
    items: Vec<OperationItem>,
    total: Amount,
}

/// Why a list of items is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationItemsRejected {
    Empty,
    TotalOutOfRange,
}

impl OperationItems {
    pub fn new(distinct: DistinctItems) -> Result<OperationItems, OperationItemsRejected> {
        let DistinctItems(items) = distinct;
        if items.is_empty() {
            return Err(OperationItemsRejected::Empty);
        }
        let total = Amount::checked_sum(items.iter().map(|item| item.amount))
            .ok_or(OperationItemsRejected::TotalOutOfRange)?;
        Ok(OperationItems { items, total })
    }

    /// In the order in which they were sent.
    pub fn as_slice(&self) -> &[OperationItem] {
        &self.items
    }

    /// The sum of all items.
    pub fn total(&self) -> Amount {
        self.total
    }
}

/// The positions of items whose line an earlier item names. `lines` has the line of each item, and
/// `None` for an item without a valid one.
pub fn duplicate_positions(lines: impl Iterator<Item = Option<LineId>>) -> Vec<usize> {
    if sabotage::is_on(Fault::SkipDuplicateLineCheck) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut is_repeated = |line: Option<LineId>| line.is_some_and(|line| !seen.insert(line));
    lines.enumerate().filter(|(_, line)| is_repeated(*line)).map(|(at, _)| at).collect()
}

/// An operation that a client asks to have recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRequest {
    pub kind: OperationKind,
    /// Whether it succeeded at the gateway; a failed operation is recorded but moves no money.
    pub success: bool,
    /// Needed on orders with `multiple_authorizations`, ignored on others.
    pub authorization_id: Option<ResourceId>,
    pub items: OperationItems,
    /// The order session that it names as the one it belongs to (docs/contract.md, Decision 11).
    pub session_id: Option<ResourceId>,
    /// What the client sent, without the members that the server computes.
    pub document: KeptJson,
}

/// A recorded operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub seq: EventSeq,
    pub kind: OperationKind,
    pub id: ResourceId,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub success: bool,
    pub amount: Amount,
    /// Only on orders with `multiple_authorizations`.
    pub authorization_id: Option<ResourceId>,
    pub items: Vec<OperationItem>,
    pub document: KeptJson,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::AMOUNT_MAX;

    fn distinct(pairs: &[(i64, i64)]) -> Option<DistinctItems> {
        let item = |&(line, amount): &(i64, i64)| OperationItem {
            line_id: LineId::new(line).unwrap(),
            amount: Amount::new(amount).unwrap(),
        };
        DistinctItems::new(pairs.iter().map(item).collect())
    }

    fn items(pairs: &[(i64, i64)]) -> Result<OperationItems, OperationItemsRejected> {
        OperationItems::new(distinct(pairs).unwrap())
    }

    #[test]
    fn a_list_of_items_with_the_same_line_twice_cannot_be_made() {
        let twice = [(1, 5), (2, 5), (1, 0), (2, 1)];
        assert_eq!(distinct(&twice), None);
        let lines = [Some(1), None, Some(2), None, Some(1)].map(|line| LineId::new(line?));
        assert_eq!(duplicate_positions(lines.into_iter()), [4]);
        assert_eq!(items(&[]), Err(OperationItemsRejected::Empty));
        assert_eq!(items(&[(1, AMOUNT_MAX), (2, 1)]), Err(OperationItemsRejected::TotalOutOfRange));
        assert_eq!(items(&[(1, 5), (2, -7)]).unwrap().total(), Amount::new(-2).unwrap());
        let many: Vec<_> = (0..1_001).map(|n| (n, 0)).collect();
        assert_eq!(distinct(&many), None);
        assert!(items(&many[..1_000]).is_ok());
    }

    #[test]
    fn every_kind_is_parsed_from_its_word() {
        for kind in OperationKind::ALL {
            assert_eq!(OperationKind::parse(kind.singular()), Some(kind));
        }
        assert_eq!(OperationKind::parse("payout"), None);
    }
}
