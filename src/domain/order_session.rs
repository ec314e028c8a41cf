//! Order sessions: one visit of a payer to a payment page (docs/contract.md, Decision 11).

use super::ids::{EventSeq, LineId, ResourceId};
use super::ledger::{ExceededLine, Ledger, OperationRejected, ReferenceProblem, decide};
use super::money::Amount;
use super::operation::{
    DistinctItems, OPERATION_ITEMS_MAX, OperationItem, OperationItems, OperationKind,
    OperationRequest, duplicate_positions,
};
use super::{KeptJson, Timestamp};

/// How long a session can be paid: 24 hours.
pub const SESSION_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;

/// Most open sessions of one order.
pub const OPEN_SESSIONS_MAX: i64 = 100;

/// A session's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    Completed,
    Failed,
    Cancelled,
    Expired,
}

impl SessionStatus {
    pub const ALL: [SessionStatus; 5] =
        [Self::Open, Self::Completed, Self::Failed, Self::Cancelled, Self::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    pub fn parse(word: &str) -> Option<SessionStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The status of a session at `now`, from the stored one: an open session expires by itself.
    pub fn at(self, expires_at: Timestamp, now: Timestamp) -> SessionStatus {
        if self == Self::Open && expires_at <= now { Self::Expired } else { self }
    }
}

/// A payer's answer on the test page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Authorize.
    Approve,
    /// Authorize, and capture all of it.
    Capture,
    Decline,
    /// Leave the session open, like a gateway that still checks a payment.
    Hold,
    Cancel,
}

impl Outcome {
    pub const ALL: [Outcome; 5] =
        [Self::Approve, Self::Capture, Self::Decline, Self::Hold, Self::Cancel];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Capture => "capture",
            Self::Decline => "decline",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
        }
    }

    pub fn parse(word: &str) -> Option<Outcome> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// One line's part of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionItem {
    pub line_id: LineId,
    /// `None` asks for everything unreserved on the line.
    pub amount: Option<Amount>,
}

/// At least one item and at most [`OPERATION_ITEMS_MAX`], each of another line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionItems(Vec<SessionItem>);

impl SessionItems {
    pub fn new(items: Vec<SessionItem>) -> Option<SessionItems> {
        let is_valid = (1..=OPERATION_ITEMS_MAX).contains(&items.len())
            && duplicate_positions(items.iter().map(|item| Some(item.line_id))).is_empty();
        is_valid.then_some(SessionItems(items))
    }
}

/// Why a session is not made, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionRejected {
    /// The request's lines or amounts do not match the order.
    References(Vec<ReferenceProblem>),
    /// The amounts add up to less than 1, or to more than the largest amount.
    TotalOutOfRange,
    OrderNotOpen,
    AmountsExceedRemaining(Vec<ExceededLine>),
}

/// Decides the items that a session asks the payer for. Nothing is reserved: the remaining
/// amounts are checked again when the session is paid.
pub fn decide_session(
    ledger: &Ledger,
    SessionItems(sent): &SessionItems,
) -> Result<OperationItems, SessionRejected> {
    let filled = sent.iter().map(|item| filled(ledger, item)).collect();
    let items = DistinctItems::new(filled).map(OperationItems::new);
    let Some(Ok(items)) = items else { return Err(SessionRejected::TotalOutOfRange) };
    let authorization = OperationRequest {
        kind: OperationKind::Authorization,
        success: true,
        authorization_id: None,
        items: items.clone(),
        session_id: None,
        document: KeptJson::default(),
    };
    let any_id = ResourceId::parse("session").expect("seven characters are an id");
    let is_payable = 1 <= items.total().minor_units();
    let spent = spent_lines(ledger, sent);
    match decide(ledger, &authorization, &any_id, EventSeq(0)) {
        Err(OperationRejected::References(problems)) => Err(SessionRejected::References(problems)),
        _ if !is_payable && spent.is_empty() => Err(SessionRejected::TotalOutOfRange),
        Err(OperationRejected::SumOutOfRange) => Err(SessionRejected::TotalOutOfRange),
        Err(OperationRejected::OrderCancelled | OperationRejected::OrderNotOpen) => {
            Err(SessionRejected::OrderNotOpen)
        }
        Err(OperationRejected::AmountsExceedRemaining(lines)) => {
            Err(SessionRejected::AmountsExceedRemaining(lines))
        }
        Ok(_) if !is_payable => Err(SessionRejected::AmountsExceedRemaining(spent)),
        Ok(_) => Ok(items),
    }
}

/// The item with its amount. A line that the order does not have is reported by `decide`.
fn filled(ledger: &Ledger, item: &SessionItem) -> OperationItem {
    let unreserved = || {
        let line = ledger.find(item.line_id).map(|at| &ledger.lines[at])?;
        let amount = line.payable().sign_applied_to(line.boxes().unreserved);
        i64::try_from(amount).ok().and_then(Amount::new)
    };
    let amount = item.amount.or_else(unreserved).unwrap_or(Amount::ZERO);
    OperationItem { line_id: item.line_id, amount }
}

/// The lines that were sent without an amount although nothing is left on them.
fn spent_lines(ledger: &Ledger, sent: &[SessionItem]) -> Vec<ExceededLine> {
    let spent = |(at, item): (usize, &SessionItem)| {
        let line = &ledger.lines[ledger.find(item.line_id)?];
        let is_spent =
            item.amount.is_none() && line.boxes().unreserved == 0 && line.payable() != Amount::ZERO;
        is_spent.then(|| ExceededLine {
            item: at,
            line_id: item.line_id,
            requested: line.payable(),
            remaining: 0,
            last_moved_by: line.last_moved_by(),
        })
    };
    sent.iter().enumerate().filter_map(spent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::line::Line;
    use crate::domain::order::OrderStatus;

    /// A ledger of lines that are worth 100, -40 and 0, with 30 of line 1 authorized.
    fn ledger(status: OrderStatus) -> Ledger {
        let line = |(at, payable): (i64, i64)| {
            Line::fresh(LineId::new(at).unwrap(), Amount::new(payable).unwrap())
        };
        let mut lines: Vec<Line> = [(1, 100), (2, -40), (3, 0)].map(line).into();
        lines[0] = lines[0].moved(OperationKind::Authorization, 30, None, EventSeq(7)).unwrap();
        Ledger { status, multiple_authorizations: false, authorizations: Vec::new(), lines }
    }

    #[track_caller]
    fn check(ledger: &Ledger, sent: &[(i64, Option<i64>)], expected: &str) {
        let item = |&(line, amount): &(i64, Option<i64>)| SessionItem {
            line_id: LineId::new(line).unwrap(),
            amount: amount.map(|amount| Amount::new(amount).unwrap()),
        };
        let items = SessionItems::new(sent.iter().map(item).collect()).unwrap();
        let told = match decide_session(ledger, &items) {
            Ok(items) => {
                let amounts = items.as_slice().iter().map(|item| item.amount.minor_units());
                format!("{:?}", amounts.collect::<Vec<_>>())
            }
            Err(SessionRejected::References(problems)) => format!("references {}", problems.len()),
            Err(SessionRejected::TotalOutOfRange) => "total".to_owned(),
            Err(SessionRejected::OrderNotOpen) => "not open".to_owned(),
            Err(SessionRejected::AmountsExceedRemaining(lines)) => {
                format!("exceeds {:?}", lines.iter().map(|line| line.item).collect::<Vec<_>>())
            }
        };
        assert_eq!(told, expected, "for {sent:?}");
    }

    #[test]
    fn amounts_default_to_what_is_unreserved_and_are_never_above_it() {
        let open = ledger(OrderStatus::Open);
        check(&open, &[(1, None)], "[70]");
        check(&open, &[(1, None), (2, None), (3, None)], "[70, -40, 0]");
        check(&open, &[(1, Some(70))], "[70]");
        check(&open, &[(1, Some(71))], "exceeds [0]");
        check(&open, &[(2, Some(-40)), (1, Some(41))], "[-40, 41]");
        check(&open, &[(2, Some(-40)), (1, Some(40))], "total");
        check(&open, &[(2, None)], "total");
        check(&open, &[(3, None)], "total");
        check(&open, &[(9, None), (1, Some(-1))], "references 2");
    }

    #[test]
    fn a_line_that_is_paid_already_is_a_conflict_and_not_an_invalid_request() {
        let mut paid = ledger(OrderStatus::Open);
        paid.lines[0] =
            paid.lines[0].moved(OperationKind::Authorization, 70, None, EventSeq(8)).unwrap();
        check(&paid, &[(1, None)], "exceeds [0]");
        check(&paid, &[(3, None), (1, None)], "exceeds [1]");
        check(&paid, &[(1, Some(0))], "total");
    }

    #[test]
    fn only_an_open_order_is_paid() {
        for status in [OrderStatus::Closed, OrderStatus::Cancelled] {
            check(&ledger(status), &[(1, None)], "not open");
            check(&ledger(status), &[(1, Some(0))], "total");
            check(&ledger(status), &[(1, Some(71))], "not open");
        }
    }

    #[test]
    fn only_an_open_session_expires_and_only_once_its_time_is_up() {
        let end = Timestamp(1_000);
        assert_eq!(SessionStatus::Open.at(end, Timestamp(999)), SessionStatus::Open);
        assert_eq!(SessionStatus::Open.at(end, end), SessionStatus::Expired);
        assert_eq!(SessionStatus::Completed.at(end, end), SessionStatus::Completed);
        for status in SessionStatus::ALL {
            assert_eq!(SessionStatus::parse(status.as_str()), Some(status));
        }
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
