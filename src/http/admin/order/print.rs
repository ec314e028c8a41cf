//! Printed documents of an order: the packing slip, which has no prices, and the receipt.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::people::{Person, people};
use super::read::{self, OrderRead};
use crate::clock::parse_rfc3339;
use crate::domain::item::Item;
use crate::domain::ledger_sums::LedgerSums;
use crate::domain::operation::{Operation, OperationKind};
use crate::domain::order::OrderStatus;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{html, order_href};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::extract::order_in_path;
use crate::http::state::state;
use crate::json::{self, Tree};
use crate::store::OrderRecord;

/// The head of both documents.
struct Head {
    frame: Frame,
    shop: String,
    order_id: String,
    order_href: String,
    created: String,
    is_cancelled: bool,
    people: Vec<Person>,
}

#[derive(Template)]
#[template(path = "order/print/packing_slip.html")]
struct PackingSlip {
    frame: Frame,
    head: Head,
    comment: String,
    lines: Vec<SlipLine>,
    /// A sentence on lines with negative amounts, which are left out; empty if every line is shown.
    left_out: String,
}

struct SlipLine {
    quantity: String,
    description: String,
    item_id: String,
    comment: String,
}

#[derive(Template)]
#[template(path = "order/print/receipt.html")]
struct Receipt {
    frame: Frame,
    head: Head,
    has_discounts: bool,
    lines: Vec<ReceiptLine>,
    sums: Vec<Sum>,
    payments: Vec<Payment>,
}

struct ReceiptLine {
    quantity: String,
    description: String,
    gross: String,
    discount: String,
    payable: String,
}

struct Sum {
    name: String,
    amount: String,
    is_main: bool,
}

struct Payment {
    when: String,
    kind: &'static str,
    amount: String,
}

/// `GET /admin/{aid}/orders/{order_id}/packing-slip`
pub async fn packing_slip(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let (read, head) = load(&staff, &request).await?;
    let order = &read.order;
    let (gives_back, packed): (Vec<&Item>, Vec<&Item>) =
        order.items.iter().partition(|item| item.price.payable().minor_units() < 0);
    let document = json::parse(order.document.0.as_bytes()).unwrap_or(Tree::Null);
    html(&PackingSlip {
        frame: head.frame.clone(),
        head: Head { people: shipped_to(order), ..head },
        comment: text(&document, "comment"),
        lines: packed.into_iter().map(slip_line).collect(),
        left_out: match gives_back.len() {
            0 => String::new(),
            1 => "1 line that gives money back is left out.".to_owned(),
            many => format!("{many} lines that give money back are left out."),
        },
    })
}

/// `GET /admin/{aid}/orders/{order_id}/receipt`
pub async fn receipt(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let (read, head) = load(&staff, &request).await?;
    let order = &read.order;
    let line = |item: &Item| receipt_line(order, item);
    html(&Receipt {
        frame: head.frame.clone(),
        head,
        has_discounts: order.items.iter().any(|item| item.price.discount().minor_units() != 0),
        lines: order.items.iter().map(line).collect(),
        sums: sums(order),
        payments: payments(&read),
    })
}

async fn load(staff: &Staff, request: &HttpRequest) -> Result<(OrderRead, Head), PageError> {
    let state = state(request)?;
    let (account_id, name) = (staff.account_id.clone(), order_in_path(request)?);
    let read = state.store.read(move |reader| read::load(reader, &account_id, &name));
    let read = read.await?.ok_or(PageError::NotFound)?;
    let frame = Frame { demo: read.demo, ..Frame::inside(state, staff) };
    let order = &read.order;
    let head = Head {
        shop: read.shop_name.clone(),
        order_id: order.order_id.as_str().to_owned(),
        order_href: order_href(state, &staff.account_id, &order.order_id),
        created: read.local(order.created_at),
        is_cancelled: order.ledger.status == OrderStatus::Cancelled,
        people: people(order),
        frame,
    };
    Ok((read, head))
}

/// The shipping address, or else the customer.
fn shipped_to(order: &OrderRecord) -> Vec<Person> {
    let mut all = people(order);
    let wanted = ["Goes to", "Customer"];
    let found = wanted.iter().find_map(|title| all.iter().position(|p| p.title == *title));
    let shipped_to = found.map(|at| all.swap_remove(at));
    shipped_to.map(|person| Person { title: "Ship to", ..person }).into_iter().collect()
}

fn slip_line(item: &Item) -> SlipLine {
    let document = json::parse(item.document.0.as_bytes()).unwrap_or(Tree::Null);
    SlipLine {
        quantity: words::item_quantity(item).unwrap_or_default(),
        description: words::item_description(item),
        item_id: text(&document, "id"),
        comment: text(&document, "comment"),
    }
}

fn receipt_line(order: &OrderRecord, item: &Item) -> ReceiptLine {
    let figure = |minor_units: i64| words::figure(&order.currency, minor_units.into());
    let discount = item.price.discount().minor_units();
    ReceiptLine {
        quantity: words::item_quantity(item).unwrap_or_default(),
        description: words::item_description(item),
        gross: figure(item.price.gross().minor_units()),
        // In the order a discount has the sign of the gross amount; in the sum it is subtracted.
        discount: match discount {
            0 => String::new(),
            _ => order.currency.figure((-discount).into()),
        },
        payable: figure(item.price.payable().minor_units()),
    }
}

/// The total, the tax in it, and the amounts captured, refunded and left to pay.
fn sums(order: &OrderRecord) -> Vec<Sum> {
    let LedgerSums { payable: total, captured, refunded, released, .. } = order.ledger.sums();
    // The customer does not owe money that was released and not reserved again
    // (docs/contract.md, Decision 2).
    let released = match order.ledger.status {
        OrderStatus::Cancelled => total - captured,
        _ => released,
    };
    let money = |minor_units| words::money(&order.currency, minor_units);
    let sum = |name: &str, amount| Sum {
        name: name.to_owned(),
        amount: money(amount),
        is_main: matches!(name, "Total" | "Remains to pay"),
    };
    let mut sums = vec![sum("Total", total)];
    sums.extend(taxes(order).into_iter().map(|(percentage, amount)| Sum {
        name: format!("of which tax {percentage} %"),
        amount: money(amount),
        is_main: false,
    }));
    sums.push(sum("Captured", captured));
    sums.extend((refunded != 0).then(|| sum("Refunded", refunded)));
    sums.extend((released != 0).then(|| sum("No longer to pay", released)));
    sums.push(sum("Remains to pay", total - captured - released));
    sums
}

/// The tax lines of all items, summed by percentage, lowest first.
fn taxes(order: &OrderRecord) -> Vec<(String, i128)> {
    let mut sums: Vec<(String, i128)> = Vec::new();
    for item in &order.items {
        let document = json::parse(item.document.0.as_bytes()).unwrap_or(Tree::Null);
        for line in document.member("tax_lines").map(Tree::elements).unwrap_or_default() {
            let Some(Tree::Number(percentage)) = line.member("percentage") else { continue };
            let amount = line.member("amount").and_then(Tree::as_integer).unwrap_or_default();
            let percentage = without_trailing_zeros(percentage);
            match sums.iter_mut().find(|(known, _)| *known == percentage) {
                Some((_, sum)) => *sum += i128::from(amount),
                None => sums.push((percentage.to_owned(), amount.into())),
            }
        }
    }
    // Sorts decimal numbers as text: more digits before the point is more, and equally many compare
    // digit by digit.
    sums.sort_by_key(|(percentage, _)| {
        (percentage.find('.').unwrap_or(percentage.len()), percentage.clone())
    });
    sums
}

/// `25.00` becomes `25`, since clients write the same percentage in several ways.
fn without_trailing_zeros(number: &str) -> &str {
    match number.contains('.') && !number.contains(['e', 'E']) {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

/// Successful captures and refunds, oldest first.
fn payments(read: &OrderRead) -> Vec<Payment> {
    let kinds = [OperationKind::Capture, OperationKind::Refund];
    let mut all: Vec<&Operation> =
        kinds.iter().flat_map(|kind| read.order.operations_of(*kind)).collect();
    all.retain(|operation| operation.success);
    all.sort_by_key(|operation| operation.seq);
    let payment = |operation: &Operation| {
        let document = json::parse(operation.document.0.as_bytes()).unwrap_or(Tree::Null);
        let processed_at = parse_rfc3339(&text(&document, "processed_at"));
        Payment {
            when: read.local(processed_at.unwrap_or(operation.created_at)),
            kind: words::operation(operation.kind),
            amount: words::money(&read.order.currency, operation.amount.minor_units().into()),
        }
    };
    all.into_iter().map(payment).collect()
}

fn text(tree: &Tree, key: &str) -> String {
    tree.member(key).and_then(Tree::as_text).unwrap_or_default().to_owned()
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
