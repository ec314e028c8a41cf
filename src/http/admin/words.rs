//! The words that pages use for statuses, operations, money and people. The API's own word is shown
//! on hover.

use crate::domain::KeptJson;
use crate::domain::currency::Currency;
use crate::domain::ledger::Ledger;
use crate::domain::line::Line;
use crate::domain::operation::OperationKind;
use crate::domain::order::{CancelledReason, OrderStatus};
use crate::domain::payment_status::PaymentStatus;
use crate::domain::quantity::rounded;
use crate::json::{self, Tree};
use crate::store::Doer;

pub fn order_status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open => "Open",
        OrderStatus::Closed => "Closed",
        OrderStatus::Cancelled => "Cancelled",
    }
}

/// Like [`order_status`], but also says if a cancelled order holds money that is still to be
/// released.
pub fn status_with_release(ledger: &Ledger) -> &'static str {
    match ledger.status {
        OrderStatus::Cancelled if ledger.holds() => "Cancelled, to release",
        status => order_status(status),
    }
}

/// What the lines of an order hold. If lines of both signs hold something, both are named, since
/// their sum could be 0.
pub fn held(currency: &Currency, ledger: &Ledger) -> String {
    both_signs(currency, ledger, |line| ledger.sums_of(line).held)
}

/// What can still be captured, as [`held`] names it.
pub fn remaining(currency: &Currency, ledger: &Ledger) -> String {
    both_signs(currency, ledger, |line| ledger.remaining(line))
}

fn both_signs(currency: &Currency, ledger: &Ledger, amount: impl Fn(&Line) -> i128) -> String {
    let amounts = || ledger.lines.iter().map(&amount);
    let (pays, gives_back) =
        (amounts().filter(|it| 0 < *it).sum::<i128>(), amounts().filter(|it| *it < 0).sum());
    match (pays, gives_back) {
        (1.., ..0) if pays + gives_back == 0 => {
            format!("{} and {}", money(currency, pays), money(currency, gives_back))
        }
        _ => money(currency, pays + gives_back),
    }
}

/// By how much the captures exceed the reservations, in plain words; empty if they do not.
pub fn over_captured(currency: &Currency, ledger: &Ledger) -> String {
    match ledger.over_captured() {
        0 => String::new(),
        over => format!("{} more than is reserved in all", currency.figure(over)),
    }
}

/// The payment status of a known order. For a partly refunded order, the API's word does not tell
/// whether all of it was captured; its lines do.
pub fn payment_status(ledger: &Ledger, status: PaymentStatus) -> &'static str {
    let left = ledger.lines.iter().any(|line| ledger.remaining(line) != 0);
    match status {
        PaymentStatus::Pending if ledger.holds() => "Reserved",
        PaymentStatus::Pending => "Not paid",
        PaymentStatus::PartiallyPaid => "Partly captured",
        PaymentStatus::Paid => "Captured",
        PaymentStatus::PartiallyRefunded if left => "Partly captured, partly refunded",
        PaymentStatus::PartiallyRefunded => "Partly refunded",
        PaymentStatus::Refunded => "Refunded",
    }
}

/// The payment status as a choice of a filter. Without an order, no lines can refine it, so each
/// choice names every word that [`payment_status`] has for it.
pub fn payment_status_choice(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Pending => "Not paid or reserved",
        PaymentStatus::PartiallyPaid => "Partly captured",
        PaymentStatus::Paid => "Captured",
        PaymentStatus::PartiallyRefunded => "Partly refunded",
        PaymentStatus::Refunded => "Refunded",
    }
}

/// Why an order was cancelled, as the end of a sentence.
pub fn cancelled_reason(reason: Option<CancelledReason>) -> &'static str {
    match reason {
        Some(CancelledReason::Customer) => "the customer asked",
        Some(CancelledReason::Merchant) => "we cannot deliver",
        Some(CancelledReason::Fraud) => "fraud",
        Some(CancelledReason::Expired) => "it expired",
        Some(CancelledReason::Other) => "another reason",
        None => "no reason given",
    }
}

/// A user's e-mail, or the name of an API client.
pub fn doer(doer: &Doer) -> String {
    match doer {
        Doer::User { email } => email.to_string(),
        Doer::Client { name } => format!("API client {name}"),
    }
}

/// An operation as a noun.
pub fn operation(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Authorization => "Reservation",
        OperationKind::Capture => "Capture",
        OperationKind::Refund => "Refund",
        OperationKind::Cancellation => "Release",
    }
}

/// An amount with its currency. Negative amounts are written as "give back", without a minus.
pub fn money(currency: &Currency, minor_units: i128) -> String {
    match minor_units {
        ..0 => format!("give back {}", currency.display(-minor_units)),
        _ => currency.display(minor_units),
    }
}

/// Follows the noun of an operation: " of 50.00 NOK", or ": give back 50.00 NOK" for a negative
/// amount.
pub fn of_money(currency: &Currency, minor_units: i128) -> String {
    let preposition = if minor_units < 0 { ":" } else { " of" };
    format!("{preposition} {}", money(currency, minor_units))
}

/// An amount without its currency. Negative amounts are written as "give back".
pub fn figure(currency: &Currency, minor_units: i128) -> String {
    match minor_units {
        ..0 => format!("give back {}", currency.figure(-minor_units)),
        _ => currency.figure(minor_units),
    }
}

/// The first `chars_max` characters of a text, with an ellipsis when it is longer.
pub fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// "and 3 more", for what a list leaves out; empty when it leaves out nothing.
pub fn count_left(left: usize) -> String {
    if left == 0 { String::new() } else { format!("and {left} more") }
}

/// The customer's name, or else their e-mail; empty when the order has neither.
pub fn customer(document: &KeptJson) -> String {
    let document = parsed(document);
    let people = ["customer", "billing_address", "shipping_address"];
    let people: Vec<&Tree> = people.iter().filter_map(|key| document.member(key)).collect();
    let text = |person: &Tree, key: &str| {
        person.member(key).and_then(Tree::as_text).unwrap_or_default().to_owned()
    };
    let name = |person: &&Tree| {
        format!("{} {}", text(person, "first_name"), text(person, "last_name")).trim().to_owned()
    };
    let names = people.iter().map(name);
    let emails = people.iter().map(|person| text(person, "email"));
    names.chain(emails).find(|text| !text.is_empty()).unwrap_or_default()
}

/// A stored document, parsed. A damaged one is null and shows nothing; `verify` reports it.
pub fn parsed(document: &KeptJson) -> Tree {
    json::parse(document.0.as_bytes()).unwrap_or(Tree::Null)
}

/// The description in an item's document, or else its id; empty when it has neither.
pub fn description_in(document: &Tree) -> String {
    let text = |key: &str| document.member(key).and_then(Tree::as_text);
    text("description").or_else(|| text("id")).unwrap_or_default().to_owned()
}

/// The quantity in an item's parsed document, at 6 decimals, as pages show it and people type it;
/// `None` when it was not sent. The API keeps the number that was sent, such as
/// 0.30000000000000004.
pub fn quantity_in(document: &Tree) -> Option<String> {
    match document.member("quantity") {
        Some(Tree::Number(number)) => Some(rounded(number).unwrap_or_else(|| number.clone())),
        _ => None,
    }
}
