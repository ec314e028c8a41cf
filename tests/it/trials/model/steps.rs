//! Random orders with unusual lines, and steps of which about half are valid.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::reference::{Change, Kind, MOST, Named, Order, Request};
use super::shop::{List, Plan, PlanFlaw};

/// Line ids that neither begin at 1 nor are consecutive or in order.
const LINES: [i64; 4] = [40, 2, 7, 1];

/// A line id that no order has.
const NO_LINE: i64 = 77;

#[derive(Debug, Clone)]
pub struct Case {
    /// The order that exists from the beginning.
    pub first: Plan,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Operate(Draw),
    Change(usize, Change),
    /// An operation on an order that does not exist.
    Nowhere(Draw),
    Draft(Plan),
    Complete(DraftDraw),
    /// Sends an earlier request again under its key.
    Again(Which, Form),
    List(List),
    ListRefused,
    Restart(Ended),
    Checkpoint,
}

/// How the program was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Killed,
    Stopped,
}

/// A choice of a draft before their number is known; the newest is the likeliest.
#[derive(Debug, Clone, Copy)]
pub enum DraftDraw {
    Newest,
    Nth(usize),
    NotThere,
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
    /// With different white space and the members in a different order.
    Rewritten,
    /// With an additional field.
    Other,
}

/// A random operation before the state of the order is known.
#[derive(Debug, Clone)]
pub struct Draw {
    pub order: usize,
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

/// An order, and about that many steps.
pub fn case_of(steps: usize, step: BoxedStrategy<Step>) -> impl Strategy<Value = Case> {
    (order(), vec(step, 1..2 * steps)).prop_map(|(first, steps)| Case { first, steps })
}

/// Orders of one to four lines.
fn order() -> impl Strategy<Value = Plan> {
    let payable = prop_oneof![
        6 => 1_i64..=1_000,
        1 => Just(1),
        3 => -500_i64..=-1,
        1 => Just(0),
    ];
    // One line may be so large that its sums come near the largest amount.
    let payable = (vec(payable, 1..=LINES.len()), prop::bool::weighted(0.1));
    let payable = payable.prop_map(|(mut payable, large)| {
        if large {
            payable[0] = MOST - 5_000;
        }
        LINES.into_iter().zip(payable).collect::<Vec<(i64, i64)>>()
    });
    (payable, prop::bool::weighted(0.4)).prop_map(|(payable, multiple)| Plan {
        // Not drawn separately, so that the other draws of a seed do not change.
        payout: has_payout(&payable),
        payable,
        multiple,
        name: None,
        amends: None,
        flaw: PlanFlaw::None,
    })
}

/// Half of all orders have payouts.
fn has_payout(payable: &[(i64, i64)]) -> bool {
    payable.iter().map(|(_, payable)| payable % 2).sum::<i64>() % 2 == 0
}

fn draft() -> impl Strategy<Value = Plan> {
    let flaw = prop_oneof![
        9 => Just(PlanFlaw::None),
        1 => Just(PlanFlaw::NoItems),
        3 => Just(PlanFlaw::TwoStores),
        5 => select(vec![
            PlanFlaw::LineTwice,
            PlanFlaw::DiscountWithWrongSign,
            PlanFlaw::TotalOutOfRange,
        ]),
    ];
    let name = prop::option::weighted(0.6, 0_u8..2);
    let amends = prop::option::weighted(0.4, any::<usize>());
    // Line ids of existing orders, or others.
    let shift = prop_oneof![1 => Just(0_i64), 4 => (1_i64..9).prop_map(|nth| nth * 100)];
    (order(), name, amends, shift, flaw).prop_map(|(order, name, amends, shift, flaw)| {
        let payable = order.payable.iter().map(|(line, p)| (line + shift, *p)).collect();
        let name = name.filter(|_| amends.is_none());
        Plan { name, amends, flaw, payable, ..order }
    })
}

/// Steps that need no server.
pub fn in_process() -> BoxedStrategy<Step> {
    let change = prop_oneof![
        3 => Just(Change::Close),
        6 => Just(Change::Open),
        2 => Just(Change::Cancel),
    ];
    let change = (0_usize..100, change).prop_map(|(order, change)| Step::Change(order, change));
    prop_oneof![12 => draw().prop_map(Step::Operate), 1 => change].boxed()
}

/// All steps, also those that need a server.
pub fn over_http() -> BoxedStrategy<Step> {
    let form = select(vec![Form::Plain, Form::Rewritten, Form::Other]);
    let which = prop_oneof![
        1 => any::<usize>().prop_map(Which::Nth),
        2 => Just(Which::LastConflict),
    ];
    let complete = prop_oneof![
        2 => Just(DraftDraw::Newest),
        6 => any::<usize>().prop_map(DraftDraw::Nth),
        1 => Just(DraftDraw::NotThere),
    ];
    prop_oneof![
        44 => in_process(),
        8 => (0_usize..100, select(vec![Change::Close, Change::Open, Change::Cancel]))
            .prop_map(|(order, change)| Step::Change(order, change)),
        20 => (which, form).prop_map(|(which, form)| Step::Again(which, form)),
        2 => draw().prop_map(Step::Nowhere),
        14 => draft().prop_map(Step::Draft),
        18 => complete.prop_map(Step::Complete),
        9 => list().prop_map(Step::List),
        1 => Just(Step::ListRefused),
        3 => select(vec![
            Step::Restart(Ended::Killed),
            Step::Restart(Ended::Stopped),
            Step::Checkpoint,
        ]),
    ]
    .boxed()
}

fn list() -> impl Strategy<Value = List> {
    let statuses = subsequence(vec!["open", "closed", "cancelled"], 0..=2);
    let payment_statuses = subsequence(
        vec!["pending", "partially_paid", "paid", "partially_refunded", "refunded"],
        0..=3,
    );
    let limit = prop_oneof![2 => Just(1_usize), 1 => Just(100)];
    let after = prop::option::weighted(0.3, any::<usize>());
    (statuses, payment_statuses, limit, after).prop_map(
        |(statuses, payment_statuses, limit, after)| List {
            statuses,
            payment_statuses,
            limit,
            after,
        },
    )
}

impl DraftDraw {
    /// The number of the chosen draft, now that the number of drafts is known.
    pub fn resolve(self, drafts: usize) -> Option<usize> {
        match self {
            DraftDraw::Newest => drafts.checked_sub(1),
            DraftDraw::Nth(nth) => nth.checked_rem(drafts),
            DraftDraw::NotThere => None,
        }
    }
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
        20 => Just(Flaw::None),
        1 => Just(Flaw::UnknownLine),
        1 => Just(Flaw::LineTwice),
        3 => select(vec![
            Flaw::NoItems,
            Flaw::AmountOutOfRange,
            Flaw::AmountOutOfRangeAndLineTwice,
            Flaw::TotalOutOfRange,
        ]),
    ];
    let lines = (0..LINES.len(), vec(pick, 1..=3));
    let order_and_name = (0_usize..100, 0_usize..100);
    (kind, prop::bool::weighted(0.9), order_and_name, lines, flaw).prop_map(
        |(kind, success, (order, named), (first_line, picks), flaw)| Draw {
            order,
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
    /// The request, now that the state of the order is known.
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
            0..12 => None,
            12..16 => Some(Named::Stranger),
            // Without the option, any authorization is ignored.
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
