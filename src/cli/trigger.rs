//! `tillbook trigger`: makes the smallest change that causes an event of webhooks.

use std::fmt::Debug;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::served_book::{AccountArgs, ServedBookArgs};
use crate::app::{
    ChangeDraft, ChangeOrderStatus, CompleteDraft, CreateDraft, DraftChange, OnBehalfOf,
    RecordOperation, TellServer,
};
use crate::digest::sha256;
use crate::domain::KeptJson;
use crate::domain::hook::HookEvent;
use crate::domain::ids::{CreatedBy, OrderName};
use crate::domain::operation::OperationKind;
use crate::domain::order::StatusChange;
use crate::json::Tree;
use crate::store::{self, Failed, NewApiEvent, StoreError, WriteCommand};
use crate::wire::problem::{Problem, summary};
use crate::wire::{draft_request, operation_request};

/// What the item costs that is sold, in minor units.
const PRICE: i64 = 100;

/// After how many seconds the order of a deletion ends.
const TIME_TO_LIVE_S: i64 = 1;

#[derive(Args)]
pub struct TriggerArgs {
    /// The event: shopping_draft_add, shopping_draft_update, shopping_draft_complete,
    /// shopping_order_update, shopping_order_event_add or shopping_order_delete
    #[arg(value_name = "EVENT", value_parser = parse_event)]
    event: HookEvent,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    book: ServedBookArgs,
}

/// Writes to a book as an API client would.
struct Author {
    db: PathBuf,
    on_behalf_of: OnBehalfOf,
    currency: String,
}

/// Makes the change and says what was changed.
pub fn run(args: &TriggerArgs) -> Result<(), CliError> {
    let db = args.book.find()?;
    let account_id = args.account.find(&db)?;
    if !account_id.is_test() {
        return Err(CliError::Refused(format!(
            "{account_id} is not a test account, and `trigger` makes orders that stay; test \
             accounts begin with T"
        )));
    }
    let found = store::read_once::<_, StoreError>(&db, |reader| reader.find_account(&account_id))?;
    let currency = found.map(|account| account.currency.code().to_owned()).unwrap_or_default();
    let created_by = CreatedBy("tillbook trigger".to_owned());
    let author = Author { db, on_behalf_of: OnBehalfOf { account_id, created_by }, currency };
    let told = trigger(&author, args.event)?;
    Ok(writeln!(std::io::stdout().lock(), "{told}")?)
}

fn trigger(author: &Author, event: HookEvent) -> Result<String, CliError> {
    let plain = Tree::object([]);
    Ok(match event {
        HookEvent::DraftAdd => format!("Made draft {}.", author.draft(plain)?),
        HookEvent::DraftUpdate => {
            let id = author.draft(plain)?;
            author.update_draft(&id)?;
            format!("Made draft {id} and changed it.")
        }
        HookEvent::DraftComplete => {
            let order = author.order(plain)?;
            format!("Completed a draft, which made order {}.", order.as_str())
        }
        HookEvent::OrderEventAdd => {
            let order = author.order(plain)?;
            author.capture(&order)?;
            format!("Made order {} and captured it.", order.as_str())
        }
        HookEvent::OrderUpdate => {
            let order = author.order(plain)?;
            author.close(&order)?;
            format!("Made order {} and closed it.", order.as_str())
        }
        HookEvent::OrderDelete => {
            let life = ("order_time_to_live", Tree::integer(TIME_TO_LIVE_S));
            let order = author.order(Tree::object([life]))?;
            format!(
                "Made order {}, which lives for a second; the server removes it within a minute \
                 or so.",
                order.as_str()
            )
        }
    })
}

impl Author {
    /// Makes a draft of one item with these options; its id.
    fn draft(&self, options: Tree) -> Result<String, CliError> {
        let item = Tree::object([
            ("id", Tree::text("tillbook-trigger")),
            ("line_id", Tree::integer(1)),
            ("description", Tree::text("Made by tillbook trigger")),
            ("gross_amount", Tree::integer(PRICE)),
        ]);
        let order = Tree::object([
            ("currency", Tree::text(&self.currency)),
            ("items", Tree::List(vec![item])),
        ]);
        let body = Tree::object([("order", order), ("options", options)]);
        let command = CreateDraft {
            on_behalf_of: self.on_behalf_of.clone(),
            draft: draft_request::parse(&body).map_err(invalid)?,
            event: self.request("POST", "/draft_orders", Some(&body)),
        };
        Ok(self.write(command)?.id)
    }

    fn update_draft(&self, id: &str) -> Result<(), CliError> {
        let store = Tree::object([("id", Tree::text("tillbook-trigger"))]);
        let body = Tree::object([("store", store)]);
        let update = draft_request::parse_update(&body).map_err(invalid)?;
        self.write(ChangeDraft {
            on_behalf_of: self.on_behalf_of.clone(),
            draft_id: id.to_owned(),
            change: DraftChange::Update(Box::new(update)),
            event: self.request("PUT", &format!("/draft_orders/{id}"), Some(&body)),
        })?;
        Ok(())
    }

    /// Makes a draft with these options and completes it; the order's name.
    fn order(&self, options: Tree) -> Result<OrderName, CliError> {
        let id = self.draft(options)?;
        let event = self.request("PUT", &format!("/draft_orders/{id}/complete"), None);
        let on_behalf_of = self.on_behalf_of.clone();
        let completed = self.write(CompleteDraft { on_behalf_of, draft_id: id, event })?;
        let order = completed.orders.into_iter().next();
        order
            .map(|order| order.order_id)
            .ok_or_else(|| CliError::Refused("the draft made no order".to_owned()))
    }

    fn capture(&self, order: &OrderName) -> Result<(), CliError> {
        let item = Tree::object([("line_id", Tree::integer(1)), ("amount", Tree::integer(PRICE))]);
        let body = Tree::object([("items", Tree::List(vec![item]))]);
        let request = operation_request::parse(OperationKind::Capture, body).map_err(invalid)?;
        let (on_behalf_of, order) = (self.on_behalf_of.clone(), order.clone());
        self.write(RecordOperation { on_behalf_of, order, request })?;
        Ok(())
    }

    fn close(&self, order: &OrderName) -> Result<(), CliError> {
        self.write(ChangeOrderStatus {
            on_behalf_of: self.on_behalf_of.clone(),
            order: order.clone(),
            change: StatusChange::Close,
            event: self.request("POST", &format!("/orders/{}/close", order.as_str()), None),
        })?;
        Ok(())
    }

    /// The request with which a client would have made the change.
    fn request(&self, method: &'static str, path: &str, body: Option<&Tree>) -> NewApiEvent {
        let path = format!("/v1/accounts/{}/shopping{path}", self.on_behalf_of.account_id);
        let body = body.map(|body| KeptJson(body.to_string()));
        let body_sha256 = body.as_ref().map(|body| sha256(body.0.as_bytes()));
        NewApiEvent { method, path, body, body_sha256 }
    }

    fn write<C: WriteCommand>(&self, command: C) -> Result<C::Done, CliError>
    where
        C::Refused: Debug,
    {
        let written = write(&self.db, command);
        written.map_err(|failed| match failed {
            Failed::Refused(why) => CliError::Refused(format!("{}: {why:?}", C::NAME)),
            Failed::Store(error) => error.into(),
        })
    }
}

/// A running server delivers the events once it has noticed the change.
fn write<C: WriteCommand>(db: &Path, command: C) -> Result<C::Done, Failed<C::Refused>> {
    store::write_once_in_existing(db, &TellServer(command))
}

fn invalid(problems: Vec<Problem>) -> CliError {
    CliError::Refused(summary(&problems))
}

fn parse_event(text: &str) -> Result<HookEvent, String> {
    HookEvent::parse(text).ok_or_else(|| {
        let words: Vec<&str> = HookEvent::ALL.into_iter().map(HookEvent::as_str).collect();
        format!("expected one of {}", words.join(", "))
    })
}
