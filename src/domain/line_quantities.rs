//! How much of a line's quantity is in each of its boxes, so that parts by quantity add up.
//!
//! The ledger counts money only. A part of a box's quantity costs the same part of the money in
//! that box, and the part that takes the last quantity takes all the money that is left in it.

use super::ids::ResourceId;
use super::operation::OperationKind;
use super::quantity::Quantity;

/// Parts of the smallest quantity that can be typed.
const STEPS: u128 = 1_000;

/// Digits after the decimal point of a quantity, with those of [`STEPS`].
const DECIMALS: u32 = 9;

/// What an operation moved on the line.
#[derive(Debug, Clone)]
pub struct Moved {
    pub kind: OperationKind,
    pub amount: u64,
    /// The quantity that the operation states, if it does.
    pub quantity: Option<Quantity>,
    /// The authorization whose boxes it used, on orders with several.
    pub authorization_id: Option<ResourceId>,
}

/// The boxes of a line, with the quantity in each.
#[derive(Debug, Clone)]
pub struct LineQuantities {
    /// False while captures take unreserved money.
    is_authorized: bool,
    unreserved: Pool,
    /// One pool for each authorization; on orders without `multiple_authorizations` a single pool,
    /// under `None`.
    held: Vec<(Option<ResourceId>, Pool)>,
    kept: Vec<(Option<ResourceId>, Pool)>,
}

/// An amount, and the quantity that it is for, in parts of `1 / (STEPS * 1_000_000)`.
#[derive(Debug, Clone, Copy, Default)]
struct Pool {
    amount: u64,
    quantity: u128,
}

impl LineQuantities {
    /// The boxes of a line after these operations, oldest first.
    pub fn after(payable: u64, whole: Quantity, moves: &[Moved]) -> LineQuantities {
        let unreserved = Pool { amount: payable, quantity: steps(whole) };
        let (held, kept) = (Vec::new(), Vec::new());
        let fresh = LineQuantities { is_authorized: false, unreserved, held, kept };
        moves.iter().fold(fresh, LineQuantities::moved)
    }

    /// The amount of a part that an operation of this kind takes; `None` if less is left.
    pub fn part(
        &self,
        kind: OperationKind,
        authorization_id: Option<&ResourceId>,
        asked: Quantity,
    ) -> Option<u64> {
        self.source(kind, authorization_id).part(steps(asked))
    }

    /// The quantity that an operation of this kind can take; `None` if nothing is left.
    pub fn left(
        &self,
        kind: OperationKind,
        authorization_id: Option<&ResourceId>,
    ) -> Option<Quantity> {
        let quantity = self.source(kind, authorization_id).quantity;
        Quantity::of_millionths((quantity + STEPS / 2) / STEPS)
    }

    fn moved(mut self, moved: &Moved) -> LineQuantities {
        let id = moved.authorization_id.as_ref();
        let mut source = self.source(moved.kind, id);
        let taken = source.take(moved.amount, moved.quantity);
        let is_direct = self.is_direct(id);
        match moved.kind {
            OperationKind::Authorization => {
                self.is_authorized |= moved.amount != 0;
                self.unreserved = source;
                pool(&mut self.held, id).add(taken);
            }
            OperationKind::Capture => {
                let emptied =
                    if is_direct { &mut self.unreserved } else { pool(&mut self.held, id) };
                *emptied = source;
                pool(&mut self.kept, id).add(taken);
            }
            OperationKind::Cancellation => {
                *pool(&mut self.held, id) = source;
                self.unreserved.add(taken);
            }
            OperationKind::Refund => *pool(&mut self.kept, id) = source,
        }
        self
    }

    /// True if a capture takes unreserved money, as in [`super::line::Line::available`].
    fn is_direct(&self, authorization_id: Option<&ResourceId>) -> bool {
        authorization_id.is_none() && !self.is_authorized
    }

    fn source(&self, kind: OperationKind, authorization_id: Option<&ResourceId>) -> Pool {
        let of = |pools: &[(Option<ResourceId>, Pool)]| {
            let found = pools.iter().find(|(id, _)| id.as_ref() == authorization_id);
            found.map(|(_, pool)| *pool).unwrap_or_default()
        };
        match kind {
            OperationKind::Authorization => self.unreserved,
            OperationKind::Capture if self.is_direct(authorization_id) => self.unreserved,
            OperationKind::Capture | OperationKind::Cancellation => of(&self.held),
            OperationKind::Refund => of(&self.kept),
        }
    }
}

impl Pool {
    /// The amount of a part of the quantity, to the nearest minor unit; `None` if there is less.
    fn part(&self, asked: u128) -> Option<u64> {
        if self.quantity.abs_diff(asked) < STEPS {
            return Some(self.amount);
        }
        if self.quantity < asked {
            return None;
        }
        // Halves are rounded down, so that the last part is the larger one.
        let doubled = 2 * u128::from(self.amount) * asked;
        u64::try_from((doubled + self.quantity - 1) / (2 * self.quantity)).ok()
    }

    /// Takes an amount and its quantity, which is the stated quantity if that fits the amount. If
    /// not, taking all the money takes all the quantity, and taking a part of the money takes the
    /// roundest quantity that fits.
    fn take(&mut self, amount: u64, stated: Option<Quantity>) -> Pool {
        // As long as money is left, some quantity is left too, so that a later part can take it.
        let fits = |quantity: u128| {
            let part = self.part(quantity);
            (quantity < self.quantity || amount == self.amount)
                && part.is_some_and(|part| part.abs_diff(amount) <= 1)
        };
        let quantity = match stated.map(steps).filter(|quantity| fits(*quantity)) {
            Some(stated) => stated,
            None if amount == 0 || self.amount == 0 => 0,
            None if amount == self.amount => self.quantity,
            None => {
                let exact = self.quantity * u128::from(amount) / u128::from(self.amount);
                let grids = (3..=DECIMALS).rev().map(|digits| 10_u128.pow(digits));
                let mut round = grids.map(|grid| (exact + grid / 2) / grid * grid);
                round.find(|quantity| 0 < *quantity && fits(*quantity)).unwrap_or(exact)
            }
        };
        let taken = Pool { amount, quantity: quantity.min(self.quantity) };
        self.amount = self.amount.saturating_sub(amount);
        self.quantity -= taken.quantity;
        taken
    }

    fn add(&mut self, other: Pool) {
        self.amount = self.amount.saturating_add(other.amount);
        self.quantity += other.quantity;
    }
}

fn pool<'a>(
    pools: &'a mut Vec<(Option<ResourceId>, Pool)>,
    authorization_id: Option<&ResourceId>,
) -> &'a mut Pool {
    let known = pools.iter().position(|(id, _)| id.as_ref() == authorization_id);
    let at = known.unwrap_or_else(|| {
        pools.push((authorization_id.cloned(), Pool::default()));
        pools.len() - 1
    });
    &mut pools[at].1
}

fn steps(quantity: Quantity) -> u128 {
    quantity.millionths() * STEPS
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use OperationKind::{Authorization, Cancellation, Capture, Refund};

    fn quantity(millionths: u128) -> Quantity {
        Quantity::of_millionths(millionths).unwrap()
    }

    /// Takes parts one after the other, as the form does; the amount of each.
    fn taken(
        moves: &mut Vec<Moved>,
        (payable, whole): (u64, Quantity),
        kind: OperationKind,
        parts: &[Quantity],
    ) -> Vec<u64> {
        let take = |part: &Quantity| {
            let boxes = LineQuantities::after(payable, whole, moves);
            let amount = boxes.part(kind, None, *part).expect("so much is left");
            let quantity = Some(*part);
            moves.push(Moved { kind, amount, quantity, authorization_id: None });
            amount
        };
        parts.iter().map(take).collect()
    }

    #[track_caller]
    fn check(payable: u64, whole: &str, parts: &[&str], expected: &[u64]) {
        let parse = |text: &str| Quantity::parse(text).unwrap();
        let parts: Vec<Quantity> = parts.iter().map(|part| parse(part)).collect();
        let line = (payable, parse(whole));
        for kind in [Authorization, Capture] {
            assert_eq!(taken(&mut Vec::new(), line, kind, &parts), expected, "{kind:?}");
        }
        let mut moves = Vec::new();
        taken(&mut moves, line, Authorization, &[line.1]);
        assert_eq!(taken(&mut moves.clone(), line, Cancellation, &parts), expected);
        taken(&mut moves, line, Capture, &[line.1]);
        assert_eq!(taken(&mut moves, line, Refund, &parts), expected);
    }

    #[test]
    fn the_part_that_takes_the_last_quantity_takes_the_exact_rest() {
        check(10_000, "3", &["1", "1", "1"], &[3_333, 3_333, 3_334]);
        check(5, "4", &["1", "1", "1", "1"], &[1, 1, 1, 2]);
        check(1_500, "1 000", &["333", "333", "334"], &[499, 500, 501]);
        check(1, "3", &["1", "1", "1"], &[0, 0, 1]);
        check(39_800, "5", &["3", "2"], &[23_880, 15_920]);
        check(1_000, "6", &["1,5", "4,5"], &[250, 750]);
        check(39_800, "5", &["5"], &[39_800]);
    }

    #[test]
    fn amounts_without_a_quantity_count_as_the_quantity_that_they_pay_for() {
        let moved =
            |amount| Moved { kind: Capture, amount, quantity: None, authorization_id: None };
        let left = |payable, whole: u128, amounts: &[u64]| {
            let moves: Vec<Moved> = amounts.iter().map(|amount| moved(*amount)).collect();
            let boxes = LineQuantities::after(payable, quantity(whole * 1_000_000), &moves);
            boxes.left(Capture, None).map(|left| left.to_string()).unwrap_or_default()
        };
        assert_eq!(left(10_000, 3, &[3_333]), "2");
        assert_eq!(left(10_000, 3, &[3_334, 3_333]), "1");
        assert_eq!(left(1_500, 1_000, &[499, 500]), "334");
        assert_eq!(left(1_000, 7, &[143, 143, 143, 143, 143, 143]), "1");
        assert_eq!(left(39_800, 5, &[10_000]), "3.7437");
        assert_eq!(left(39_800, 5, &[39_800]), "");
    }

    #[test]
    fn no_more_than_the_quantity_that_is_left_can_be_taken() {
        let moves = [Moved {
            kind: Capture,
            amount: 15_920,
            quantity: Some(quantity(2_000_000)),
            authorization_id: None,
        }];
        let boxes = LineQuantities::after(39_800, quantity(5_000_000), &moves);
        assert_eq!(boxes.part(Capture, None, quantity(4_000_000)), None);
        assert_eq!(boxes.part(Capture, None, quantity(3_000_000)), Some(23_880));
        assert_eq!(boxes.part(Refund, None, quantity(2_000_000)), Some(15_920));
        assert_eq!(boxes.part(Refund, None, quantity(3_000_000)), None);
    }

    fn payables() -> impl Strategy<Value = u64> {
        prop_oneof![1..20_u64, 1..1_000_000_u64, 1..9_007_199_254_740_991_u64]
    }

    fn parts() -> impl Strategy<Value = Vec<u128>> {
        let units = prop_oneof![1..20_u128, 1..2_000_u128].prop_map(|units| units * 1_000_000);
        vec(prop_oneof![3 => units, 1 => 1..10_000_000_u128], 1..12)
    }

    proptest! {
        #[test]
        fn parts_of_any_line_add_up_to_the_whole(
            payable in payables(),
            sizes in parts(),
            turn in 0..12_usize,
        ) {
            let line = (payable, quantity(sizes.iter().sum()));
            let parts: Vec<Quantity> = sizes.iter().map(|size| quantity(*size)).collect();
            let mut other = parts.clone();
            other.rotate_left(turn % parts.len());
            let sum = |amounts: Vec<u64>| amounts.iter().sum::<u64>();
            let mut moves = Vec::new();
            prop_assert_eq!(sum(taken(&mut moves, line, Authorization, &parts)), payable);
            prop_assert_eq!(sum(taken(&mut moves.clone(), line, Cancellation, &other)), payable);
            prop_assert_eq!(sum(taken(&mut moves, line, Capture, &other)), payable);
            prop_assert_eq!(sum(taken(&mut moves, line, Refund, &parts)), payable);
        }

        #[test]
        fn what_is_left_takes_the_rest_of_the_money(
            payable in payables(),
            sizes in parts(),
            amounts in vec(1..1_000_000_u64, 0..6),
        ) {
            let whole = quantity(sizes.iter().sum());
            let mut left = payable;
            let mut moves = Vec::new();
            for amount in amounts {
                let amount = amount.min(left);
                left -= amount;
                moves.push(Moved { kind: Capture, amount, quantity: None, authorization_id: None });
            }
            let boxes = LineQuantities::after(payable, whole, &moves);
            if let Some(rest) = boxes.left(Capture, None) {
                prop_assert_eq!(boxes.part(Capture, None, rest), Some(left));
            }
        }
    }
}
