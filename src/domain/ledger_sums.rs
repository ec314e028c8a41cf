//! The sums of an order's lines, each line with the sign of its payable amount.

use super::ids::ResourceId;
use super::ledger::Ledger;
use super::line::{Line, Sums};

/// The sums of an order or of one of its lines, in minor units. Amounts are below 2^53, so that no
/// number of lines overflows an `i128`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerSums {
    /// The amount to be paid, tax included.
    pub payable: i128,
    pub authorized: i128,
    pub captured: i128,
    pub cancelled: i128,
    pub refunded: i128,
    pub held: i128,
    /// Cancelled and not authorized again: no longer owed (docs/contract.md, Decision 2).
    pub released: i128,
    /// What can still be captured.
    pub remaining: i128,
}

impl Ledger {
    /// The sums of the whole order.
    pub fn sums(&self) -> LedgerSums {
        self.lines.iter().fold(LedgerSums::default(), |sums, line| sums.plus(self.sums_of(line)))
    }

    /// The sums of one of its lines.
    pub fn sums_of(&self, line: &Line) -> LedgerSums {
        let signed = |magnitude: u64| line.payable().sign_applied_to(magnitude);
        let sums = line.sums();
        LedgerSums {
            payable: line.payable().minor_units().into(),
            authorized: signed(sums.authorized),
            captured: signed(sums.captured),
            cancelled: signed(sums.cancelled),
            refunded: signed(sums.refunded),
            held: signed(line.boxes().held),
            released: signed(line.released()),
            remaining: self.remaining(line),
        }
    }

    /// By how much captures of reserved money exceed the sum of all reservations, as a magnitude; 0
    /// if they do not. Lines of opposite signs are reserved together at the gateway, so capturing
    /// only one of them can exceed the sum. Each authorization has its own sum.
    pub fn over_captured(&self) -> i128 {
        let excess = |sums: &dyn Fn(&Line) -> Sums| {
            let signed = |amount: fn(&Sums) -> u64| -> i128 {
                let line = |line: &Line| line.payable().sign_applied_to(amount(&sums(line)));
                self.lines.iter().map(line).sum()
            };
            let reserved = signed(|sums| sums.authorized) - signed(|sums| sums.cancelled);
            let captured = signed(|sums| sums.captured) - signed(|sums| sums.direct);
            let is_comparable = captured.signum() == reserved.signum() || reserved == 0;
            if is_comparable { (captured.abs() - reserved.abs()).max(0) } else { 0 }
        };
        if !self.multiple_authorizations {
            return excess(&|line| *line.sums());
        }
        let excess_of = |id: &ResourceId| {
            excess(&|line| {
                let mut parts = line.by_authorization().iter();
                parts
                    .find(|part| part.authorization_id == *id)
                    .map(|part| part.sums)
                    .unwrap_or_default()
            })
        };
        self.authorizations.iter().map(excess_of).sum()
    }
}

impl LedgerSums {
    fn plus(self, other: LedgerSums) -> LedgerSums {
        LedgerSums {
            payable: self.payable + other.payable,
            authorized: self.authorized + other.authorized,
            captured: self.captured + other.captured,
            cancelled: self.cancelled + other.cancelled,
            refunded: self.refunded + other.refunded,
            held: self.held + other.held,
            released: self.released + other.released,
            remaining: self.remaining + other.remaining,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventSeq, LineId};
    use crate::domain::money::Amount;
    use crate::domain::operation::OperationKind::{Authorization, Cancellation, Capture, Refund};
    use crate::domain::order::OrderStatus;

    /// 1,000 of which 700 were authorized, 300 captured, 100 released and 50 refunded; and a line
    /// that gives 200 back, captured directly.
    fn ledger(status: OrderStatus) -> Ledger {
        let line = |number, payable| {
            Line::fresh(LineId::new(number).unwrap(), Amount::new(payable).unwrap())
        };
        let moved = |line: Line, kind, amount| line.moved(kind, amount, None, EventSeq(1)).unwrap();
        let sold = moved(line(1, 1_000), Authorization, 700);
        let sold = moved(moved(sold, Capture, 300), Cancellation, 100);
        let lines = vec![moved(sold, Refund, 50), moved(line(2, -200), Capture, 200)];
        Ledger { status, multiple_authorizations: false, authorizations: Vec::new(), lines }
    }

    #[test]
    fn the_sums_of_an_order_are_the_signed_sums_of_its_lines() {
        let sums = LedgerSums {
            payable: 800,
            authorized: 700,
            captured: 100,
            cancelled: 100,
            refunded: 50,
            held: 300,
            released: 100,
            remaining: 300,
        };
        assert_eq!(ledger(OrderStatus::Open).sums(), sums);
        let cancelled = LedgerSums { remaining: 0, ..sums };
        assert_eq!(ledger(OrderStatus::Cancelled).sums(), cancelled);
    }
}
