//! The story of one order: the requests of the website and the gateway, with their times.

use super::catalogue::{Catalogue, Wanted, currency_of};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use crate::domain::operation::OperationKind;
use crate::domain::order::{CancelledReason, StatusChange};
use crate::json::Tree;
use crate::randomness::Randomness;

const MINUTE_MS: i64 = 60_000;
/// A day in a story.
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A step of a story, with its time.
#[derive(Debug, Clone)]
pub struct Step {
    pub at: Timestamp,
    pub action: Action,
}

/// What a step does. Requests are bodies as the API takes them.
#[derive(Debug, Clone)]
pub enum Action {
    Order {
        draft: Tree,
    },
    /// `under` is the index of the story's authorization that it uses, from 0.
    Operation {
        kind: OperationKind,
        body: Tree,
        under: Option<usize>,
    },
    Status(StatusChange),
}

/// What a story is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plot {
    Plain,
    Direct,
    Unpaid,
    Waiting,
    PartShipment,
    PartShipmentWaiting,
    DeclineThenRetry,
    TwoAuthorizations,
    RoundingRemainder,
    HoldEndsTonight,
    RefundAfterAMonth,
    PartRefund,
    Cancelled,
    Fraud,
    ReleaseTheRest,
    ReversedLine,
}

/// What all stories share.
pub struct Teller<'a> {
    pub catalogue: &'a Catalogue,
    pub randomness: &'a Randomness,
    /// When the day of the last story ends, in the shop's time zone.
    pub tonight: Timestamp,
}

/// A story while it is being told.
struct Tale<'a> {
    teller: &'a Teller<'a>,
    currency: &'static str,
    /// Line ids and what each is worth.
    lines: Vec<(i64, i64)>,
    payment: Payment,
    steps: Vec<Step>,
}

#[derive(Clone, Copy)]
struct Payment {
    psp: &'static str,
    product: &'static str,
    product_type: &'static str,
    card: Option<(&'static str, &'static str)>,
}

const CARDS: [Payment; 3] = [
    Payment {
        psp: "Bambora",
        product: "bambora",
        product_type: "bambora.creditcard",
        card: Some(("Visa", "4444 **** **** 4448")),
    },
    Payment {
        psp: "Bambora",
        product: "bambora",
        product_type: "bambora.creditcard",
        card: Some(("Mastercard", "5555 **** **** 1204")),
    },
    Payment { psp: "Klarna", product: "klarna", product_type: "klarna.invoice", card: None },
];
const VIPPS: Payment =
    Payment { psp: "Vipps", product: "vipps", product_type: "vipps.payment", card: None };
const SWISH: Payment =
    Payment { psp: "Swish", product: "swish", product_type: "swish.payment", card: None };

/// A story with this plot that begins at `at`.
pub fn tell(teller: &Teller<'_>, plot: Plot, at: Timestamp) -> Vec<Step> {
    let mut tale = Tale::begin(teller, plot, at);
    let paid = |minutes: i64| Timestamp(at.0 + minutes * MINUTE_MS);
    let day = |days: i64| Timestamp(at.0 + days * DAY_MS + 20 * MINUTE_MS);
    let whole = tale.lines.clone();
    let last = whole.len() - 1;
    match plot {
        Plot::Unpaid => {}
        Plot::Waiting => tale.authorize(paid(2), &whole),
        Plot::Plain => tale.pay_whole(paid(2), day(1)),
        Plot::Direct => tale.capture(paid(1), &whole),
        Plot::PartShipment => {
            tale.authorize(paid(3), &whole);
            tale.capture(day(1), &whole[..last]);
            tale.capture(day(8), &whole[last..]);
        }
        Plot::PartShipmentWaiting => {
            tale.authorize(paid(3), &whole);
            tale.capture(day(1), &whole[..last]);
        }
        Plot::DeclineThenRetry => {
            tale.declined(paid(2), &whole);
            tale.authorize(paid(6), &whole);
            tale.capture(day(1), &whole);
        }
        Plot::TwoAuthorizations => tale.two_authorizations(paid(2), day(1)),
        Plot::RoundingRemainder => tale.rounding_remainder(paid(2), day(1)),
        Plot::HoldEndsTonight => tale.hold_ends_tonight(paid(2), &whole),
        Plot::RefundAfterAMonth => {
            tale.pay_whole(paid(2), day(1));
            tale.refund(day(31), &whole);
        }
        Plot::PartRefund => {
            tale.pay_whole(paid(2), day(2));
            tale.refund(day(9), &half(&whole[..1]));
        }
        Plot::Cancelled => tale.call_off(paid(2), day(2), CancelledReason::Customer),
        Plot::Fraud => tale.call_off(paid(2), day(1), CancelledReason::Fraud),
        Plot::ReleaseTheRest => {
            tale.authorize(paid(2), &whole);
            tale.capture(day(2), &whole[..last]);
            tale.release(day(2), &whole[last..]);
        }
        Plot::ReversedLine => tale.pay_whole(paid(2), day(1)),
    }
    if matches!(plot, Plot::Plain | Plot::Direct | Plot::PartShipment) {
        tale.push(day(12), Action::Status(StatusChange::Close));
    }
    tale.steps
}

impl<'a> Tale<'a> {
    fn begin(teller: &'a Teller<'a>, plot: Plot, at: Timestamp) -> Tale<'a> {
        let randomness = teller.randomness;
        let person = teller.catalogue.person(randomness);
        let currency = currency_of(person);
        let payment = match (plot, currency) {
            (Plot::Direct, "SEK") => SWISH,
            (Plot::Direct, _) => VIPPS,
            _ => CARDS[randomness.below(CARDS.len())],
        };
        let items = items(teller, plot, currency);
        let lines = items.iter().map(worth).collect();
        let draft = draft(person, currency, &items, plot == Plot::TwoAuthorizations);
        let steps = vec![Step { at, action: Action::Order { draft } }];
        Tale { teller, currency, lines, payment, steps }
    }

    fn push(&mut self, at: Timestamp, action: Action) {
        self.steps.push(Step { at, action });
    }

    fn authorize(&mut self, at: Timestamp, lines: &[(i64, i64)]) {
        let body = self.body(at, lines);
        self.operate(at, OperationKind::Authorization, body, None);
    }

    fn declined(&mut self, at: Timestamp, lines: &[(i64, i64)]) {
        let mut body = self.body(at, lines);
        body.push(("success".to_owned(), Tree::Bool(false)));
        let reason = Tree::object([("decline_reason", Tree::text("insufficient funds"))]);
        body.push(("metadata".to_owned(), reason));
        self.operate(at, OperationKind::Authorization, body, None);
    }

    fn capture(&mut self, at: Timestamp, lines: &[(i64, i64)]) {
        let body = self.body(at, lines);
        self.operate(at, OperationKind::Capture, body, None);
    }

    fn refund(&mut self, at: Timestamp, lines: &[(i64, i64)]) {
        let body = self.body(at, lines);
        self.operate(at, OperationKind::Refund, body, None);
    }

    fn release(&mut self, at: Timestamp, lines: &[(i64, i64)]) {
        let body = self.body(at, lines);
        self.operate(at, OperationKind::Cancellation, body, None);
    }

    fn pay_whole(&mut self, paid: Timestamp, sent: Timestamp) {
        let whole = self.lines.clone();
        self.authorize(paid, &whole);
        self.capture(sent, &whole);
    }

    fn call_off(&mut self, paid: Timestamp, off: Timestamp, reason: CancelledReason) {
        let whole = self.lines.clone();
        self.authorize(paid, &whole);
        self.release(off, &whole);
        let cancel = StatusChange::Cancel(Some(reason));
        self.push(Timestamp(off.0 + MINUTE_MS), Action::Status(cancel));
    }

    /// One card for the goods, another for the rest; the first is captured.
    fn two_authorizations(&mut self, paid: Timestamp, sent: Timestamp) {
        let whole = self.lines.clone();
        let (goods, rest) = whole.split_at(whole.len() - 1);
        self.authorize(paid, goods);
        self.payment = CARDS[1];
        self.authorize(Timestamp(paid.0 + MINUTE_MS), rest);
        let body = self.body(sent, goods);
        self.operate(sent, OperationKind::Capture, body, Some(0));
    }

    /// Three parts of an amount that three does not divide; the last takes the exact rest.
    fn rounding_remainder(&mut self, paid: Timestamp, first: Timestamp) {
        let (line, amount) = self.lines[0];
        self.authorize(paid, &[(line, amount)]);
        let third = amount / 3;
        let parts = [third, third, amount - 2 * third];
        for (days, part) in (0..).zip(parts) {
            self.capture(Timestamp(first.0 + days * DAY_MS), &[(line, part)]);
        }
    }

    fn hold_ends_tonight(&mut self, paid: Timestamp, lines: &[(i64, i64)]) {
        let mut body = self.body(paid, lines);
        let ends = Tree::object([("hold_ends_at", Tree::text(rfc3339(self.teller.tonight)))]);
        body.push(("metadata".to_owned(), ends));
        self.operate(paid, OperationKind::Authorization, body, None);
    }

    fn operate(
        &mut self,
        at: Timestamp,
        kind: OperationKind,
        body: Vec<(String, Tree)>,
        under: Option<usize>,
    ) {
        self.push(at, Action::Operation { kind, body: Tree::Object(body), under });
    }

    fn body(&self, at: Timestamp, lines: &[(i64, i64)]) -> Vec<(String, Tree)> {
        let item = |(line, amount): &(i64, i64)| {
            Tree::object([("line_id", Tree::integer(*line)), ("amount", Tree::integer(*amount))])
        };
        let number = self.teller.randomness.uuid();
        let mut details = vec![
            ("psp".to_owned(), Tree::text(self.payment.psp)),
            ("payment_id".to_owned(), Tree::text(format!("{}-{}", self.currency, &number[..8]))),
            ("payment_product".to_owned(), Tree::text(self.payment.product)),
            ("payment_product_type".to_owned(), Tree::text(self.payment.product_type)),
        ];
        if let Some((brand, masked_pan)) = self.payment.card {
            let card = Tree::object([
                ("brand", Tree::text(brand)),
                ("type", Tree::text("Credit")),
                ("masked_pan", Tree::text(masked_pan)),
            ]);
            details.push(("card".to_owned(), card));
        }
        vec![
            ("items".to_owned(), Tree::List(lines.iter().map(item).collect())),
            ("processed_at".to_owned(), Tree::text(rfc3339(at))),
            ("processed_by".to_owned(), Tree::text("nettbutikk-checkout")),
            ("payment_details".to_owned(), Tree::Object(details)),
        ]
    }
}

fn half(lines: &[(i64, i64)]) -> Vec<(i64, i64)> {
    lines.iter().map(|(line, amount)| (*line, amount / 2)).collect()
}

/// The goods of a plot and their delivery.
fn items(teller: &Teller<'_>, plot: Plot, currency: &str) -> Vec<Tree> {
    let randomness = teller.randomness;
    let several = match plot {
        Plot::PartShipment | Plot::PartShipmentWaiting | Plot::ReleaseTheRest => 3,
        Plot::RoundingRemainder | Plot::ReversedLine => 1,
        _ => 1 + randomness.below(3),
    };
    let basket = teller.catalogue.basket(randomness, several);
    let discount = match randomness.below(10) {
        _ if plot == Plot::ReversedLine => None,
        0 => Some("manual"),
        1 => Some("periodic"),
        _ => None,
    };
    let mut items: Vec<Tree> = (1..)
        .zip(&basket)
        .map(|(line, wanted)| item_of(wanted, line, currency, plot, discount.filter(|_| line == 1)))
        .collect();
    if plot == Plot::ReversedLine {
        items.extend(reversal(&basket[0], teller, currency));
    } else if let Some(shipping) = teller.catalogue.shipping().filter(|_| is_sent(plot)) {
        let line = i64::try_from(items.len()).unwrap_or(0) + 1;
        items.push(shipping.item(line, shipping.gross_amount(currency), None));
    }
    items
}

/// Orders that are paid at once are collected; those paid in parts have only one line.
fn is_sent(plot: Plot) -> bool {
    !matches!(plot, Plot::Direct | Plot::RoundingRemainder)
}

fn item_of(
    wanted: &Wanted<'_>,
    line: i64,
    currency: &str,
    plot: Plot,
    discount: Option<&str>,
) -> Tree {
    let gross = wanted.gross_amount(currency);
    if plot == Plot::RoundingRemainder {
        // Never a multiple of three.
        return wanted.item(line, gross - gross % 3 + 1, None);
    }
    let discount = discount.map(|discount_type| (discount_type, gross / 10));
    wanted.item(line, gross, discount)
}

/// Reverses the first line and adds another product in its place.
fn reversal(bought: &Wanted<'_>, teller: &Teller<'_>, currency: &str) -> Vec<Tree> {
    let Tree::Object(mut back) = bought.item(2, -bought.gross_amount(currency), None) else {
        return Vec::new();
    };
    back.push(("reversed_reason".to_owned(), Tree::text("Byttet mot en annen")));
    let related = Tree::object([("line_id", Tree::integer(1)), ("type", Tree::text("reversed"))]);
    back.push(("related_item".to_owned(), related));
    let mut items = vec![Tree::Object(back)];
    let instead = teller.catalogue.basket(teller.randomness, 1);
    items.extend(instead.iter().map(|new| new.item(3, new.gross_amount(currency), None)));
    items
}

/// A line's id and its payable amount.
fn worth(item: &Tree) -> (i64, i64) {
    let integer = |key: &str| item.member(key).and_then(Tree::as_integer).unwrap_or(0);
    let discounts = item.member("discount_lines").map(Tree::elements).unwrap_or_default();
    let discount: i64 =
        discounts.iter().filter_map(|line| line.member("amount").and_then(Tree::as_integer)).sum();
    (integer("line_id"), integer("gross_amount") - discount)
}

fn draft(person: &Tree, currency: &str, items: &[Tree], multiple_authorizations: bool) -> Tree {
    let pick = |keys: &[&str]| {
        let members =
            keys.iter().filter_map(|key| Some(((*key).to_owned(), person.member(key)?.clone())));
        Tree::Object(members.collect())
    };
    let name = ["first_name", "last_name"];
    let address =
        ["first_name", "last_name", "address_line", "postal_code", "postal_place", "country"];
    let order = Tree::object([
        ("currency", Tree::text(currency)),
        ("items", Tree::List(items.to_vec())),
        ("customer", pick(&[&name[..], &["email", "phone_number"]].concat())),
        ("shipping_address", pick(&address)),
    ]);
    let options = Tree::object([
        ("generate_order_id", Tree::text("ALPHANUMERIC_9")),
        ("multiple_authorizations", Tree::Bool(multiple_authorizations)),
    ]);
    Tree::object([("order", order), ("options", options)])
}
