//! Renders the receipt of an order (docs/contract.md, Decision 14).

use super::links::{Links, link_list};
use crate::clock::rfc3339;
use crate::domain::item::Item;
use crate::domain::operation::Operation;
use crate::json::{self, ObjectText, Tree};
use crate::store::OrderRecord;

/// The tax of one percentage.
#[derive(Debug, PartialEq, Eq)]
pub struct Vat {
    /// A decimal number without zeros at its end.
    pub percentage: String,
    /// The sum of the tax, in minor units.
    pub amount: i128,
}

/// The tax lines of an order's items, summed by percentage.
#[derive(Default)]
pub struct VatSums(Vec<Vat>);

/// True if an order has a receipt: once a capture of it has succeeded.
pub fn has_receipt<'o>(mut captures: impl Iterator<Item = &'o Operation>) -> bool {
    captures.any(|capture| capture.success)
}

/// The receipt's JSON text; `shop` is the name of the account.
pub fn render(links: &Links, order: &OrderRecord, shop: &str) -> String {
    let sums = order.ledger.sums();
    let mut vat = VatSums::default();
    let mut lines = Vec::with_capacity(order.items.len());
    for item in &order.items {
        let document = json::parse(item.document.0.as_bytes()).unwrap_or(Tree::Null);
        vat.add(&document);
        lines.push(line_text(item, &document));
    }
    let vat: Vec<String> = vat.sorted().iter().map(vat_text).collect();
    let shop = ObjectText::default()
        .text("account_id", order.account_id.as_str())
        .text("name", shop)
        .end();
    let links = link_list(&[
        ("self", links.receipt(&order.account_id, &order.order_id)),
        ("order", links.order(&order.account_id, &order.order_id)),
    ]);
    ObjectText::default()
        .text("order_id", order.order_id.as_str())
        .text("created_at", &rfc3339(order.created_at))
        .text("currency", order.currency.code())
        .json("shop", &shop)
        .list("lines", &lines)
        .list("vat", &vat)
        .integer("amount", sums.payable)
        .integer("captured", sums.captured)
        .integer("refunded", sums.refunded)
        .json("_links", &links)
        .end()
}

fn line_text(item: &Item, document: &Tree) -> String {
    let mut object = ObjectText::default();
    object.integer("line_id", item.line_id.number());
    for key in ["id", "description"] {
        if let Some(text) = document.member(key).and_then(Tree::as_text) {
            object.text(key, text);
        }
    }
    if let Some(quantity @ Tree::Number(_)) = document.member("quantity") {
        object.json("quantity", &quantity.to_text());
    }
    object
        .integer("gross_amount", item.price.gross().minor_units())
        .integer("discount_amount", item.price.discount().minor_units())
        .integer("amount", item.price.payable().minor_units())
        .end()
}

fn vat_text(vat: &Vat) -> String {
    ObjectText::default().json("percentage", &vat.percentage).integer("amount", vat.amount).end()
}

impl VatSums {
    /// Adds the tax lines of an item's document.
    pub fn add(&mut self, document: &Tree) {
        for line in document.member("tax_lines").map(Tree::elements).unwrap_or_default() {
            let Some(Tree::Number(percentage)) = line.member("percentage") else { continue };
            let amount = line.member("amount").and_then(Tree::as_integer).unwrap_or_default();
            let percentage = without_trailing_zeros(percentage);
            match self.0.iter_mut().find(|vat| vat.percentage == percentage) {
                Some(vat) => vat.amount += i128::from(amount),
                None => {
                    self.0.push(Vat { percentage: percentage.to_owned(), amount: amount.into() });
                }
            }
        }
    }

    /// The sums, lowest percentage first.
    pub fn sorted(self) -> Vec<Vat> {
        let VatSums(mut sums) = self;
        // Sorts decimal numbers as text: more digits before the point is more, and equally many
        // compare digit by digit.
        sums.sort_by_key(|vat| {
            (vat.percentage.find('.').unwrap_or(vat.percentage.len()), vat.percentage.clone())
        });
        sums
    }
}

/// `25.00` becomes `25`, since clients write the same percentage in several ways.
fn without_trailing_zeros(number: &str) -> &str {
    match number.contains('.') && !number.contains(['e', 'E']) {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_one_however_it_is_written() {
        let same = |written: &str| without_trailing_zeros(written).to_owned();
        assert_eq!(
            (same("25"), same("25.00"), same("100")),
            ("25".into(), "25".into(), "100".into())
        );
        assert_eq!(
            (same("12.50"), same("0.0"), same("2.50e1")),
            ("12.5".into(), "0".into(), "2.50e1".into())
        );
    }
}
