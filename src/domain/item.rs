//! An order's items: what each line sells, its price, and the totals of all lines.

use super::KeptJson;
use super::ids::LineId;
use super::money::{AMOUNT_MAX, Amount};
use super::payout_rule::CopiedRule;

/// Most items of an order.
pub const ITEMS_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discount {
    pub amount: Amount,
    /// Whether its `discount_type` is `manual`.
    pub manual: bool,
}

/// An item whose price is consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub line_id: LineId,
    pub price: Price,
    /// The store that the item names for itself, if any.
    pub store_id: Option<String>,
    /// The item as it was sent, without its `line_id` and without what the server computes.
    pub document: KeptJson,
    /// The version that its draft had when the item was added or last changed; 0 before that.
    pub version: i64,
    /// The payout rule of an order's line; `None` in a draft, and on a line without a payout.
    pub payout_rule: Option<CopiedRule>,
}

impl Item {
    /// Whether both are equal apart from their version.
    pub fn says_the_same(&self, other: &Item) -> bool {
        let version = self.version;
        *self == Item { version, ..other.clone() }
    }
}

/// Gives line ids to the items at these positions, counting on from the highest line id of the
/// others and from those in `above` (docs/contract.md, Decision 6). `None` when no number is left.
pub fn number_lines(
    items: &mut [Item],
    unnumbered: &[usize],
    above: impl IntoIterator<Item = LineId>,
) -> Option<()> {
    let numbered = items.iter().enumerate().filter(|(at, _)| !unnumbered.contains(at));
    let mut highest = numbered.map(|(_, item)| item.line_id).chain(above).max();
    for at in unnumbered {
        highest = highest.map_or(LineId::new(1), LineId::next);
        items.get_mut(*at)?.line_id = highest?;
    }
    Some(())
}

/// An item's price. Discounts have the sign of the gross amount and never exceed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    gross: Amount,
    discount: Amount,
    manual_discount: Amount,
    tax: Amount,
}

/// Why an item's price is inconsistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceRejected {
    /// The discounts at these positions have the other sign.
    DiscountsWrongSign(Vec<usize>),
    DiscountsExceedGross,
    TaxOutOfRange,
}

impl Price {
    /// Checks a price of a gross amount, discounts, and the amounts of the tax lines.
    pub fn new(
        gross: Amount,
        discounts: &[Discount],
        taxes: &[Amount],
    ) -> Result<Price, PriceRejected> {
        let wrong: Vec<usize> = positions(discounts, |d| !d.amount.has_sign_of(gross));
        if !wrong.is_empty() {
            return Err(PriceRejected::DiscountsWrongSign(wrong));
        }
        let discount = Amount::checked_sum(discounts.iter().map(|d| d.amount))
            .filter(|sum| sum.magnitude() <= gross.magnitude())
            .ok_or(PriceRejected::DiscountsExceedGross)?;
        let manual = discounts.iter().filter(|d| d.manual).map(|d| d.amount);
        let manual_discount =
            Amount::checked_sum(manual).ok_or(PriceRejected::DiscountsExceedGross)?;
        let tax = Amount::checked_sum(taxes.iter().copied()).ok_or(PriceRejected::TaxOutOfRange)?;
        Ok(Price { gross, discount, manual_discount, tax })
    }

    /// The line's price before discounts, tax included.
    pub fn gross(&self) -> Amount {
        self.gross
    }

    /// The sum of all discounts.
    pub fn discount(&self) -> Amount {
        self.discount
    }

    /// The sum of the manual discounts.
    pub fn manual_discount(&self) -> Amount {
        self.manual_discount
    }

    /// The sum of the tax lines, which the price includes.
    pub fn tax(&self) -> Amount {
        self.tax
    }

    /// The line's payable amount, gross less discounts: P of docs/contract.md, Decision 1.
    pub fn payable(&self) -> Amount {
        self.gross
            .checked_sub(self.discount)
            .expect("a discount has the gross amount's sign and is no larger")
    }
}

/// Totals over the items of an order (docs/contract.md, Decision 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub gross: i64,
    pub discount: i64,
    pub manual_discount: i64,
    /// The payable amount without tax.
    pub net: i64,
    pub payable: i64,
}

impl Totals {
    /// `None` when the sum of the lines' magnitudes, or the tax, exceeds the range of an amount.
    /// Limiting the magnitudes limits every sum that the ledger can ever form.
    pub fn of<'a>(prices: impl IntoIterator<Item = &'a Price>) -> Option<Totals> {
        let mut totals = Totals::default();
        let mut magnitude: u64 = 0;
        let mut tax = Amount::ZERO;
        for price in prices {
            magnitude = magnitude.checked_add(price.gross.magnitude())?;
            tax = tax.checked_add(price.tax)?;
            totals.gross = totals.gross.checked_add(price.gross.minor_units())?;
            totals.discount = totals.discount.checked_add(price.discount.minor_units())?;
            totals.manual_discount =
                totals.manual_discount.checked_add(price.manual_discount.minor_units())?;
            totals.payable = totals.payable.checked_add(price.payable().minor_units())?;
        }
        if AMOUNT_MAX.unsigned_abs() < magnitude {
            return None;
        }
        totals.net = totals.payable.checked_sub(tax.minor_units())?;
        Amount::new(totals.net)?;
        Some(totals)
    }
}

fn positions<T>(values: &[T], is_wrong: impl Fn(&T) -> bool) -> Vec<usize> {
    values.iter().enumerate().filter(|(_, value)| is_wrong(value)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(minor_units: i64) -> Amount {
        Amount::new(minor_units).unwrap()
    }

    fn price(gross: i64, discounts: &[i64], taxes: &[i64]) -> Result<Price, PriceRejected> {
        let discount = |d: &i64| Discount { amount: amount(*d), manual: *d % 2 != 0 };
        let discounts: Vec<Discount> = discounts.iter().map(discount).collect();
        let taxes: Vec<Amount> = taxes.iter().map(|t| amount(*t)).collect();
        Price::new(amount(gross), &discounts, &taxes)
    }

    #[test]
    fn discounts_carry_the_line_s_sign_and_never_pass_it() {
        assert_eq!(price(100, &[60, 40], &[]).unwrap().payable(), Amount::ZERO);
        assert_eq!(price(100, &[60, 41], &[]), Err(PriceRejected::DiscountsExceedGross));
        assert_eq!(price(-100, &[-60], &[]).unwrap().payable(), amount(-40));
        assert_eq!(price(-100, &[-1, 60], &[]), Err(PriceRejected::DiscountsWrongSign(vec![1])));
        assert_eq!(price(0, &[1], &[]), Err(PriceRejected::DiscountsWrongSign(vec![0])));
        assert_eq!(price(1, &[], &[AMOUNT_MAX, 1]), Err(PriceRejected::TaxOutOfRange));
    }

    #[test]
    fn totals_are_the_sums_of_the_lines() {
        let prices =
            [price(59800, &[10, 5], &[11957]).unwrap(), price(-800, &[], &[-160]).unwrap()];
        let totals = Totals::of(&prices).unwrap();
        assert_eq!(
            totals,
            Totals { gross: 59000, discount: 15, manual_discount: 5, net: 47188, payable: 58985 }
        );
    }

    #[test]
    fn lines_of_both_signs_cannot_hide_a_sum_that_is_out_of_range() {
        let most = price(AMOUNT_MAX, &[], &[]).unwrap();
        let back = price(-1, &[], &[]).unwrap();
        assert!(Totals::of([&most]).is_some());
        assert!(Totals::of([&most, &back]).is_none());
    }
}
