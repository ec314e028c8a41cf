//! Parses a draft and changes of it (docs/contract.md, Facts 2).

use super::order_fields::{ITEM, OPTIONS, ORDER, STORE};
use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::app::{DraftUpdate, acting_options};
use crate::domain::KeptJson;
use crate::domain::currency::Currency;
use crate::domain::ids::{LineId, OrderName};
use crate::domain::item::{Discount, Item, Price, PriceRejected, Totals, number_lines};
use crate::domain::money::Amount;
use crate::domain::operation::duplicate_positions;
use crate::json::Tree;
use crate::store::NewDraft;

const DRAFT: Shape = Shape::Object(&[
    required("order", ORDER),
    optional("options", OPTIONS),
    optional("store", STORE),
]);

/// A change of a draft: as a draft, of which anything may be left out.
const UPDATE: Shape = Shape::Object(&[
    optional("order", ORDER),
    optional("options", OPTIONS),
    optional("store", STORE),
]);

/// What a body says a draft shall say, or everything that is wrong with it.
pub fn parse_update(body: &Tree) -> Result<DraftUpdate, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body, UPDATE, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    // Which options hold is known once they are merged; the store is given to the order then.
    let one_order = Tree::object([("split_draft", Tree::Bool(false))]);
    let order = kept
        .member("order")
        .map(|order| parse(&Tree::object([("order", order.clone()), ("options", one_order)])));
    Ok(DraftUpdate {
        order: order.transpose()?,
        options: kept.member("options").cloned(),
        store: kept.member("store").cloned(),
    })
}

/// An item that is a body of its own, and whether it has a line id of its own.
pub fn parse_one_item(body: &Tree) -> Result<(Item, bool), Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body, ITEM, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let line_id = kept.member("line_id").and_then(Tree::as_integer).and_then(LineId::new);
    let item = parse_item(&kept, line_id, "", &mut problems);
    match item {
        Some(item) if problems.is_empty() => Ok((item, line_id.is_some())),
        _ => Err(problems),
    }
}

/// The draft in a body, or everything that is wrong with it.
pub fn parse(body: &Tree) -> Result<NewDraft, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body, DRAFT, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let nothing = Tree::Object(Vec::new());
    let order = kept.member("order").unwrap_or(&nothing);
    let options = kept.member("options").unwrap_or(&nothing);
    let acting = acting_options(options);
    let order_name = text_of(order, "order_id").and_then(OrderName::parse);
    if order_name.is_some() && acting.split_draft {
        let message = "A custom order_id needs options.split_draft to be false.";
        problems.push(Problem::new("/order/order_id", "bad_value", message));
    }
    if acting.replaces && acting.amends.is_none() {
        problems.push(nothing_to_replace());
    }
    let (items, unnumbered) = parse_items(order, &mut problems);
    let currency = text_of(order, "currency").and_then(Currency::parse);
    let (Some(currency), true) = (currency, problems.is_empty()) else {
        return Err(problems);
    };
    let store = kept.member("store");
    let mut document = order.without(&["items", "currency", "order_id"]);
    if let (Tree::Object(members), Some(store), None) =
        (&mut document, store, order.member("store"))
    {
        // A draft's store is its order's, unless that names one of its own.
        members.push(("store".to_owned(), store.clone()));
    }
    Ok(NewDraft {
        currency,
        order_name,
        store_id: store_id(order.member("store")).or_else(|| store_id(store)),
        items,
        unnumbered,
        options: acting,
        document: KeptJson(document.to_string()),
        store_document: store.map(|store| KeptJson(store.to_string())),
        options_document: KeptJson(options.to_string()),
    })
}

fn nothing_to_replace() -> Problem {
    let message = "Name the order that is replaced in options.order_id.";
    Problem::new("/options/replace", "required", message)
}

/// The items, and the positions of those that have no line id of their own.
fn parse_items(order: &Tree, problems: &mut Vec<Problem>) -> (Vec<Item>, Vec<usize>) {
    let sent = order.member("items").map(Tree::elements).unwrap_or_default();
    let given = |item: &Tree| LineId::new(item.member("line_id")?.as_integer()?);
    let unnumbered: Vec<usize> = (0..sent.len()).filter(|at| given(&sent[*at]).is_none()).collect();
    let numbered = sent.iter().enumerate().filter_map(|(at, item)| Some((at, given(item)?)));
    let numbered: Vec<(usize, LineId)> = numbered.collect();
    let duplicates = duplicate_positions(numbered.iter().map(|(_, line_id)| *line_id));
    problems.extend(duplicates.into_iter().map(|nth| {
        let message = "An earlier item has this line id; each line has its own.";
        let path = format!("/order/items/{}/line_id", numbered[nth].0);
        Problem::new(path, "duplicate_line", message)
    }));
    let read = |(at, item): (usize, &Tree)| {
        parse_item(item, given(item), &format!("/order/items/{at}"), problems)
    };
    let mut items: Vec<Item> = sent.iter().enumerate().filter_map(read).collect();
    if !problems.is_empty() {
        return (Vec::new(), Vec::new());
    }
    if number_lines(&mut items, &unnumbered, None).is_none() {
        problems.push(no_line_id_left("/order/items"));
    }
    if Totals::of(items.iter().map(|item| &item.price)).is_none() {
        problems.push(total_out_of_range("/order/items"));
    }
    (items, unnumbered)
}

/// What is said when no item can be numbered any more.
pub fn no_line_id_left(path: &str) -> Problem {
    let message = "There is no line id left above the highest one; give every item its own.";
    Problem::new(path, "bad_value", message)
}

/// What is said when a draft would cost more than can be counted.
pub fn total_out_of_range(path: &str) -> Problem {
    let message = "The items together are more than an amount can be.";
    Problem::new(path, "amount_out_of_range", message)
}

/// An item that was checked; one without a line id gets the lowest for now. `path` is where it
/// stands in the body.
fn parse_item(
    item: &Tree,
    line_id: Option<LineId>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<Item> {
    let gross = amount_of(item, "gross_amount")?;
    let list = |key: &str| item.member(key).map(Tree::elements).unwrap_or_default();
    let discounts: Vec<Discount> = list("discount_lines")
        .iter()
        .filter_map(|line| {
            let manual = text_of(line, "discount_type") == Some("manual");
            Some(Discount { amount: amount_of(line, "amount")?, manual })
        })
        .collect();
    let taxes: Vec<Amount> =
        list("tax_lines").iter().filter_map(|line| amount_of(line, "amount")).collect();
    match Price::new(gross, &discounts, &taxes) {
        Ok(price) => Some(Item {
            line_id: line_id.or(LineId::new(0))?,
            price,
            version: 0,
            store_id: store_id(item.member("store")),
            document: KeptJson(item.without(&["line_id"]).to_string()),
        }),
        Err(rejected) => {
            problems.extend(price_problems(&rejected, path));
            None
        }
    }
}

fn price_problems(rejected: &PriceRejected, item: &str) -> Vec<Problem> {
    match rejected {
        PriceRejected::DiscountsWrongSign(positions) => {
            let wrong = |line: &usize| {
                let path = format!("{item}/discount_lines/{line}/amount");
                Problem::new(path, "wrong_sign", "A discount has the sign of the gross amount.")
            };
            positions.iter().map(wrong).collect()
        }
        PriceRejected::DiscountsExceedGross => {
            let message = "The discounts are more than the gross amount.";
            let path = format!("{item}/discount_lines");
            vec![Problem::new(path, "discounts_exceed_gross_amount", message)]
        }
        PriceRejected::TaxOutOfRange => {
            let message = "The tax lines together are more than an amount can be.";
            vec![Problem::new(format!("{item}/tax_lines"), "amount_out_of_range", message)]
        }
    }
}

fn store_id(store: Option<&Tree>) -> Option<String> {
    text_of(store?, "id").map(str::to_owned)
}

fn text_of<'a>(tree: &'a Tree, key: &str) -> Option<&'a str> {
    tree.member(key).and_then(Tree::as_text)
}

fn amount_of(tree: &Tree, key: &str) -> Option<Amount> {
    tree.member(key).and_then(Tree::as_integer).and_then(Amount::new)
}
