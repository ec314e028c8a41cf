//! The people and places of an order: customer, addresses, store, delivery.

use super::read::OrderRead;
use crate::clock::parse_rfc3339;
use crate::http::admin::words;
use crate::json::Tree;

/// Characters of the customer's comment.
const COMMENT_CHARS_MAX: usize = 1_000;

/// A person or a place, line by line.
pub struct Person {
    pub title: &'static str,
    pub lines: Vec<String>,
}

/// The customer, the addresses and the store, as far as the order's document has them.
pub fn people(document: &Tree) -> Vec<Person> {
    let all = [
        ("customer", "Customer"),
        ("shipping_address", "Goes to"),
        ("billing_address", "Bill to"),
        ("store", "Store"),
    ];
    let person = |(key, title)| {
        let named = document.member(key)?;
        let lines = lines(named);
        // A store may have only an id.
        let id = named.member("id").and_then(Tree::as_text).map(str::to_owned);
        let lines = if lines.is_empty() { id.into_iter().collect() } else { lines };
        (!lines.is_empty()).then_some(Person { title, lines })
    };
    all.into_iter().filter_map(person).collect()
}

/// The result of `people`, followed by the delivery and the customer's comment.
pub fn people_and_delivery(read: &OrderRead) -> Vec<Person> {
    let document = words::parsed(&read.order.document);
    let mut people = people(&document);
    let text = |key: &str| document.member(key).and_then(Tree::as_text);
    let delivery = delivery(read, &document);
    people.extend((!delivery.is_empty()).then_some(Person { title: "Delivery", lines: delivery }));
    people.extend(text("comment").filter(|said| !said.is_empty()).map(|said| Person {
        title: "The customer says",
        lines: vec![words::cut(said, COMMENT_CHARS_MAX)],
    }));
    people
}

/// The courier, the delivery number and the times.
fn delivery(read: &OrderRead, document: &Tree) -> Vec<String> {
    let text = |key: &str| document.member(key).and_then(Tree::as_text);
    let at = |key: &str| {
        let sent = text(key)?;
        Some(parse_rfc3339(sent).map_or_else(|| sent.to_owned(), |at| read.local(at)))
    };
    let lines = [
        ("Courier", text("courier_id").map(str::to_owned)),
        ("Delivery", text("delivery_id").map(str::to_owned)),
        ("Deliver", at("delivery_at")),
        ("Pick up", at("pickup_at")),
    ];
    let line = |(name, value): (&str, Option<String>)| Some(format!("{name} {}", value?));
    lines.into_iter().filter_map(line).collect()
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
