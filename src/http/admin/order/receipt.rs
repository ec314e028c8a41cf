//! The receipt of an order as a page to print, in the back office and from the API.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::print::{Head, load};
use super::read::OrderRead;
use crate::clock::parse_rfc3339;
use crate::domain::item::Item;
use crate::domain::ledger_sums::LedgerSums;
use crate::domain::operation::{Operation, OperationKind};
use crate::domain::order::OrderStatus;
use crate::http::admin::frame::Frame;
use crate::http::admin::page_error::PageError;
use crate::http::admin::reply::{large_html, order_href};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words;
use crate::http::state::state;
use crate::json::Tree;
use crate::store::OrderRecord;
use crate::wire::receipt_view::{Vat, VatSums};

#[derive(Template)]
#[template(path = "order/print/receipt.html")]
pub struct Receipt {
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

impl Receipt {
    /// The receipt of an order, inside `frame`; `order_href` is as in [`Head`].
    pub fn of(read: &OrderRead, frame: Frame, order_href: String) -> Receipt {
        let order = &read.order;
        let mut vat = VatSums::default();
        let mut lines = Vec::with_capacity(order.items.len());
        for item in &order.items {
            let document = words::parsed(&item.document);
            vat.add(&document);
            lines.push(receipt_line(order, item, &document));
        }
        Receipt {
            frame: Frame { demo: read.demo, ..frame },
            head: Head::of(read, &words::parsed(&order.document), order_href),
            has_discounts: order.items.iter().any(|item| item.price.discount().minor_units() != 0),
            lines,
            sums: sums(order, vat.sorted()),
            payments: payments(read),
        }
    }
}

/// `GET /admin/{aid}/orders/{order_id}/receipt`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let state = state(&request)?;
    let _turn = state.answers.page_turn(&staff.account_id).await?;
    let read = load(&staff, &request).await?;
    let href = order_href(state, &staff.account_id, &read.order.order_id);
    large_html(state, &staff, &Receipt::of(&read, Frame::inside(state, &staff), href))
}

fn receipt_line(order: &OrderRecord, item: &Item, document: &Tree) -> ReceiptLine {
    let figure = |minor_units: i64| words::figure(&order.currency, minor_units.into());
    let discount = item.price.discount().minor_units();
    ReceiptLine {
        quantity: words::quantity_in(document).unwrap_or_default(),
        description: words::description_in(document),
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
fn sums(order: &OrderRecord, vat: Vec<Vat>) -> Vec<Sum> {
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
    sums.extend(vat.into_iter().map(|vat| Sum {
        name: format!("of which tax {} %", vat.percentage),
        amount: money(vat.amount),
        is_main: false,
    }));
    sums.push(sum("Captured", captured));
    sums.extend((refunded != 0).then(|| sum("Refunded", refunded)));
    sums.extend((released != 0).then(|| sum("No longer to pay", released)));
    sums.push(sum("Remains to pay", total - captured - released));
    sums
}

/// Successful captures and refunds, oldest first.
fn payments(read: &OrderRead) -> Vec<Payment> {
    let kinds = [OperationKind::Capture, OperationKind::Refund];
    let mut all: Vec<&Operation> =
        kinds.iter().flat_map(|kind| read.order.operations_of(*kind)).collect();
    all.retain(|operation| operation.success);
    all.sort_by_key(|operation| operation.seq);
    let payment = |operation: &Operation| {
        let document = words::parsed(&operation.document);
        let processed_at = parse_rfc3339(
            document.member("processed_at").and_then(Tree::as_text).unwrap_or_default(),
        );
        Payment {
            when: read.local(processed_at.unwrap_or(operation.created_at)),
            kind: words::operation(operation.kind),
            amount: words::money(&read.order.currency, operation.amount.minor_units().into()),
        }
    };
    all.into_iter().map(payment).collect()
}
