//! Parses a draft, a change to a draft, and an item of one (docs/contract.md, Facts 2).

use super::order_fields::{ITEM, OPTIONS, ORDER, STORE};
use super::order_request::removes_time_to_live;
use super::payout_rule_request::{payout_problems, with_plain_payout};
use super::problem::Problem;
use super::shape::{Shape, clean, optional, required};
use crate::app::{DraftUpdate, ORDER_TIME_TO_LIVE, ParsedDraft, ParsedItem, acting_options};
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

/// A change to a draft: the members of a draft, each of them optional.
const UPDATE: Shape = Shape::Object(&[
    optional("order", ORDER),
    optional("options", OPTIONS),
    optional("store", STORE),
]);

/// Parses a draft, or reports everything that is wrong with the body.
pub fn parse(body: &Tree) -> Result<ParsedDraft, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), DRAFT, "", &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let nothing = Tree::Object(Vec::new());
    let order = kept.member("order").unwrap_or(&nothing);
    let options = kept.member("options").unwrap_or(&nothing);
    let acting = acting_options(options);
    let order_name = text_of(order, "order_id").and_then(OrderName::parse);
    if order_name.is_some() && acting.split_draft {
        problems.push(custom_id_of_split_draft());
    }
    if acting.replaces && acting.amends.is_none() {
        problems.push(nothing_to_replace());
    }
    problems.extend(payout_problems(options));
    let SentItems { items, documents, unnumbered } = parse_items(order, &mut problems);
    let currency = text_of(order, "currency").and_then(Currency::parse);
    let (Some(currency), true) = (currency, problems.is_empty()) else {
        return Err(problems);
    };
    let store = kept.member("store");
    let mut document = order.without(&["items", "currency", "order_id"]);
    if let (Tree::Object(members), Some(store), None) =
        (&mut document, store, order.member("store"))
    {
        // The order takes over the draft's store, unless it names its own.
        members.push(("store".to_owned(), store.clone()));
    }
    let draft = NewDraft {
        currency,
        order_name,
        store_id: store_id(order.member("store")).or_else(|| store_id(store)),
        items,
        unnumbered,
        options: acting,
        document: KeptJson(document.to_string()),
        store_document: store.map(|store| KeptJson(store.to_string())),
        options_document: KeptJson(with_plain_payout(options).to_string()),
    };
    Ok(ParsedDraft { draft, document, item_documents: documents })
}

/// Parses a change to a draft, or reports everything that is wrong with the body.
pub fn parse_update(body: &Tree) -> Result<DraftUpdate, Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), UPDATE, "", &mut problems);
    problems.extend(kept.member("options").map(payout_problems).unwrap_or_default());
    if !problems.is_empty() {
        return Err(problems);
    }
    // Rules that depend on the options, and the store that an order takes over from its draft, wait
    // until this change is merged with the draft. So the order is parsed without them here.
    let one_order = Tree::object([("split_draft", Tree::Bool(false))]);
    let order = kept
        .member("order")
        .map(|order| parse(&Tree::object([("order", order.clone()), ("options", one_order)])));
    Ok(DraftUpdate {
        order: order.transpose()?,
        options: kept.member("options").map(with_plain_payout).map(|options| {
            match removes_time_to_live(body) {
                true => options.with(ORDER_TIME_TO_LIVE, Tree::Null),
                false => options,
            }
        }),
        store: kept.member("store").cloned(),
    })
}

/// Parses a body that is one item. The flag is true if the item was sent with a line id.
pub fn parse_one_item(body: &Tree) -> Result<(ParsedItem, bool), Vec<Problem>> {
    let mut problems = Vec::new();
    let kept = clean(body.clone(), ITEM, "", &mut problems);
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

/// The problem of an order that has a custom id but may be split.
pub fn custom_id_of_split_draft() -> Problem {
    let message = "A custom order_id needs options.split_draft to be false.";
    Problem::new("/order/order_id", "bad_value", message)
}

/// The problem that no line id is left to number an item with.
pub fn no_line_id_left(path: &str) -> Problem {
    let message = "No line id is left above the highest one; send every item with a line_id.";
    Problem::new(path, "bad_value", message)
}

/// The problem that the items' totals are out of an amount's range.
pub fn total_out_of_range(path: &str) -> Problem {
    let message = "The items add up to more than an amount can hold; send fewer or smaller ones.";
    Problem::new(path, "amount_out_of_range", message)
}

fn nothing_to_replace() -> Problem {
    let message = "Name the order to replace in options.order_id.";
    Problem::new("/options/replace", "required", message)
}

/// The items of a draft. Empty if they have problems.
#[derive(Default)]
struct SentItems {
    items: Vec<Item>,
    /// The items' documents, in the same order.
    documents: Vec<Tree>,
    /// Positions of the items that were sent without a line id.
    unnumbered: Vec<usize>,
}

fn parse_items(order: &Tree, problems: &mut Vec<Problem>) -> SentItems {
    let sent = order.member("items").map(Tree::elements).unwrap_or_default();
    let given = |item: &Tree| LineId::new(item.member("line_id")?.as_integer()?);
    let unnumbered: Vec<usize> = (0..sent.len()).filter(|at| given(&sent[*at]).is_none()).collect();
    let duplicates = duplicate_positions(sent.iter().map(given));
    problems.extend(duplicates.into_iter().map(|at| {
        let message = "An earlier item has this line id; give each item its own.";
        Problem::new(format!("/order/items/{at}/line_id"), "duplicate_line", message)
    }));
    let read = |(at, item): (usize, &Tree)| {
        parse_item(item, given(item), &format!("/order/items/{at}"), problems)
    };
    let parsed = sent.iter().enumerate().filter_map(read).map(|it| (it.item, it.document));
    let (mut items, documents): (Vec<Item>, Vec<Tree>) = parsed.unzip();
    if !problems.is_empty() {
        return SentItems::default();
    }
    if number_lines(&mut items, &unnumbered, []).is_none() {
        problems.push(no_line_id_left("/order/items"));
    }
    if Totals::of(items.iter().map(|item| &item.price)).is_none() {
        problems.push(total_out_of_range("/order/items"));
    }
    SentItems { items, documents, unnumbered }
}

/// Parses an item whose shape was checked; `path` is its JSON pointer. An item without a line id
/// gets 0, which its caller replaces.
fn parse_item(
    item: &Tree,
    line_id: Option<LineId>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<ParsedItem> {
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
        Ok(price) => {
            let document = item.without(&["line_id"]);
            let item = Item {
                line_id: line_id.or(LineId::new(0))?,
                price,
                version: 0,
                payout_rule: None,
                store_id: store_id(item.member("store")),
                document: KeptJson(document.to_string()),
            };
            Some(ParsedItem { item, document })
        }
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
                let message = "Give the discount the sign of the gross amount.";
                Problem::new(path, "wrong_sign", message)
            };
            positions.iter().map(wrong).collect()
        }
        PriceRejected::DiscountsExceedGross => {
            let message = "The discounts exceed the gross amount; lower them.";
            let path = format!("{item}/discount_lines");
            vec![Problem::new(path, "discounts_exceed_gross_amount", message)]
        }
        PriceRejected::TaxOutOfRange => {
            let message = "The tax lines add up to more than an amount can hold; lower them.";
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
