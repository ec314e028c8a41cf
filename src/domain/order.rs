//! An order's status and the changes of it that are allowed (docs/contract.md, Decision 6).

use super::line::Line;

/// An order's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    Open,
    Closed,
    Cancelled,
}

impl OrderStatus {
    pub const ALL: [OrderStatus; 3] = [Self::Open, Self::Closed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(word: &str) -> Option<OrderStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelledReason {
    Customer,
    Merchant,
    Fraud,
    Expired,
    Other,
}

impl CancelledReason {
    pub const ALL: [CancelledReason; 5] =
        [Self::Customer, Self::Merchant, Self::Fraud, Self::Expired, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Merchant => "merchant",
            Self::Fraud => "fraud",
            Self::Expired => "expired",
            Self::Other => "other",
        }
    }

    pub fn parse(word: &str) -> Option<CancelledReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// A change of an order's status that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    Open,
    Close,
    Cancel(Option<CancelledReason>),
}

/// Why a status change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChangeRejected {
    OrderCancelled,
    OrderNotOpen,
    OrderNotClosed,
    OrderHasCaptures,
}

/// Decides the status after a change.
pub fn decide_status_change(
    status: OrderStatus,
    lines: &[Line],
    change: StatusChange,
) -> Result<OrderStatus, StatusChangeRejected> {
    if status == OrderStatus::Cancelled {
        return Err(StatusChangeRejected::OrderCancelled);
    }
    match change {
        StatusChange::Open if status == OrderStatus::Open => {
            Err(StatusChangeRejected::OrderNotClosed)
        }
        StatusChange::Close if status == OrderStatus::Closed => {
            Err(StatusChangeRejected::OrderNotOpen)
        }
        StatusChange::Cancel(_) if lines.iter().any(|line| 0 < line.sums().captured) => {
            Err(StatusChangeRejected::OrderHasCaptures)
        }
        StatusChange::Open => Ok(OrderStatus::Open),
        StatusChange::Close => Ok(OrderStatus::Closed),
        StatusChange::Cancel(_) => Ok(OrderStatus::Cancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventSeq, LineId};
    use crate::domain::money::Amount;
    use crate::domain::operation::OperationKind;

    #[test]
    fn every_change_of_status_from_every_status() {
        use OrderStatus::*;
        use StatusChangeRejected::*;
        let table = [
            (Open, StatusChange::Open, Err(OrderNotClosed)),
            (Open, StatusChange::Close, Ok(Closed)),
            (Open, StatusChange::Cancel(None), Ok(Cancelled)),
            (Closed, StatusChange::Open, Ok(Open)),
            (Closed, StatusChange::Close, Err(OrderNotOpen)),
            (Closed, StatusChange::Cancel(None), Ok(Cancelled)),
            (Cancelled, StatusChange::Open, Err(OrderCancelled)),
            (Cancelled, StatusChange::Close, Err(OrderCancelled)),
            (Cancelled, StatusChange::Cancel(None), Err(OrderCancelled)),
        ];
        for (from, change, expected) in table {
            assert_eq!(decide_status_change(from, &[], change), expected, "{from:?} {change:?}");
        }
    }

    #[test]
    fn an_order_with_captures_cannot_be_cancelled() {
        let fresh = Line::fresh(LineId::new(1).unwrap(), Amount::new(5).unwrap());
        let captured = fresh.moved(OperationKind::Capture, 1, None, EventSeq(1)).unwrap();
        let cancel = StatusChange::Cancel(Some(CancelledReason::Fraud));
        assert_eq!(
            decide_status_change(OrderStatus::Open, &[captured], cancel),
            Err(StatusChangeRejected::OrderHasCaptures)
        );
        assert!(decide_status_change(OrderStatus::Open, &[fresh], cancel).is_ok());
    }
}
