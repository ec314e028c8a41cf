//! Makes the shop: runs the actions of all stories in the order of their time, each as a command.

use std::path::Path;

use super::catalogue::Catalogue;
use super::story::{Action, DAY_MS, Plot, Shared, TimedAction, write_story};
use crate::app::{
    ChangeOrderStatus, CompleteDraft, CreateAccount, CreateClient, CreateDraft, MarkAsDemo,
    OnBehalfOf, RecordOperation,
};
use crate::auth::client_secret::ClientSecret;
use crate::clock::{Clock, day_start, local_date};
use crate::digest::sha256;
use crate::domain::currency::Currency;
use crate::domain::ids::{AccountId, CreatedBy, OrderName, ResourceId};
use crate::domain::operation::OperationKind;
use crate::domain::order::StatusChange;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::{KeptJson, Timestamp};
use crate::json::Tree;
use crate::randomness::Randomness;
use crate::store::{NewApiEvent, OpenError, Store, WriteCommand};
use crate::wire::problem::{Problem, summary};
use crate::wire::{draft_request, operation_request};

/// The account of the demo shop.
pub const ACCOUNT: &str = "T00000001";

const TIME_ZONE: &str = "Europe/Oslo";
const ORDERS: usize = 120;
const DAYS: i64 = 90;
/// When customers order, in minutes of the shop's day.
const FIRST_ORDER_MINUTE: i64 = 9 * 60;
const ORDERING_MINUTES: i64 = 10 * 60;

/// The unusual stories; each began this many days ago.
const SPECIALS: [(i64, Plot); 24] = [
    (84, Plot::RefundAfterAMonth),
    (71, Plot::DeclineThenRetry),
    (66, Plot::PartRefund),
    (58, Plot::Cancelled),
    (52, Plot::RefundAfterAMonth),
    (47, Plot::PartShipment),
    (44, Plot::RoundingRemainder),
    (40, Plot::ReversedLine),
    (36, Plot::Fraud),
    (33, Plot::TwoAuthorizations),
    (28, Plot::ReleaseTheRest),
    (25, Plot::PartRefund),
    (21, Plot::DeclineThenRetry),
    (19, Plot::Cancelled),
    (16, Plot::RoundingRemainder),
    (13, Plot::PartShipment),
    (11, Plot::Unpaid),
    (7, Plot::HoldEndsTonight),
    (6, Plot::TwoAuthorizations),
    (4, Plot::PartShipmentWaiting),
    (2, Plot::Waiting),
    (1, Plot::Waiting),
    (0, Plot::Waiting),
    (0, Plot::Unpaid),
];

/// Why the shop could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeShopError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An action that the book refuses: a bug in the stories.
    #[error("the demo shop could not be made: {0}")]
    Refused(String),
}

/// Makes the shop in a new file, as of `now`, always the same for the same seed and day.
/// `progress` gets the number of actions done and of all actions.
pub fn make_shop(
    path: &Path,
    seed: u64,
    now: Timestamp,
    mut progress: impl FnMut(usize, usize),
) -> Result<(), MakeShopError> {
    let catalogue = Catalogue::load().ok_or_else(|| refused("its data files are damaged"))?;
    let randomness = Randomness::seeded(seed);
    let actions = all_actions(&catalogue, &randomness, now);
    let first = actions.first().map_or(now, |(_, action)| action.at);
    let clock = Clock::manual(Timestamp(first.0 - DAY_MS));
    let opened = Store::open(path, clock.clone(), randomness)?;
    let book = Book::begin(&opened.store, &catalogue, seed)?;
    let mut stories = vec![StoryState::default(); ORDERS];
    let count = actions.len();
    for (done, (story, action)) in actions.into_iter().enumerate() {
        clock.set(action.at);
        book.perform(&mut stories[story], action)?;
        progress(done + 1, count);
    }
    // The readers are closed first, so that the writer, as the last connection, moves the WAL into
    // the file.
    drop(book);
    drop(opened.store);
    opened.writer_thread.stop();
    Ok(())
}

/// Every action of every story until `now`, oldest first, with its story.
fn all_actions(
    catalogue: &Catalogue,
    randomness: &Randomness,
    now: Timestamp,
) -> Vec<(usize, TimedAction)> {
    let today = local_date(now, TIME_ZONE);
    let midnight = day_start(&today, 0, TIME_ZONE).unwrap_or(now);
    let tonight = day_start(&today, 1, TIME_ZONE).map_or(now, |next| Timestamp(next.0 - 60_000));
    let shared = Shared { catalogue, randomness, tonight };
    let mut actions = Vec::new();
    for (story, (days_ago, plot)) in plots(randomness).into_iter().enumerate() {
        // One of 250 moments of the day.
        let moment = i64::try_from(randomness.below(250)).unwrap_or(0);
        let minute = FIRST_ORDER_MINUTE + moment * ORDERING_MINUTES / 250;
        let began = i8::try_from(-days_ago).ok().and_then(|on| day_start(&today, on, TIME_ZONE));
        let at = Timestamp(began.unwrap_or(midnight).0 + minute * 60_000);
        // Today's orders came in during the last hours, however early it is.
        let at = if days_ago == 0 { Timestamp(now.0 - (10 + moment) * 60_000) } else { at };
        actions.extend(write_story(&shared, plot, at).into_iter().map(|action| (story, action)));
    }
    actions.retain(|(_, action)| action.at < now);
    actions.sort_by_key(|(story, action)| (action.at, *story));
    actions
}

/// How many days ago each story began, and its plot.
fn plots(randomness: &Randomness) -> Vec<(i64, Plot)> {
    let mut plots = SPECIALS.to_vec();
    let ordinary = i64::try_from(ORDERS - SPECIALS.len()).unwrap_or(0);
    for number in 0..ordinary {
        // Spread evenly over the days.
        let days_ago = DAYS - 1 - number * (DAYS - 2) / ordinary;
        let plot = if randomness.below(4) == 0 { Plot::Direct } else { Plot::Plain };
        plots.push((days_ago.clamp(1, DAYS - 1), plot));
    }
    plots
}

/// The state of a story so far.
#[derive(Debug, Clone, Default)]
struct StoryState {
    order: Option<OrderName>,
    authorizations: Vec<ResourceId>,
}

struct Book {
    store: Store,
    website: OnBehalfOf,
}

impl Book {
    fn begin(store: &Store, catalogue: &Catalogue, seed: u64) -> Result<Book, MakeShopError> {
        let account_id =
            AccountId::parse(ACCOUNT).ok_or_else(|| refused("its account id is not valid"))?;
        let currency =
            Currency::parse("NOK").ok_or_else(|| refused("its currency is not valid"))?;
        // The seed's bits, reinterpreted: the book stores signed integers.
        let seed = i64::from_le_bytes(seed.to_le_bytes());
        run(store, MarkAsDemo { seed })?;
        run(
            store,
            CreateAccount {
                account_id: account_id.clone(),
                name: catalogue.shop_name().to_owned(),
                currency,
                time_zone: TIME_ZONE.to_owned(),
            },
        )?;
        let website = CreateClient {
            account_id: account_id.clone(),
            name: "Nettbutikken".to_owned(),
            grants: Scopes::new(vec![Scope::WriteShopping, Scope::ReadShopping]),
            secret: ClientSecret::draw(&Randomness::System),
        };
        let created_by = CreatedBy(run(store, website)?.client_id);
        Ok(Book { store: store.clone(), website: OnBehalfOf { account_id, created_by } })
    }

    fn perform(&self, story: &mut StoryState, action: TimedAction) -> Result<(), MakeShopError> {
        match action.action {
            Action::Order { draft } => story.order = Some(self.order(&draft)?),
            Action::Operation { kind, body, authorization } => {
                let authorization =
                    authorization.and_then(|at| story.authorizations.get(at)).cloned();
                let order = order_of(story)?;
                let id = self.operate(order, kind, body, authorization)?;
                if kind == OperationKind::Authorization {
                    story.authorizations.push(id);
                }
            }
            Action::Status(change) => {
                let order = order_of(story)?;
                let event = status_event(&order, change);
                let on_behalf_of = self.website.clone();
                run(&self.store, ChangeOrderStatus { on_behalf_of, order, change, event })?;
            }
        }
        Ok(())
    }

    fn order(&self, draft: &Tree) -> Result<OrderName, MakeShopError> {
        let on_behalf_of = self.website.clone();
        let draft = draft_request::parse(draft).map_err(invalid)?;
        let event = api_event("POST", "/draft_orders");
        let made = run(&self.store, CreateDraft { on_behalf_of, draft, event })?;
        let path = format!("/draft_orders/{}/complete", made.id);
        let command = CompleteDraft {
            on_behalf_of: self.website.clone(),
            draft_id: made.id,
            event: api_event("PUT", &path),
        };
        let completed = run(&self.store, command)?;
        let order = completed.orders.into_iter().next();
        order.map(|order| order.order_id).ok_or_else(|| refused("a completed draft made no order"))
    }

    fn operate(
        &self,
        order: OrderName,
        kind: OperationKind,
        body: Tree,
        authorization: Option<ResourceId>,
    ) -> Result<ResourceId, MakeShopError> {
        let mut body = body;
        if let (Tree::Object(members), Some(authorization)) = (&mut body, authorization) {
            members.push(("authorization_id".to_owned(), Tree::text(authorization.as_str())));
        }
        let request = operation_request::parse(kind, body).map_err(invalid)?;
        let on_behalf_of = self.website.clone();
        let recorded = run(&self.store, RecordOperation { on_behalf_of, order, request })?;
        Ok(recorded.operation.id)
    }
}

fn order_of(story: &StoryState) -> Result<OrderName, MakeShopError> {
    story.order.clone().ok_or_else(|| refused("a story has an operation before its order"))
}

/// The request that changes an order's status to this.
fn status_event(order: &OrderName, change: StatusChange) -> NewApiEvent {
    let (verb, reason) = match change {
        StatusChange::Open => ("open", None),
        StatusChange::Close => ("close", None),
        StatusChange::Cancel(reason) => ("cancel", reason),
    };
    let event = api_event("POST", &format!("/orders/{}/{verb}", order.as_str()));
    let Some(reason) = reason else { return event };
    let body = Tree::object([("cancelled_reason", Tree::text(reason.as_str()))]).to_string();
    NewApiEvent { body_sha256: Some(sha256(body.as_bytes())), body: Some(KeptJson(body)), ..event }
}

fn api_event(method: &'static str, path: &str) -> NewApiEvent {
    let path = format!("/v1/accounts/{ACCOUNT}/shopping{path}");
    NewApiEvent { method, path, body: None, body_sha256: None }
}

fn run<C: WriteCommand>(store: &Store, command: C) -> Result<C::Done, MakeShopError>
where
    C::Refused: std::fmt::Debug,
{
    let written = store.writer.write_blocking(command);
    written.map_err(|error| refused(format!("{}: {error:?}", C::NAME)))
}

fn refused(why: impl ToString) -> MakeShopError {
    MakeShopError::Refused(why.to_string())
}

fn invalid(problems: Vec<Problem>) -> MakeShopError {
    MakeShopError::Refused(summary(&problems))
}
