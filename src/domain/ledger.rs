//! Decides whether an operation may be recorded and which amounts it moves
//! (docs/contract.md, Decision 1).

use super::ids::{EventSeq, LineId, ResourceId};
use super::line::Line;
use super::line_payout::ItemPayout;
use super::money::{AMOUNT_MAX, Amount};
use super::operation::{OperationItem, OperationKind, OperationRequest};
use super::order::OrderStatus;

/// The part of an order that decides its payment operations. It is stored as one small row, which
/// every operation reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub status: OrderStatus,
    /// If set, held and kept amounts are counted per line and authorization, never pooled.
    pub multiple_authorizations: bool,
    /// Every authorization of the order, oldest first; empty without the option.
    pub authorizations: Vec<ResourceId>,
    /// Sorted by line id.
    pub lines: Vec<Line>,
}

/// The facts to write when an operation is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The authorization that the operation is booked under; only with the option.
    pub authorization_id: Option<ResourceId>,
    /// The payouts of the items, with their positions in the request; empty if no line of the
    /// operation has a payout.
    pub payouts: Vec<(usize, ItemPayout)>,
    /// The ledger after the operation.
    pub ledger: Ledger,
}

/// Why an operation is not recorded, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationRejected {
    /// The request's authorization, lines or signs do not match the order.
    References(Vec<ReferenceProblem>),
    OrderCancelled,
    OrderNotOpen,
    AmountsExceedRemaining(Vec<ExceededLine>),
    /// The order's total authorized or cancelled amount would exceed 2^53 - 1.
    SumOutOfRange,
}

/// A reference in the request that does not match the order. `item` is a position in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceProblem {
    AuthorizationMissing,
    AuthorizationUnknown,
    LineUnknown { item: usize, line_id: LineId },
    WrongSign { item: usize, line_id: LineId, payable: Amount },
}

/// A line whose box holds less than the request asks for. `item` is a position in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceededLine {
    pub item: usize,
    pub line_id: LineId,
    pub requested: Amount,
    /// The amount in the box, with the line's sign.
    pub remaining: i128,
    /// The operation that last moved something on the line.
    pub last_moved_by: Option<EventSeq>,
}

/// Decides about one operation. `id` and `seq` are the ones it will have in the book.
pub fn decide(
    ledger: &Ledger,
    request: &OperationRequest,
    id: &ResourceId,
    seq: EventSeq,
) -> Result<Recording, OperationRejected> {
    refuse_references(ledger, request)?;
    let authorization_id = booked_under(ledger, request, id);
    let payouts = payouts(ledger, request, authorization_id.as_ref());
    let mut after = ledger.clone();
    if request.kind == OperationKind::Authorization {
        after.authorizations.extend(authorization_id.clone());
    }
    if !request.success {
        // A failure at the gateway is recorded too, but moves no money.
        let authorization_id = shown(request, authorization_id);
        return Ok(Recording { authorization_id, payouts, ledger: after });
    }
    ledger.expect_status(request.kind)?;
    refuse_amounts(ledger, request, authorization_id.as_ref())?;
    for item in request.items.as_slice() {
        let at = ledger.find(item.line_id).ok_or(OperationRejected::SumOutOfRange)?;
        let amount = item.amount.magnitude();
        after.lines[at] = after.lines[at]
            .moved(request.kind, amount, authorization_id.as_ref(), seq)
            .ok_or(OperationRejected::SumOutOfRange)?;
    }
    if !after.sums_are_exact() {
        return Err(OperationRejected::SumOutOfRange);
    }
    let authorization_id = shown(request, authorization_id);
    Ok(Recording { authorization_id, payouts, ledger: after })
}

impl Ledger {
    /// The line's position in `lines`.
    pub fn find(&self, line_id: LineId) -> Option<usize> {
        self.lines.binary_search_by_key(&line_id, Line::line_id).ok()
    }

    /// Whether any line holds money, so that the order waits for a capture (docs/contract.md,
    /// Decision 2).
    pub fn holds(&self) -> bool {
        self.lines.iter().any(|line| 0 < line.boxes().held)
    }

    /// The amount that can still be captured on a line, with its sign; 0 on a cancelled order.
    pub fn remaining(&self, line: &Line) -> i128 {
        if self.status == OrderStatus::Cancelled {
            return 0;
        }
        line.payable().sign_applied_to(line.remaining(self.multiple_authorizations))
    }

    /// Whether any line has something left for an operation of this kind, under any authorization.
    pub fn has_left(&self, kind: OperationKind) -> bool {
        let left = |line: &Line| match kind {
            OperationKind::Capture => line.remaining(self.multiple_authorizations),
            _ => line.available(kind, None),
        };
        self.lines.iter().any(|line| 0 < left(line))
    }

    /// Refuses operations that the order's status does not allow. Refunds and cancellations report
    /// past events, so every status allows them.
    pub fn expect_status(&self, kind: OperationKind) -> Result<(), OperationRejected> {
        use OperationKind::{Authorization, Capture};
        match (kind, self.status) {
            (Authorization | Capture, OrderStatus::Cancelled) => {
                Err(OperationRejected::OrderCancelled)
            }
            (Authorization, OrderStatus::Closed) => Err(OperationRejected::OrderNotOpen),
            _ => Ok(()),
        }
    }

    /// Whether the total authorized and the total cancelled, which only grow, are still within the
    /// range that every client reads exactly.
    fn sums_are_exact(&self) -> bool {
        let total = |sum: fn(&Line) -> u64| self.lines.iter().map(|l| u128::from(sum(l))).sum();
        let largest: u128 =
            u128::max(total(|l| l.sums().authorized), total(|l| l.sums().cancelled));
        largest <= u128::from(AMOUNT_MAX.unsigned_abs())
    }
}

/// The authorization whose boxes the operation uses; an authorization uses its own.
fn booked_under(
    ledger: &Ledger,
    request: &OperationRequest,
    id: &ResourceId,
) -> Option<ResourceId> {
    if !ledger.multiple_authorizations {
        return None;
    }
    match request.kind {
        OperationKind::Authorization => Some(id.clone()),
        _ => request.authorization_id.clone(),
    }
}

/// The `authorization_id` to show: an authorization is not shown as belonging to itself.
fn shown(request: &OperationRequest, booked_under: Option<ResourceId>) -> Option<ResourceId> {
    booked_under.filter(|_| request.kind != OperationKind::Authorization)
}

/// How the operation is split on each of its lines that has a payout.
fn payouts(
    ledger: &Ledger,
    request: &OperationRequest,
    authorization_id: Option<&ResourceId>,
) -> Vec<(usize, ItemPayout)> {
    if ledger.lines.iter().all(|line| line.payout().is_none()) {
        return Vec::new();
    }
    let items = request.items.as_slice().iter().enumerate();
    let payout = |(at, item): (usize, &OperationItem)| {
        let line = &ledger.lines[ledger.find(item.line_id)?];
        Some((at, line.payout_of(request.kind, item.amount, authorization_id)?))
    };
    items.filter_map(payout).collect()
}

fn refuse_references(ledger: &Ledger, request: &OperationRequest) -> Result<(), OperationRejected> {
    let mut problems = Vec::new();
    if ledger.multiple_authorizations && request.kind != OperationKind::Authorization {
        match &request.authorization_id {
            None => problems.push(ReferenceProblem::AuthorizationMissing),
            Some(id) if !ledger.authorizations.contains(id) => {
                problems.push(ReferenceProblem::AuthorizationUnknown);
            }
            Some(_) => {}
        }
    }
    let items = request.items.as_slice().iter().enumerate();
    problems.extend(items.filter_map(|(at, item)| line_problem(ledger, at, item)));
    if problems.is_empty() { Ok(()) } else { Err(OperationRejected::References(problems)) }
}

fn line_problem(ledger: &Ledger, item: usize, sent: &OperationItem) -> Option<ReferenceProblem> {
    let line_id = sent.line_id;
    let Some(at) = ledger.find(line_id) else {
        return Some(ReferenceProblem::LineUnknown { item, line_id });
    };
    let payable = ledger.lines[at].payable();
    let wrong = !sent.amount.has_sign_of(payable);
    wrong.then_some(ReferenceProblem::WrongSign { item, line_id, payable })
}

fn refuse_amounts(
    ledger: &Ledger,
    request: &OperationRequest,
    authorization_id: Option<&ResourceId>,
) -> Result<(), OperationRejected> {
    let exceeded: Vec<ExceededLine> = request
        .items
        .as_slice()
        .iter()
        .enumerate()
        .filter_map(|(at, item)| {
            let line = &ledger.lines[ledger.find(item.line_id)?];
            exceeded_line(line, request.kind, authorization_id, at, item)
        })
        .collect();
    if exceeded.is_empty() {
        return Ok(());
    }
    Err(OperationRejected::AmountsExceedRemaining(exceeded))
}

fn exceeded_line(
    line: &Line,
    kind: OperationKind,
    authorization_id: Option<&ResourceId>,
    item: usize,
    sent: &OperationItem,
) -> Option<ExceededLine> {
    let available = line.available(kind, authorization_id);
    (available < sent.amount.magnitude()).then(|| ExceededLine {
        item,
        line_id: sent.line_id,
        requested: sent.amount,
        remaining: line.payable().sign_applied_to(available),
        last_moved_by: line.last_moved_by(),
    })
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
