//! A draft as it is sent (contract, D1).

use super::super::error::{ApiError, Problem};
use super::super::shape::{Shape, clean, optional, required};
use super::order_fields::{OPTIONS, ORDER, STORE};
use crate::domain::KeptJson;
use crate::domain::currency::Currency;
use crate::domain::draft::{DraftOptions, GenerateOrderId};
use crate::domain::ids::{LineId, OrderName};
use crate::domain::item::{Discount, Item, Price, PriceRejected, Totals};
use crate::domain::money::Amount;
use crate::domain::operation::duplicate_positions;
use crate::json::Tree;
use crate::store::NewDraft;

const DRAFT: Shape = Shape::Object(&[
    required("order", ORDER),
    optional("options", OPTIONS),
    optional("store", STORE),
]);

/// The draft in a body, or everything that is wrong with it.
pub fn parse(body: &Tree) -> Result<NewDraft, ApiError> {
    let mut problems = Vec::new();
    let kept = clean(body, DRAFT, "", &mut problems);
    if !problems.is_empty() {
        return Err(ApiError::invalid(problems));
    }
    let nothing = Tree::Object(Vec::new());
    let order = kept.member("order").unwrap_or(&nothing);
    let options = kept.member("options").unwrap_or(&nothing);
    let acting = parse_options(options);
    let order_name = text_of(order, "order_id").and_then(OrderName::parse);
    if order_name.is_some() && acting.split_draft {
        let message = "A custom order_id needs options.split_draft to be false.";
        problems.push(Problem::new("/order/order_id", "bad_value", message));
    }
    let items = parse_items(order, &mut problems);
    let currency = text_of(order, "currency").and_then(Currency::parse);
    let (Some(currency), true) = (currency, problems.is_empty()) else {
        return Err(ApiError::invalid(problems));
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
        options: acting,
        document: KeptJson(document.to_string()),
        store_document: store.map(|store| KeptJson(store.to_string())),
        options_document: KeptJson(options.to_string()),
    })
}

fn parse_options(options: &Tree) -> DraftOptions {
    let default = DraftOptions::default();
    let flag = |key: &str| options.member(key).and_then(Tree::as_bool);
    DraftOptions {
        generate_order_id: text_of(options, "generate_order_id")
            .and_then(GenerateOrderId::parse)
            .unwrap_or(default.generate_order_id),
        split_draft: flag("split_draft").unwrap_or(default.split_draft),
        multiple_authorizations: flag("multiple_authorizations")
            .unwrap_or(default.multiple_authorizations),
    }
}

fn parse_items(order: &Tree, problems: &mut Vec<Problem>) -> Vec<Item> {
    let sent = order.member("items").map(Tree::elements).unwrap_or_default();
    let Some(line_ids) = number_lines(sent) else {
        let message = "There is no line id left above the highest one; give every item its own.";
        problems.push(Problem::new("/order/items", "bad_value", message));
        return Vec::new();
    };
    let duplicate = |at: usize| {
        let message = "An earlier item has this line id; each line has its own.";
        Problem::new(format!("/order/items/{at}/line_id"), "duplicate_line", message)
    };
    problems.extend(duplicate_positions(line_ids.iter().copied()).into_iter().map(duplicate));
    let numbered = sent.iter().zip(line_ids).enumerate();
    let items: Vec<Item> =
        numbered.filter_map(|(at, (item, id))| parse_item(item, id, at, problems)).collect();
    if problems.is_empty() && Totals::of(items.iter().map(|item| &item.price)).is_none() {
        let message = "The items together are more than an amount can be.";
        problems.push(Problem::new("/order/items", "amount_out_of_range", message));
    }
    items
}

/// The line ids of items; those without one are numbered on from the highest (Decision 6).
fn number_lines(items: &[Tree]) -> Option<Vec<LineId>> {
    let given: Vec<Option<LineId>> =
        items.iter().map(|item| LineId::new(item.member("line_id")?.as_integer()?)).collect();
    let mut highest = given.iter().flatten().max().copied();
    let number = |given: Option<LineId>| match (given, highest) {
        (Some(line_id), _) => Some(line_id),
        (None, last) => {
            highest = last.map_or(LineId::new(1), LineId::next);
            highest
        }
    };
    given.into_iter().map(number).collect()
}

fn parse_item(
    item: &Tree,
    line_id: LineId,
    at: usize,
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
            line_id,
            price,
            store_id: store_id(item.member("store")),
            document: KeptJson(item.without(&["line_id"]).to_string()),
        }),
        Err(rejected) => {
            problems.extend(price_problems(&rejected, at));
            None
        }
    }
}

fn price_problems(rejected: &PriceRejected, at: usize) -> Vec<Problem> {
    let item = format!("/order/items/{at}");
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
            vec![Problem::new(format!("{item}/discount_lines"), "bad_value", message)]
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
