//! What is tried: orders with odd lines, and steps that are right about half of the time.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::reference::{Change, Kind, MOST, Named, Order, Request};

/// Lines' numbers: not from 1, not without gaps, not in order.
const LINES: [i64; 4] = [40, 2, 7, 1];

/// A line that no order has.
const NO_LINE: i64 = 77;

#[derive(Debug, Clone)]
pub struct Case {
    /// Line and what is payable for it.
    pub payable: Vec<(i64, i64)>,
    pub multiple: bool,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Operate(Draw),
    Change(Change),
    /// An operation on an order that is not there.
    Nowhere(Draw),
    /// One of the earlier requests under its key once more.
    Again(Which, Form),
    Restart,
}

#[derive(Debug, Clone, Copy)]
pub enum Which {
    Nth(usize),
    LastConflict,
}

/// How a request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    /// The same with other white space and another order of keys.
    Rewritten,
    /// With one more field.
    Other,
}

/// An operation before it is known what the order holds.
#[derive(Debug, Clone)]
pub struct Draw {
    kind: Kind,
    success: bool,
    named: usize,
    first_line: usize,
    picks: Vec<Pick>,
    flaw: Flaw,
}

#[derive(Debug, Clone, Copy)]
enum Pick {
    Zero,
    One,
    Percent(i64),
    Exact,
    OneTooMany,
    WrongSign,
}

#[derive(Debug, Clone, Copy)]
enum Flaw {
    None,
    NoItems,
    LineTwice,
    UnknownLine,
    AmountOutOfRange,
    AmountOutOfRangeAndLineTwice,
    TotalOutOfRange,
}

/// Orders of one to four lines, and up to that many steps.
pub fn case_of(steps_max: usize, step: BoxedStrategy<Step>) -> impl Strategy<Value = Case> {
    let payable = prop_oneof![
        6 => 1_i64..=1_000,
        1 => Just(1),
        3 => -500_i64..=-1,
        1 => Just(0),
    ];
    // One line may be so large that its sums come near the end of what an amount can be.
    let payable = (vec(payable, 1..=LINES.len()), prop::bool::weighted(0.1));
    let payable = payable.prop_map(|(mut payable, large)| {
        if large {
            payable[0] = MOST - 5_000;
        }
        LINES.into_iter().zip(payable).collect()
    });
    (payable, prop::bool::weighted(0.4), vec(step, steps_max / 2..=steps_max))
        .prop_map(|(payable, multiple, steps)| Case { payable, multiple, steps })
}

/// Steps that need no server.
pub fn in_process() -> BoxedStrategy<Step> {
    let change = prop_oneof![
        3 => Just(Change::Close),
        6 => Just(Change::Open),
        2 => Just(Change::Cancel),
    ];
    prop_oneof![12 => draw().prop_map(Step::Operate), 1 => change.prop_map(Step::Change)].boxed()
}

/// The same, with what only a server has.
pub fn over_http() -> BoxedStrategy<Step> {
    let form = select(vec![Form::Plain, Form::Rewritten, Form::Other]);
    let which = prop_oneof![any::<usize>().prop_map(Which::Nth), Just(Which::LastConflict)];
    prop_oneof![
        30 => in_process(),
        10 => (which, form).prop_map(|(which, form)| Step::Again(which, form)),
        1 => draw().prop_map(Step::Nowhere),
        1 => Just(Step::Restart),
    ]
    .boxed()
}

fn draw() -> impl Strategy<Value = Draw> {
    let kind = prop_oneof![
        4 => Just(Kind::Authorization),
        5 => Just(Kind::Capture),
        3 => Just(Kind::Refund),
        2 => Just(Kind::Cancellation),
    ];
    let pick = prop_oneof![
        1 => Just(Pick::Zero),
        2 => Just(Pick::One),
        8 => (1_i64..100).prop_map(Pick::Percent),
        7 => Just(Pick::Exact),
        2 => Just(Pick::OneTooMany),
        1 => Just(Pick::WrongSign),
    ];
    let flaw = prop_oneof![
        25 => Just(Flaw::None),
        1 => Just(Flaw::UnknownLine),
        1 => Just(Flaw::LineTwice),
        1 => select(vec![
            Flaw::NoItems,
            Flaw::AmountOutOfRange,
            Flaw::AmountOutOfRangeAndLineTwice,
            Flaw::TotalOutOfRange,
        ]),
    ];
    let lines = (0..LINES.len(), vec(pick, 1..=3));
    (kind, prop::bool::weighted(0.9), 0_usize..100, lines, flaw).prop_map(
        |(kind, success, named, (first_line, picks), flaw)| Draw {
            kind,
            success,
            named,
            first_line,
            picks,
            flaw,
        },
    )
}

impl Draw {
    /// The request, once it is known what the order holds.
    pub fn resolve(&self, order: &Order) -> Request {
        let mut request = Request {
            kind: self.kind,
            success: self.success,
            authorization: self.authorization(order),
            items: Vec::new(),
        };
        let lines: Vec<i64> = order.payable.keys().copied().collect();
        for (nth, pick) in self.picks.iter().take(lines.len()).enumerate() {
            let line = lines[(self.first_line + nth) % lines.len()];
            request.items.push((line, pick.amount(order, &request, line)));
        }
        self.spoil(&mut request.items);
        request
    }

    fn authorization(&self, order: &Order) -> Option<Named> {
        match self.named {
            0..5 => None,
            5..10 => Some(Named::Stranger),
            // Without the option it is ignored, whatever it is.
            _ if !order.multiple => None,
            named => {
                Some(named.checked_rem(order.authorizations).map_or(Named::Stranger, Named::Nth))
            }
        }
    }

    fn spoil(&self, items: &mut Vec<(i64, i64)>) {
        match self.flaw {
            Flaw::None => {}
            Flaw::NoItems => items.clear(),
            Flaw::LineTwice => items.push((items[0].0, 0)),
            Flaw::UnknownLine => items.push((NO_LINE, 1)),
            Flaw::AmountOutOfRange => items[0].1 = -MOST - 1,
            Flaw::AmountOutOfRangeAndLineTwice => items.push((items[0].0, MOST + 1)),
            Flaw::TotalOutOfRange => items.extend([(NO_LINE, MOST), (NO_LINE + 1, MOST)]),
        }
    }
}

impl Pick {
    fn amount(self, order: &Order, request: &Request, line: i64) -> i64 {
        let available = order.available(request, line);
        let sign = if order.payable[&line] < 0 { -1 } else { 1 };
        match self {
            Pick::Zero => 0,
            Pick::One => sign,
            Pick::Percent(percent) => available / 100 * percent + available % 100 * percent / 100,
            Pick::Exact => available,
            Pick::OneTooMany => available + sign,
            Pick::WrongSign => -sign,
        }
    }
}
