//! Properties of the pure parts, for random values.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tillbook::domain::ids::{EventSeq, LineId};
use tillbook::domain::line::{Line, Sums};
use tillbook::domain::money::Amount;
use tillbook::domain::operation::OperationKind;
use tillbook::domain::payment_status::PaymentStatus;
use tillbook::json::{self, Tree};

use super::pure::PureOrder;
use super::reference::{Kind, MOST, Order, Request};
use super::shop::{Plan, PlanFlaw};
use super::steps::Form;
use super::{Call, Outcome, Tried, shown, sorted};
use crate::trials::{count, runner, seed};

/// Runs a property on many values of a strategy.
fn check<S: Strategy>(
    what: &str,
    values: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let cases = count("TILLBOOK_MODEL_CASES", 500);
    runner(seed(what), cases).run(values, property).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn a_written_document_is_read_back_unchanged() {
    check("written and read", &tree(), |tree| {
        let text = tree.to_string();
        let read = json::parse(text.as_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&tree), "{}", text);
        prop_assert_eq!(read.unwrap().to_string(), text);
        Ok(())
    });
}

fn tree() -> impl Strategy<Value = Tree> {
    let number = prop_oneof![
        extreme().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ];
    let text = "[^\u{0}]{0,12}";
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        number.prop_map(Tree::Number),
        text.prop_map(Tree::Text),
    ];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        let members = prop::collection::btree_map(text, inner.clone(), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Tree::List),
            members.prop_map(|members| Tree::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn captures_commute() {
    let captures = vec(0_i64..=1_000, 1..8).prop_flat_map(|amounts| {
        (Just(amounts.clone()), Just(amounts).prop_shuffle(), 0_i64..=500, any::<bool>())
    });
    check("captures in any order", &captures, |(some, shuffled, spare, is_authorized)| {
        let payable = some.iter().sum::<i64>() + spare;
        let after = |amounts: &[i64]| {
            let amounts = amounts.iter().map(|amount| u64::try_from(*amount).unwrap());
            let line = Line::fresh(LineId::new(1).unwrap(), Amount::new(payable).unwrap());
            let held = if is_authorized { u64::try_from(payable).unwrap() } else { 0 };
            let line = line.moved(OperationKind::Authorization, held, None, EventSeq(1)).unwrap();
            let capture = |line: Line, amount| {
                line.moved(OperationKind::Capture, amount, None, EventSeq(2)).unwrap()
            };
            amounts.fold(line, capture)
        };
        let (one, other) = (after(&some), after(&shuffled));
        prop_assert_eq!(one.sums(), other.sums());
        prop_assert_eq!(PaymentStatus::derive(&[one]), PaymentStatus::derive(&[other]));
        Ok(())
    });
}

#[test]
fn every_amount_up_to_the_limit_can_be_decided() {
    let items = vec((select(vec![1_i64, 2, 3]), extreme()), 1..3);
    let kind = select(Kind::ALL.to_vec());
    let steps = vec((kind, items), 1..30);
    let payable = (select(vec![MOST, -MOST, MOST - 1, MOST / 2]), -1_i64..=1);
    check("extreme amounts", &(payable, any::<bool>(), steps), |((large, small), flip, steps)| {
        // Both together are the largest total of an order.
        let large = large - large.signum() * small.abs();
        let lines = if flip { [(1, large), (2, small)] } else { [(1, small), (2, large)] };
        let plan = Plan {
            payable: lines.to_vec(),
            multiple: false,
            name: None,
            amends: None,
            flaw: PlanFlaw::None,
            payout: flip,
        };
        let (mut order, mut reference) = (PureOrder::new(&plan), Order::new(&lines, false));
        reference = reference.with_rules(plan.rules());
        for (kind, items) in steps {
            let request = Request { kind, success: true, authorization: None, items };
            let expected = sorted(Outcome::Answered(reference.operate(&request)));
            let outcome = order.call(&Call::Operate(0, request), Form::Plain, 0);
            prop_assert_eq!(sorted(outcome), expected);
            prop_assert_eq!(order.shown(0), shown(&reference));
        }
        Ok(())
    });
}

/// Numbers near the limits, and numbers between them.
fn extreme() -> impl Strategy<Value = i64> {
    let ends = [0, 1, MOST / 2, MOST, MOST + 1, 1 << 62, i64::MAX];
    let ends = ends.into_iter().flat_map(|end| [end, end - 1, -end]).chain([i64::MIN]);
    prop_oneof![4 => select(ends.collect::<Vec<i64>>()), 1 => any::<i64>(), 1 => -9_i64..=9]
}

#[test]
fn every_balanced_order_has_a_payment_status() {
    let part = || prop_oneof![0_u64..=3, Just(u64::try_from(MOST).unwrap()), any::<u64>()];
    let payable = prop_oneof![-6_i64..=6, Just(MOST), Just(-MOST)];
    let line = (payable, part(), part(), part(), part(), part());
    check("payment status", &vec(line, 1..4), |drawn| {
        let lines = drawn.into_iter().filter_map(
            |(payable, authorized, captured, direct, cancelled, refunded)| {
                let sums = Sums { authorized, captured, direct, cancelled, refunded };
                let payable = Amount::new(payable).unwrap();
                Line::restore(LineId::new(1).unwrap(), payable, sums, Vec::new(), None)
            },
        );
        let status = PaymentStatus::derive(&lines.collect::<Vec<Line>>());
        prop_assert_eq!(PaymentStatus::parse(status.as_str()), Some(status));
        Ok(())
    });
}
