//! A line's money in four boxes that never go below zero (docs/contract.md, Decision 1).
//!
//! ```text
//! unreserved --authorization--> held --capture--> kept --refund--> refunded
//! unreserved <--cancellation--- held
//! unreserved --------------(direct) capture-----> kept
//! ```
//! Amounts here are magnitudes, in units of the sign of the line's payable amount.

use super::boxes::{Boxes, Source};
use super::ids::{EventSeq, LineId, ResourceId};
use super::line_payout::{ItemPayout, LinePayout};
use super::money::Amount;
use super::operation::OperationKind;
use super::payout_rule::LineRule;

/// Sums of the successful operations on a line, or on a line under one authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub authorized: u64,
    pub captured: u64,
    /// The part of `captured` that was captured without an authorization.
    pub direct: u64,
    pub cancelled: u64,
    pub refunded: u64,
}

impl Sums {
    /// Authorized, and neither captured nor cancelled.
    fn held(&self) -> Option<u64> {
        let from_authorizations = self.captured.checked_sub(self.direct)?;
        self.authorized.checked_sub(from_authorizations)?.checked_sub(self.cancelled)
    }

    /// Captured and not refunded.
    fn kept(&self) -> Option<u64> {
        self.captured.checked_sub(self.refunded)
    }

    /// The part of `whole` that is neither held nor was ever captured.
    fn unreserved(&self, whole: u64) -> Option<u64> {
        let reserved = self.authorized.checked_sub(self.cancelled)?.checked_add(self.direct)?;
        whole.checked_sub(reserved)
    }

    fn add(&mut self, kind: OperationKind, amount: u64) -> Option<()> {
        let sum = match kind {
            OperationKind::Authorization => &mut self.authorized,
            OperationKind::Capture => &mut self.captured,
            OperationKind::Refund => &mut self.refunded,
            OperationKind::Cancellation => &mut self.cancelled,
        };
        *sum = sum.checked_add(amount)?;
        Some(())
    }

    fn checked_add(&self, other: &Sums) -> Option<Sums> {
        Some(Sums {
            authorized: self.authorized.checked_add(other.authorized)?,
            captured: self.captured.checked_add(other.captured)?,
            direct: self.direct.checked_add(other.direct)?,
            cancelled: self.cancelled.checked_add(other.cancelled)?,
            refunded: self.refunded.checked_add(other.refunded)?,
        })
    }
}

/// A line's sums under one authorization, on orders with `multiple_authorizations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationSums {
    pub authorization_id: ResourceId,
    pub sums: Sums,
}

/// A line with its sums. Every value of this type balances: see [`Line::restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    line_id: LineId,
    payable: Amount,
    sums: Sums,
    by_authorization: Vec<AuthorizationSums>,
    last_moved_by: Option<EventSeq>,
    /// Boxed, because most lines have no payout.
    payout: Option<Box<LinePayout>>,
}

impl Line {
    /// A line without operations.
    pub fn fresh(line_id: LineId, payable: Amount) -> Line {
        Line {
            line_id,
            payable,
            sums: Sums::default(),
            by_authorization: Vec::new(),
            last_moved_by: None,
            payout: None,
        }
    }

    /// This line, which has no operations, with a payout by this rule.
    pub fn paid_out_by(self, rule: LineRule) -> Line {
        Line { payout: Some(Box::new(LinePayout::fresh(rule))), ..self }
    }

    /// A line as it was stored; `None` when its boxes do not balance. With `by_authorization`
    /// the line's sums must equal their total, and no capture can have been direct.
    pub fn restore(
        line_id: LineId,
        payable: Amount,
        sums: Sums,
        by_authorization: Vec<AuthorizationSums>,
        last_moved_by: Option<EventSeq>,
    ) -> Option<Line> {
        sums.held()?;
        sums.kept()?;
        sums.unreserved(payable.magnitude())?;
        if !by_authorization.is_empty() {
            let mut total = Sums::default();
            for part in &by_authorization {
                part.sums.held()?;
                part.sums.kept()?;
                total = total.checked_add(&part.sums)?;
            }
            if total != sums || sums.direct != 0 {
                return None;
            }
        }
        Some(Line { line_id, payable, sums, by_authorization, last_moved_by, payout: None })
    }

    /// This line with its payout as it was stored; `None` if the destinations' boxes do not
    /// add up to the line's boxes.
    pub fn with_payout(self, payout: Option<LinePayout>) -> Option<Line> {
        let Some(payout) = payout else {
            return Some(self);
        };
        let ids = payout.parts().iter().map(|part| part.authorization_id.as_ref());
        let is_known = |id: Option<&ResourceId>| match id {
            Some(id) => self.part(id).is_some(),
            None => self.by_authorization.is_empty(),
        };
        let adds_up = if self.by_authorization.is_empty() {
            payout.adds_up_to(&self.boxes(), None)
        } else {
            let mut ids = self.by_authorization.iter().map(|part| &part.authorization_id);
            ids.all(|id| payout.adds_up_to(&self.part_boxes(id), Some(id)))
        };
        let balances = adds_up && ids.clone().all(is_known);
        balances.then(|| Line { payout: Some(Box::new(payout)), ..self })
    }

    /// The line after an operation of this kind moved `amount`; `None` when a box holds less. With
    /// an `authorization_id` the amount is counted under that authorization.
    pub fn moved(
        &self,
        kind: OperationKind,
        amount: u64,
        authorization_id: Option<&ResourceId>,
        moved_by: EventSeq,
    ) -> Option<Line> {
        let mut after = self.clone();
        if amount == 0 {
            return Some(after);
        }
        let payout = match after.payout.take() {
            None => None,
            Some(payout) => {
                let source = self.source(kind, authorization_id);
                Some(payout.moved(kind, source, amount, authorization_id)?)
            }
        };
        after.sums.add(kind, amount)?;
        match authorization_id {
            Some(id) => after.part_mut(id).add(kind, amount)?,
            None if kind == OperationKind::Capture && self.is_captured_directly() => {
                after.sums.direct = after.sums.direct.checked_add(amount)?;
            }
            None => {}
        }
        after.last_moved_by = Some(moved_by);
        Line::restore(
            after.line_id,
            after.payable,
            after.sums,
            after.by_authorization,
            after.last_moved_by,
        )?
        .with_payout(payout)
    }

    /// How an operation of this kind on the line is split, under that authorization if one is
    /// given; `None` if the line has no payout.
    pub fn payout_of(
        &self,
        kind: OperationKind,
        amount: Amount,
        authorization_id: Option<&ResourceId>,
    ) -> Option<ItemPayout> {
        let payout = self.payout.as_ref()?;
        let source = self.source(kind, authorization_id);
        let split = payout.split(source, amount.magnitude(), authorization_id);
        Some(payout.shown(amount, &split))
    }

    /// How much an operation of this kind may still move, under that authorization if one is given.
    pub fn available(&self, kind: OperationKind, authorization_id: Option<&ResourceId>) -> u64 {
        let boxes = || match authorization_id {
            Some(id) => self.part_boxes(id),
            None => self.boxes(),
        };
        match self.source(kind, authorization_id) {
            Source::Unreserved => self.boxes().unreserved,
            Source::Held => boxes().held,
            Source::Kept => boxes().kept,
        }
    }

    /// The box that an operation of this kind draws from.
    fn source(&self, kind: OperationKind, authorization_id: Option<&ResourceId>) -> Source {
        match kind {
            OperationKind::Authorization => Source::Unreserved,
            OperationKind::Capture if authorization_id.is_none() && self.is_captured_directly() => {
                Source::Unreserved
            }
            OperationKind::Capture | OperationKind::Cancellation => Source::Held,
            OperationKind::Refund => Source::Kept,
        }
    }

    pub fn boxes(&self) -> Boxes {
        boxes_of(&self.sums, self.payable.magnitude())
    }

    /// Cancelled and not authorized again, so no longer owed.
    pub fn released(&self) -> u64 {
        self.sums.cancelled.min(self.boxes().unreserved)
    }

    /// The amount that can still be captured: the held amount once the line is authorized, else the
    /// unreserved amount; with `multiple_authorizations` only the held amount (docs/contract.md,
    /// Decision 2).
    pub fn remaining(&self, multiple_authorizations: bool) -> u64 {
        if multiple_authorizations || !self.is_captured_directly() {
            self.boxes().held
        } else {
            self.boxes().unreserved
        }
    }

    pub fn line_id(&self) -> LineId {
        self.line_id
    }

    /// The amount to pay for the line, tax included, with its sign.
    pub fn payable(&self) -> Amount {
        self.payable
    }

    /// Sums of the successful operations on the line.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Sums per authorization, oldest first; empty without `multiple_authorizations`.
    pub fn by_authorization(&self) -> &[AuthorizationSums] {
        &self.by_authorization
    }

    /// The operation that last moved something between this line's boxes.
    pub fn last_moved_by(&self) -> Option<EventSeq> {
        self.last_moved_by
    }

    /// The line's payout rule, and the amounts of each destination.
    pub fn payout(&self) -> Option<&LinePayout> {
        self.payout.as_deref()
    }

    /// A line is captured directly until an authorization above 0 has succeeded on it.
    fn is_captured_directly(&self) -> bool {
        self.sums.authorized == 0
    }

    fn part_boxes(&self, authorization_id: &ResourceId) -> Boxes {
        let sums = self.part(authorization_id).copied().unwrap_or_default();
        boxes_of(&sums, self.payable.magnitude())
    }

    fn part(&self, authorization_id: &ResourceId) -> Option<&Sums> {
        let part = self.by_authorization.iter().find(|p| p.authorization_id == *authorization_id);
        part.map(|p| &p.sums)
    }

    fn part_mut(&mut self, authorization_id: &ResourceId) -> &mut Sums {
        let known =
            self.by_authorization.iter().position(|p| p.authorization_id == *authorization_id);
        let at = known.unwrap_or_else(|| {
            let authorization_id = authorization_id.clone();
            self.by_authorization
                .push(AuthorizationSums { authorization_id, sums: Sums::default() });
            self.by_authorization.len() - 1
        });
        &mut self.by_authorization[at].sums
    }
}

fn boxes_of(sums: &Sums, whole: u64) -> Boxes {
    let balanced = "a line's sums were checked when the line was made";
    Boxes {
        unreserved: sums.unreserved(whole).expect(balanced),
        held: sums.held().expect(balanced),
        kept: sums.kept().expect(balanced),
        refunded: sums.refunded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restore(payable: i64, sums: Sums) -> Option<Line> {
        let line_id = LineId::new(1).unwrap();
        Line::restore(line_id, Amount::new(payable).unwrap(), sums, Vec::new(), None)
    }

    #[test]
    fn a_line_whose_boxes_do_not_balance_cannot_be_made() {
        let good = Sums { authorized: 100, captured: 60, cancelled: 40, refunded: 60, direct: 0 };
        assert!(restore(-100, good).is_some());
        assert!(restore(59, good).is_none(), "more was captured than there is");
        assert!(restore(100, Sums { captured: 61, ..good }).is_none(), "more than was held");
        assert!(restore(100, Sums { refunded: 61, ..good }).is_none(), "more than was kept");
        assert!(restore(100, Sums { cancelled: 41, ..good }).is_none(), "more than was held");
        assert!(restore(100, Sums { direct: 61, ..good }).is_none(), "more than was captured");
    }

    #[test]
    fn the_boxes_add_up_to_the_payable_amount() {
        let sums = Sums { authorized: 70, captured: 50, direct: 20, cancelled: 10, refunded: 5 };
        let boxes = restore(100, sums).unwrap().boxes();
        assert_eq!(boxes, Boxes { unreserved: 20, held: 30, kept: 45, refunded: 5 });
    }

    #[test]
    fn the_parts_must_add_up_to_the_whole() {
        let part =
            |sums| AuthorizationSums { authorization_id: ResourceId::parse("a").unwrap(), sums };
        let sums = Sums { authorized: 10, captured: 5, ..Sums::default() };
        let restore = |whole, parts| {
            let payable = Amount::new(100).unwrap();
            Line::restore(LineId::new(1).unwrap(), payable, whole, parts, None)
        };
        assert!(restore(sums, vec![part(sums)]).is_some());
        assert!(restore(sums, vec![part(Sums { authorized: 11, ..sums })]).is_none());
        assert!(
            restore(Sums { direct: 5, ..sums }, vec![part(Sums { direct: 5, ..sums })]).is_none()
        );
    }
}
