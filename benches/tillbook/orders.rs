//! The orders of the books. Each has two lines, a customer and one of twenty histories, so that
//! every filter of the list matches some orders and not others.

use tillbook::app::{ChangeOrderStatus, CompleteDraft, CreateDraft, OnBehalfOf, RecordOperation};
use tillbook::domain::ids::OrderName;
use tillbook::domain::operation::OperationKind;
use tillbook::domain::order::StatusChange;
use tillbook::json::parse;
use tillbook::store::{Failed, NewApiEvent, Tx, WriteCommand};
use tillbook::wire::problem::summary;
use tillbook::wire::{draft_request, operation_request};

/// The account that every order belongs to.
pub const ACCOUNT: &str = "T00000001";

/// Increased with every change of the orders or the client, so that the books are built again.
pub const EDITION: &str = "2";

/// Makes some of a book's orders in one transaction, with the same commands as single orders.
pub struct MakeOrders {
    pub on_behalf_of: OnBehalfOf,
    /// The number of the first.
    pub first: usize,
    pub count: usize,
}

/// One of its commands was refused.
#[derive(Debug)]
pub struct NotMade(#[expect(dead_code, reason = "printed when a book cannot be made")] String);

impl WriteCommand for MakeOrders {
    const NAME: &'static str = "make_orders";
    type Done = ();
    type Refused = NotMade;

    fn run(&self, tx: &Tx<'_>) -> Result<(), Failed<NotMade>> {
        let mut numbers = self.first..self.first + self.count;
        let made = numbers.try_for_each(|number| {
            let order = self.make_order(tx, number)?;
            self.live(tx, &order, number)
        });
        made.map_err(Failed::Refused)
    }
}

/// The amount of each line, so large that captures never exhaust it.
const LINE: u64 = 4_000_000_000_000;

const FIRST_NAMES: [&str; 8] = ["Ola", "Kari", "Liv", "Nils", "Åse", "Per", "Ida", "Jon"];
const LAST_NAMES: [&str; 5] = ["Nordmann", "Hansen", "Berg", "Lie", "Moen"];
const CURRENCIES: [&str; 3] = ["NOK", "SEK", "EUR"];
const STORES: [&str; 4] = ["torget", "havna", "stasjonen", "nett"];

impl MakeOrders {
    fn make_order(&self, tx: &Tx<'_>, number: usize) -> Result<OrderName, NotMade> {
        let draft = parse(draft(number).as_bytes()).map_err(|why| NotMade(why.to_string()))?;
        let draft = draft_request::parse(&draft).map_err(|why| NotMade(summary(&why)))?;
        let on_behalf_of = self.on_behalf_of.clone();
        let event = event("POST", "/draft_orders");
        let made = CreateDraft { on_behalf_of: on_behalf_of.clone(), draft, event }.run(tx);
        let draft_id = made.map_err(not_made)?.id;
        let event = self::event("PUT", &format!("/draft_orders/{draft_id}/complete"));

        let completed = CompleteDraft { on_behalf_of, draft_id, event }.run(tx);
        Ok(completed.map_err(not_made)?.orders.swap_remove(0).order_id)
    }

    /// Records the history of an order, chosen by its number.
    fn live(&self, tx: &Tx<'_>, order: &OrderName, number: usize) -> Result<(), NotMade> {
        use OperationKind::{Authorization, Cancellation, Capture, Refund};
        let operations: &[(OperationKind, u64)] = match number % 20 {
            0 => &[(Authorization, LINE), (Capture, LINE)],
            1 => &[(Authorization, LINE), (Cancellation, LINE)],
            2 => &[(Capture, LINE), (Refund, LINE)],
            3 => &[(Capture, LINE), (Refund, 100)],
            4 | 5 => &[(Authorization, LINE)],
            6..=9 => &[(Capture, 100)],
            _ => &[],
        };
        for (kind, amount) in operations {
            self.operate(tx, order, *kind, *amount)?;
        }
        match number % 20 {
            0 => self.change(tx, order, StatusChange::Close, "close"),
            1 => self.change(tx, order, StatusChange::Cancel(None), "cancel"),
            _ => Ok(()),
        }
    }

    fn operate(
        &self,
        tx: &Tx<'_>,
        order: &OrderName,
        kind: OperationKind,
        amount: u64,
    ) -> Result<(), NotMade> {
        let body = format!(
            "{{\"items\":[{{\"line_id\":1,\"amount\":{amount}}},\
             {{\"line_id\":2,\"amount\":{amount}}}]}}"
        );
        let body = parse(body.as_bytes()).map_err(|why| NotMade(why.to_string()))?;
        let request = operation_request::parse(kind, body).map_err(|why| NotMade(summary(&why)))?;
        let (on_behalf_of, order) = (self.on_behalf_of.clone(), order.clone());
        RecordOperation { on_behalf_of, order, request }.run(tx).map_err(not_made).map(drop)
    }

    fn change(
        &self,
        tx: &Tx<'_>,
        order: &OrderName,
        change: StatusChange,
        verb: &str,
    ) -> Result<(), NotMade> {
        let event = event("POST", &format!("/orders/{}/{verb}", order.as_str()));
        let (on_behalf_of, order) = (self.on_behalf_of.clone(), order.clone());
        let command = ChangeOrderStatus { on_behalf_of, order, change, event };
        command.run(tx).map_err(not_made).map(drop)
    }
}

fn not_made(why: impl std::fmt::Debug) -> NotMade {
    NotMade(format!("{why:?}"))
}

fn event(method: &'static str, path: &str) -> NewApiEvent {
    let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
    NewApiEvent { method, path, body: None, body_sha256: None }
}

fn draft(number: usize) -> String {
    let first_name = FIRST_NAMES[number % FIRST_NAMES.len()];
    let last_name = LAST_NAMES[number / 8 % LAST_NAMES.len()];
    // Most orders are in one currency and of one store, like those of most shops.
    let currency = CURRENCIES[if number.is_multiple_of(7) { number % 3 } else { 0 }];
    let store = STORES[if number.is_multiple_of(5) { number % 4 } else { 0 }];
    format!(
        "{{\"options\":{{\"split_draft\":false}},\"store\":{{\"id\":\"{store}\"}},\
         \"order\":{{\"currency\":\"{currency}\",\
         \"customer\":{{\"email\":\"kunde{number}@example.no\",\"first_name\":\"{first_name}\",\
         \"last_name\":\"{last_name}\",\"phone_number\":\"+47 9{:07}\"}},\
         \"items\":[{{\"id\":\"chair\",\"line_id\":1,\"gross_amount\":{LINE},\
         \"description\":\"Stablestol\",\"quantity\":1}},\
         {{\"id\":\"table\",\"line_id\":2,\"gross_amount\":{LINE},\
         \"description\":\"Bord\",\"quantity\":1}}]}}}}",
        number % 10_000_000
    )
}
