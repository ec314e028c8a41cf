//! Who an order is for and where it goes.

use crate::json::{self, Tree};
use crate::store::OrderRecord;

/// A person or a place, line by line.
pub struct Person {
    pub title: &'static str,
    pub lines: Vec<String>,
}

/// The customer, the addresses and the store, those that the order names.
pub fn people(order: &OrderRecord) -> Vec<Person> {
    let Ok(document) = json::parse(order.document.0.as_bytes()) else { return Vec::new() };
    let all = [
        ("customer", "Customer"),
        ("shipping_address", "Goes to"),
        ("billing_address", "Bill to"),
        ("store", "Store"),
    ];
    let person = |(key, title)| {
        let lines = lines(document.member(key)?);
        (!lines.is_empty()).then_some(Person { title, lines })
    };
    all.into_iter().filter_map(person).collect()
}

fn lines(tree: &Tree) -> Vec<String> {
    let text = |key: &str| tree.member(key).and_then(Tree::as_text).unwrap_or_default();
    let joined = |keys: &[&str]| {
        let words: Vec<&str> =
            keys.iter().map(|key| text(key)).filter(|word| !word.is_empty()).collect();
        words.join(" ")
    };
    let lines = [
        joined(&["first_name", "last_name"]),
        joined(&["name"]),
        joined(&["address_line"]),
        joined(&["address_line_2"]),
        joined(&["postal_code", "postal_place", "country"]),
        joined(&["email"]),
        joined(&["phone_number"]),
        joined(&["comment"]),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}
