//! Splits of single amounts, and of random lines that are moved in random parts.

use super::*;
use crate::domain::ids::{EventSeq, LineId};
use crate::domain::line::Line;
use crate::domain::money::AMOUNT_MAX;
use crate::domain::payout_rule::{Share, Shares};
use OperationKind::{Authorization, Cancellation, Capture, Refund};

/// Numbers that look random and are the same in every run (xorshift).
struct Throws(u64);

impl Throws {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        self.next() % (most + 1)
    }
}

fn rule(weights: &[u64]) -> LineRule {
    let share = |(at, weight): (usize, &u64)| Share {
        destination: Destination::parse(&format!("d{at}")).unwrap(),
        weight: *weight,
    };
    LineRule {
        rule_type: RuleType::StoreId,
        rule_id: RuleId::parse("torget").unwrap(),
        shares: Shares::restore(weights.iter().enumerate().map(share).collect()).unwrap(),
    }
}

fn line(payable: i64, weights: &[u64]) -> Line {
    let line = Line::fresh(LineId::new(1).unwrap(), Amount::new(payable).unwrap());
    line.paid_out_by(rule(weights))
}

/// Percentages that add up to 100, with four decimals.
fn percentages(units: &[u64]) -> Vec<u64> {
    units.iter().map(|units| units * 1_000_000).collect()
}

#[track_caller]
fn check_split(amount: u64, weights: &[u64], expected: &[u64]) {
    assert_eq!(split_by(amount, weights, &vec![amount; weights.len()]), expected);
}

#[test]
fn what_rounding_leaves_is_handed_out_from_the_first_destination_on() {
    let thirds = [333_333, 333_333, 333_334];
    check_split(100, &thirds, &[34, 33, 33]);
    check_split(101, &thirds, &[33, 34, 34]);
    check_split(1, &thirds, &[1, 0, 0]);
    check_split(2, &thirds, &[0, 1, 1]);
    check_split(1, &[1, 1], &[0, 1]);
    check_split(3, &[1, 1], &[1, 2]);
    check_split(0, &thirds, &[0, 0, 0]);
}

#[test]
fn a_destination_with_no_share_is_given_nothing() {
    let line = line(100, &percentages(&[0, 333_333, 333_333, 333_334]));
    let payout = line.payout_of(Capture, Amount::new(100).unwrap(), None).unwrap();
    let amounts: Vec<i64> = payout.destinations.iter().map(|(_, it)| it.minor_units()).collect();
    assert_eq!(amounts, [0, 34, 33, 33]);
}

#[test]
fn the_largest_amounts_are_split_exactly() {
    let most = AMOUNT_MAX.unsigned_abs();
    for weights in [vec![1, Shares::WHOLE - 1], vec![Shares::WHOLE / 2; 2]] {
        let line = line(-AMOUNT_MAX, &weights);
        let line = line.moved(Authorization, most, None, EventSeq(1)).unwrap();
        let payout = line.payout_of(Capture, Amount::new(-AMOUNT_MAX).unwrap(), None).unwrap();
        let sum: i64 = payout.destinations.iter().map(|(_, part)| part.minor_units()).sum();
        assert_eq!(sum, -AMOUNT_MAX);
        assert!(payout.destinations.iter().all(|(_, part)| part.minor_units() <= 0));
    }
}

/// Draws a rule of one to six destinations.
fn drawn_weights(throws: &mut Throws) -> Vec<u64> {
    let mut left = 1_000_000;
    let mut units = Vec::new();
    for _ in 0..throws.up_to(5) {
        let part = throws.up_to(left);
        units.push(part);
        left -= part;
    }
    units.push(left);
    percentages(&units)
}

/// Draws the next move: all that is left, or a part of it.
fn drawn_amount(throws: &mut Throws, most: u64) -> u64 {
    if throws.up_to(3) == 0 { most } else { throws.up_to(most) }
}

#[test]
fn parts_of_20_000_random_lines_never_differ_from_the_whole() {
    let mut throws = Throws(88_172_645_463_325_252);
    let id = |nth: usize| ResourceId::parse(&format!("authorization {nth}")).unwrap();
    for case in 0..20_000 {
        let weights = drawn_weights(&mut throws);
        let payable = throws.up_to(if case % 10 == 0 { AMOUNT_MAX.unsigned_abs() } else { 400 });
        let several = throws.up_to(2) == 0;
        let mut line = line(i64::try_from(payable).unwrap(), &weights);
        let mut authorized = 0;
        for _ in 0..throws.up_to(25) {
            let kinds = [Authorization, Capture, Capture, Cancellation, Refund];
            let kind = kinds[usize::try_from(throws.up_to(4)).unwrap()];
            let under = match (several, kind) {
                (false, _) => None,
                (true, Authorization) => Some(id(authorized)),
                (true, _) => Some(id(usize::try_from(throws.up_to(2)).unwrap())),
            };
            let amount = drawn_amount(&mut throws, line.available(kind, under.as_ref()));
            authorized += usize::from(kind == Authorization);
            let signed = Amount::new(i64::try_from(amount).unwrap()).unwrap();
            let shown = line.payout_of(kind, signed, under.as_ref()).unwrap();
            let parts = shown.destinations.iter().map(|(_, part)| part.minor_units());
            assert!(parts.clone().all(|part| 0 <= part));
            assert_eq!(parts.sum::<i64>(), signed.minor_units());
            // Fails if a destination would get a negative box, or if its boxes and those of the
            // line no longer add up.
            line = line.moved(kind, amount, under.as_ref(), EventSeq(1)).unwrap();
        }
    }
}

#[test]
fn a_box_that_is_emptied_in_parts_gives_each_destination_what_it_had_there() {
    let mut throws = Throws(4_101_842_887_655_102_017);
    for _ in 0..20_000 {
        let weights = drawn_weights(&mut throws);
        let payable = throws.up_to(100_000);
        let mut line = line(-i64::try_from(payable).unwrap(), &weights);
        line = line.moved(Authorization, payable, None, EventSeq(1)).unwrap();
        let held: Vec<u64> = line.payout().unwrap().boxes().iter().map(|b| b.held).collect();
        for kind in [Capture, Refund] {
            while 0 < line.available(kind, None) {
                let amount = drawn_amount(&mut throws, line.available(kind, None)).max(1);
                line = line.moved(kind, amount, None, EventSeq(1)).unwrap();
            }
        }
        let boxes = line.payout().unwrap().boxes();
        assert!(boxes.iter().all(|boxes| boxes.held == 0 && boxes.kept == 0));
        assert_eq!(boxes.iter().map(|boxes| boxes.refunded).collect::<Vec<_>>(), held);
    }
}

#[test]
fn a_failed_operation_for_more_than_its_box_is_shown_by_the_rule() {
    let line = line(100, &percentages(&[750_000, 250_000]));
    let payout = line.payout_of(Refund, Amount::new(40).unwrap(), None).unwrap();
    let amounts: Vec<i64> = payout.destinations.iter().map(|(_, it)| it.minor_units()).collect();
    assert_eq!(amounts, [30, 10]);
    assert_eq!(line.payout().unwrap().parts(), []);
}

#[test]
fn a_payout_that_is_not_that_of_its_line_cannot_be_restored() {
    let line = line(100, &percentages(&[500_000, 500_000]));
    let line = line.moved(Authorization, 10, None, EventSeq(1)).unwrap();
    let payout = line.payout().unwrap().clone();
    let plain =
        || Line::restore(line.line_id(), line.payable(), *line.sums(), Vec::new(), None).unwrap();
    assert!(plain().with_payout(Some(payout.clone())).is_some());
    let mut more = payout.parts.clone();
    more[0].boxes[0].held += 1;
    let more = LinePayout::restore(payout.rule.clone(), more).unwrap();
    assert!(plain().with_payout(Some(more)).is_none());
    assert!(plain().with_payout(Some(LinePayout::fresh(payout.rule.clone()))).is_none());
    let mut stranger = payout.parts.clone();
    stranger[0].authorization_id = ResourceId::parse("a");
    let stranger = LinePayout::restore(payout.rule.clone(), stranger).unwrap();
    assert!(plain().with_payout(Some(stranger)).is_none());
    let mut short = payout.parts.clone();
    short[0].boxes.pop();
    assert!(LinePayout::restore(payout.rule.clone(), short).is_none());
}
