//! The demo shop's goods and customers, from data files that are compiled in.

use crate::json::{self, Tree};
use crate::randomness::Randomness;

const CATALOGUE: &str = include_str!("../../data/demo/catalogue.json");
const PEOPLE: &str = include_str!("../../data/demo/people.json");

/// How many of a product a customer orders, drawn at random: mostly one.
const QUANTITIES: [i64; 6] = [1, 1, 1, 2, 3, 4];

/// The shop's goods and customers.
pub struct Catalogue {
    goods: Tree,
    people: Tree,
}

/// A product and how many of it a customer orders.
#[derive(Debug, Clone)]
pub struct BasketLine<'a> {
    product: &'a Tree,
    pub quantity: i64,
}

impl Catalogue {
    /// `None` when a data file is not JSON, which a test rules out.
    pub fn load() -> Option<Catalogue> {
        let goods = json::parse(CATALOGUE.as_bytes()).ok()?;
        let people = json::parse(PEOPLE.as_bytes()).ok()?;
        Some(Catalogue { goods, people })
    }

    /// The shop's name.
    pub fn shop_name(&self) -> &str {
        self.goods.member("shop").and_then(Tree::as_text).unwrap_or_default()
    }

    /// A customer drawn at random.
    pub fn person(&self, randomness: &Randomness) -> &Tree {
        let people = self.people.elements();
        &people[randomness.below(people.len())]
    }

    /// Goods drawn at random, each product once.
    pub fn basket(&self, randomness: &Randomness, lines: usize) -> Vec<BasketLine<'_>> {
        let products = self.goods.member("products").map(Tree::elements).unwrap_or_default();
        let first = randomness.below(products.len());
        let step = 1 + randomness.below(3);
        let basket_line = |line: usize| BasketLine {
            product: &products[(first + line * step) % products.len()],
            quantity: QUANTITIES[randomness.below(QUANTITIES.len())],
        };
        (0..lines).map(basket_line).collect()
    }

    /// The delivery of the goods.
    pub fn shipping(&self) -> Option<BasketLine<'_>> {
        Some(BasketLine { product: self.goods.member("shipping")?, quantity: 1 })
    }
}

impl BasketLine<'_> {
    /// The line's price in minor units of that currency.
    pub fn gross_amount(&self, currency: &str) -> i64 {
        self.product.member(currency).and_then(Tree::as_integer).unwrap_or(0) * self.quantity
    }

    /// The item with this `gross_amount`, less the discount.
    pub fn item(&self, line_id: i64, gross_amount: i64, discount: Option<(&str, i64)>) -> Tree {
        let text = |key: &str| self.product.member(key).cloned().unwrap_or(Tree::Null);
        let percentage = self.product.member("tax").and_then(Tree::as_integer).unwrap_or(25);
        let payable = gross_amount - discount.map_or(0, |(_, amount)| amount);
        let tax = Tree::object([
            ("amount", Tree::integer(tax_inside(payable, percentage))),
            ("percentage", Tree::integer(percentage)),
        ]);
        let mut members = vec![
            ("id".to_owned(), text("id")),
            ("line_id".to_owned(), Tree::integer(line_id)),
            ("description".to_owned(), text("description")),
            ("description_alias".to_owned(), text("alias")),
            ("quantity".to_owned(), Tree::integer(self.quantity)),
            ("unit".to_owned(), Tree::text("stk")),
            ("gross_amount".to_owned(), Tree::integer(gross_amount)),
            ("tax_lines".to_owned(), Tree::List(vec![tax])),
        ];
        if let Some((discount_type, amount)) = discount {
            let line = Tree::object([
                ("amount", Tree::integer(amount)),
                ("discount_type", Tree::text(discount_type)),
            ]);
            members.push(("discount_lines".to_owned(), Tree::List(vec![line])));
        }
        Tree::Object(members)
    }
}

/// The tax inside a price, to the nearest minor unit.
fn tax_inside(payable: i64, percentage: i64) -> i64 {
    let whole = 100 + percentage;
    (2 * payable * percentage + whole * payable.signum()) / (2 * whole)
}

/// The currency that people in a country pay in.
pub fn currency_of(person: &Tree) -> &'static str {
    match person.member("country").and_then(Tree::as_text) {
        Some("SE") => "SEK",
        Some("DK" | "FI") => "EUR",
        Some("IS") => "ISK",
        _ => "NOK",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_files_are_whole() {
        let catalogue = Catalogue::load().unwrap();
        assert!(!catalogue.shop_name().is_empty());
        let randomness = Randomness::seeded(1);
        for currency in ["NOK", "SEK", "EUR", "ISK"] {
            let basket = catalogue.basket(&randomness, 15);
            assert!(
                basket.iter().all(|basket_line| 0 < basket_line.gross_amount(currency)),
                "{currency}"
            );
            assert!(0 < catalogue.shipping().unwrap().gross_amount(currency));
        }
        assert!(10 < catalogue.people.elements().len());
    }

    #[test]
    fn tax_is_inside_the_price() {
        assert_eq!(tax_inside(39_800, 25), 7_960);
        assert_eq!(tax_inside(-39_800, 25), -7_960);
        assert_eq!(tax_inside(100, 15), 13);
        assert_eq!(tax_inside(0, 25), 0);
    }
}
