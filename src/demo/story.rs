//! The story of one order: the requests of the website and the gateway, with their times.

use super::catalogue::{BasketLine, Catalogue, currency_of};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use crate::domain::operation::OperationKind;
use crate::domain::order::{CancelledReason, StatusChange};
use crate::json::Tree;
use crate::randomness::Randomness;

const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// One thing that happens in a story, with its time.
#[derive(Debug, Clone)]
pub struct TimedAction {
    pub at: Timestamp,
    pub action: Action,
}

/// A request of the website or the gateway. Bodies are as the API takes them.
#[derive(Debug, Clone)]
pub enum Action {
    Order {
        draft: Tree,
    },
    /// `authorization` is the index, from 0, of the story's authorization that it uses.
    Operation {
        kind: OperationKind,
        body: Tree,
        authorization: Option<usize>,
    },
    Status(StatusChange),
}

/// The kind of a story.
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

/// The data that all stories share.
pub struct Shared<'a> {
    pub catalogue: &'a Catalogue,
    pub randomness: &'a Randomness,
    /// When the day of the last story ends, in the shop's time zone.
    pub tonight: Timestamp,
}

/// A story that is being written.
struct StoryBuilder<'a> {
    shared: &'a Shared<'a>,
    currency: &'static str,
    /// Line ids, each with the line's payable amount.
    lines: Vec<(i64, i64)>,
    payment: Payment,
    actions: Vec<TimedAction>,
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

/// The actions of a story with this plot that begins at `at`.
pub fn write_story(shared: &Shared<'_>, plot: Plot, at: Timestamp) -> Vec<TimedAction> {
    let mut story = StoryBuilder::begin(shared, plot, at);
    let minute = |minutes: i64| Timestamp(at.0 + minutes * MINUTE_MS);
    let day = |days: i64| Timestamp(at.0 + days * DAY_MS + 20 * MINUTE_MS);
    let whole = story.lines.clone();
    let last = whole.len() - 1;
    match plot {
        Plot::Unpaid => {}
        Plot::Waiting => story.authorize(minute(2), &whole),
        Plot::Plain => story.pay_whole(minute(2), day(1)),
        Plot::Direct => story.capture(minute(1), &whole),
        Plot::PartShipment => {
            story.authorize(minute(3), &whole);
            story.capture(day(1), &whole[..last]);
            story.capture(day(8), &whole[last..]);
        }
        Plot::PartShipmentWaiting => {
            story.authorize(minute(3), &whole);
            story.capture(day(1), &whole[..last]);
        }
        Plot::DeclineThenRetry => {
            story.declined(minute(2), &whole);
            story.authorize(minute(6), &whole);
            story.capture(day(1), &whole);
        }
        Plot::TwoAuthorizations => story.two_authorizations(minute(2), day(1)),
        Plot::RoundingRemainder => story.rounding_remainder(minute(2), day(1)),
        Plot::HoldEndsTonight => story.hold_ends_tonight(minute(2), &whole),
        Plot::RefundAfterAMonth => {
            story.pay_whole(minute(2), day(1));
            story.refund(day(31), &whole);
        }
        Plot::PartRefund => {
            story.pay_whole(minute(2), day(2));
            story.refund(day(9), &half(&whole[..1]));
        }
        Plot::Cancelled => story.call_off(minute(2), day(2), CancelledReason::Customer),
        Plot::Fraud => story.call_off(minute(2), day(1), CancelledReason::Fraud),
        Plot::ReleaseTheRest => {
            story.authorize(minute(2), &whole);
            story.capture(day(2), &whole[..last]);
            story.release(day(2), &whole[last..]);
        }
        Plot::ReversedLine => story.pay_whole(minute(2), day(1)),
    }
    if matches!(plot, Plot::Plain | Plot::Direct | Plot::PartShipment) {
        story.push(day(12), Action::Status(StatusChange::Close));
    }
    story.actions
}

impl<'a> StoryBuilder<'a> {
    fn begin(shared: &'a Shared<'a>, plot: Plot, at: Timestamp) -> StoryBuilder<'a> {
        let randomness = shared.randomness;
        let person = shared.catalogue.person(randomness);
        let currency = currency_of(person);
        let payment = match (plot, currency) {
            (Plot::Direct, "SEK") => SWISH,
            (Plot::Direct, _) => VIPPS,
            _ => CARDS[randomness.below(CARDS.len())],
        };
        let items = items(shared, plot, currency);
        let lines = items.iter().map(worth).collect();
        let draft = draft(person, currency, &items, plot == Plot::TwoAuthorizations);
        let actions = vec![TimedAction { at, action: Action::Order { draft } }];
        StoryBuilder { shared, currency, lines, payment, actions }
    }

    fn push(&mut self, at: Timestamp, action: Action) {
        self.actions.push(TimedAction { at, action });
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
        let ends = Tree::object([("hold_ends_at", Tree::text(rfc3339(self.shared.tonight)))]);
        body.push(("metadata".to_owned(), ends));
        self.operate(paid, OperationKind::Authorization, body, None);
    }

    fn operate(
        &mut self,
        at: Timestamp,
        kind: OperationKind,
        body: Vec<(String, Tree)>,
        authorization: Option<usize>,
    ) {
        self.push(at, Action::Operation { kind, body: Tree::Object(body), authorization });
    }

    fn body(&self, at: Timestamp, lines: &[(i64, i64)]) -> Vec<(String, Tree)> {
        let item = |(line, amount): &(i64, i64)| {
            Tree::object([("line_id", Tree::integer(*line)), ("amount", Tree::integer(*amount))])
        };
        let number = self.shared.randomness.uuid();
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
fn items(shared: &Shared<'_>, plot: Plot, currency: &str) -> Vec<Tree> {
    let randomness = shared.randomness;
    let products = match plot {
        Plot::PartShipment | Plot::PartShipmentWaiting | Plot::ReleaseTheRest => 3,
        Plot::RoundingRemainder | Plot::ReversedLine => 1,
        _ => 1 + randomness.below(3),
    };
    let basket = shared.catalogue.basket(randomness, products);
    let discount = match randomness.below(10) {
        _ if plot == Plot::ReversedLine => None,
        0 => Some("manual"),
        1 => Some("periodic"),
        _ => None,
    };
    let mut items: Vec<Tree> = (1..)
        .zip(&basket)
        .map(|(line, basket_line)| {
            item_of(basket_line, line, currency, plot, discount.filter(|_| line == 1))
        })
        .collect();
    if plot == Plot::ReversedLine {
        items.extend(reversal(&basket[0], shared, currency));
    } else if let Some(shipping) = shared.catalogue.shipping().filter(|_| is_sent(plot)) {
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
    basket_line: &BasketLine<'_>,
    line: i64,
    currency: &str,
    plot: Plot,
    discount: Option<&str>,
) -> Tree {
    let gross = basket_line.gross_amount(currency);
    if plot == Plot::RoundingRemainder {
        // Never a multiple of three.
        return basket_line.item(line, gross - gross % 3 + 1, None);
    }
    let discount = discount.map(|discount_type| (discount_type, gross / 10));
    basket_line.item(line, gross, discount)
}

/// Reverses the first line and adds another product in its place.
fn reversal(bought: &BasketLine<'_>, shared: &Shared<'_>, currency: &str) -> Vec<Tree> {
    let Tree::Object(mut back) = bought.item(2, -bought.gross_amount(currency), None) else {
        return Vec::new();
    };
    back.push(("reversed_reason".to_owned(), Tree::text("Byttet mot en annen")));
    let related = Tree::object([("line_id", Tree::integer(1)), ("type", Tree::text("reversed"))]);
    back.push(("related_item".to_owned(), related));
    let mut items = vec![Tree::Object(back)];
    let instead = shared.catalogue.basket(shared.randomness, 1);
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
