//! Changing an order by a draft: adding lines to it, or replacing it (docs/contract.md, Facts 2).

use super::ids::LineId;
use super::item::{ITEMS_MAX, Price, Totals};
use super::ledger::Ledger;
use super::line::Line;
use super::order::OrderStatus;

/// The lines of a draft, which are added to an order or replace its lines.
#[derive(Debug)]
pub struct DraftLines<'a> {
    /// Whether the draft's currency is the order's.
    pub same_currency: bool,
    /// The lines with their prices.
    pub lines: Vec<(LineId, &'a Price)>,
}

/// Why a draft cannot change an order, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmendmentRejected {
    OrderCancelled,
    OrderNotOpen,
    CurrencyMismatch,
    /// The order has operations, successful or failed.
    HasPaymentOperations,
    /// The order has these lines already.
    LinesInUse(Vec<LineId>),
    /// The order would have more than [`ITEMS_MAX`] lines.
    TooManyItems,
    /// The order's total would exceed the range of an amount.
    TotalOutOfRange,
}

/// The order's ledger with the draft's lines added. `prices` are those of its present lines.
pub fn decide_addition<'a>(
    ledger: &Ledger,
    prices: impl IntoIterator<Item = &'a Price>,
    draft_lines: &DraftLines<'a>,
) -> Result<Ledger, AmendmentRejected> {
    expect_changeable(ledger, draft_lines)?;
    let ids = draft_lines.lines.iter().map(|(line_id, _)| *line_id);
    let in_use: Vec<LineId> = ids.filter(|line_id| ledger.find(*line_id).is_some()).collect();
    if !in_use.is_empty() {
        return Err(AmendmentRejected::LinesInUse(in_use));
    }
    if ITEMS_MAX < ledger.lines.len() + draft_lines.lines.len() {
        return Err(AmendmentRejected::TooManyItems);
    }
    let all = prices.into_iter().chain(draft_lines.lines.iter().map(|(_, price)| *price));
    Totals::of(all).ok_or(AmendmentRejected::TotalOutOfRange)?;
    let mut after = ledger.clone();
    after.lines.extend(fresh_lines(draft_lines));
    after.lines.sort_by_key(Line::line_id);
    Ok(after)
}

/// The order's ledger with its lines replaced by the draft's.
pub fn decide_replacement(
    ledger: &Ledger,
    has_operations: bool,
    multiple_authorizations: bool,
    draft_lines: &DraftLines<'_>,
) -> Result<Ledger, AmendmentRejected> {
    expect_changeable(ledger, draft_lines)?;
    if has_operations {
        return Err(AmendmentRejected::HasPaymentOperations);
    }
    let mut lines: Vec<Line> = fresh_lines(draft_lines).collect();
    lines.sort_by_key(Line::line_id);
    Ok(Ledger { multiple_authorizations, lines, ..ledger.clone() })
}

fn expect_changeable(
    ledger: &Ledger,
    draft_lines: &DraftLines<'_>,
) -> Result<(), AmendmentRejected> {
    match ledger.status {
        OrderStatus::Cancelled => return Err(AmendmentRejected::OrderCancelled),
        OrderStatus::Closed => return Err(AmendmentRejected::OrderNotOpen),
        OrderStatus::Open => {}
    }
    if draft_lines.same_currency { Ok(()) } else { Err(AmendmentRejected::CurrencyMismatch) }
}

fn fresh_lines(draft_lines: &DraftLines<'_>) -> impl Iterator<Item = Line> {
    draft_lines.lines.iter().map(|(line_id, price)| Line::fresh(*line_id, price.payable()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{AMOUNT_MAX, Amount};

    fn price(gross: i64) -> Price {
        Price::new(Amount::new(gross).unwrap(), &[], &[]).unwrap()
    }

    fn ledger(status: OrderStatus, lines: &[(i64, i64)]) -> Ledger {
        let line = |(id, gross): &(i64, i64)| {
            Line::fresh(LineId::new(*id).unwrap(), price(*gross).payable())
        };
        Ledger {
            status,
            multiple_authorizations: false,
            authorizations: Vec::new(),
            lines: lines.iter().map(line).collect(),
        }
    }

    #[track_caller]
    fn check(status: OrderStatus, same_currency: bool, draft_lines: &[(i64, i64)], expected: &str) {
        let has = [(1, 100), (5, -40)];
        let ledger = ledger(status, &has);
        let (old, new): (Vec<Price>, Vec<Price>) = (
            has.map(|(_, gross)| price(gross)).into(),
            draft_lines.iter().map(|b| price(b.1)).collect(),
        );
        let lines = draft_lines.iter().zip(&new).map(|((id, _), p)| (LineId::new(*id).unwrap(), p));
        let draft_lines = DraftLines { same_currency, lines: lines.collect() };
        let told = match decide_addition(&ledger, &old, &draft_lines) {
            Ok(after) => {
                let lines = after.lines.iter();
                let lines = lines.map(|l| (l.line_id().number(), l.payable().minor_units()));
                format!("{:?}", lines.collect::<Vec<_>>())
            }
            Err(rejected) => format!("{rejected:?}"),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn lines_are_added_to_an_open_order_that_has_none_of_them() {
        use OrderStatus::{Cancelled, Closed, Open};
        check(Open, true, &[(3, -100), (9, 7)], "[(1, 100), (3, -100), (5, -40), (9, 7)]");
        check(Open, true, &[(5, 1), (1, 1), (2, 1)], "LinesInUse([LineId(5), LineId(1)])");
        check(Open, false, &[(5, 1)], "CurrencyMismatch");
        check(Closed, false, &[(2, 1)], "OrderNotOpen");
        check(Cancelled, false, &[(2, 1)], "OrderCancelled");
        let most = AMOUNT_MAX - 140;
        check(Open, true, &[(2, most)], &format!("[(1, 100), (2, {most}), (5, -40)]"));
        check(Open, true, &[(2, most + 1)], "TotalOutOfRange");
        let many: Vec<(i64, i64)> = (6..1_005).map(|line| (line, 0)).collect();
        check(Open, true, &many, "TooManyItems");
        let all: Vec<(i64, i64)> =
            [(1, 100), (5, -40)].into_iter().chain(many[..998].iter().copied()).collect();
        check(Open, true, &many[..998], &format!("{all:?}"));
    }

    #[test]
    fn an_order_is_replaced_while_nothing_was_recorded_for_it() {
        let before = ledger(OrderStatus::Open, &[(1, 100)]);
        let (two, one) = (price(2), price(1));
        let id = |number| LineId::new(number).unwrap();
        let draft_lines =
            DraftLines { same_currency: true, lines: vec![(id(2), &two), (id(1), &one)] };
        let after = decide_replacement(&before, false, true, &draft_lines).unwrap();
        assert!(after.multiple_authorizations);
        assert_eq!(after.lines.iter().map(Line::line_id).collect::<Vec<_>>(), [id(1), id(2)]);
        let refused = decide_replacement(&before, true, true, &draft_lines);
        assert_eq!(refused, Err(AmendmentRejected::HasPaymentOperations));
        let other = DraftLines { same_currency: false, lines: Vec::new() };
        let refused = decide_replacement(&before, true, true, &other);
        assert_eq!(refused, Err(AmendmentRejected::CurrencyMismatch));
    }
}
