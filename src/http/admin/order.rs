//! The page of an order: its money, lines, operations and story.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::api::{event_text, operations_of};
use super::super::extract::{order_in_path, state};
use super::frame::Frame;
use super::order_actions::{Action, OperationAction, actions, operation_actions};
use super::order_figures::{Bar, Figure, LineRow, bar, figures, line_rows};
use super::order_people::{Person, people};
use super::order_recorded::{Recorded, recorded};
use super::page_error::PageError;
use super::sign_in::{html, query_value};
use super::visitor::Staff;
use super::words;
use crate::clock::{local, rfc3339};
use crate::domain::ids::OrderName;
use crate::domain::operation::{Operation, OperationKind};
use crate::json::{self, Tree};
use crate::store::{EventBody, EventRecord, OrderRecord, Reader, StoreError};

#[derive(Template)]
#[template(path = "orders/show.html")]
struct OrderPage {
    frame: Frame,
    order_id: String,
    list_href: String,
    self_href: String,
    problem: String,
    status: &'static str,
    status_words: &'static str,
    payment_status: &'static str,
    payment_words: &'static str,
    created: String,
    created_by: String,
    figures: Vec<Figure>,
    bar: Bar,
    people: Vec<Person>,
    lines: Vec<LineRow>,
    operations: Vec<OperationCard>,
    recorded: Option<Recorded>,
    operations_allowed: Vec<OperationAction>,
    actions: Vec<Action>,
    events: Vec<EventRow>,
}

struct OperationCard {
    kind: &'static str,
    amount: String,
    success: bool,
    facts: Vec<Fact>,
}

struct Fact {
    name: &'static str,
    text: String,
}

struct EventRow {
    at: String,
    when: String,
    what: String,
    by: String,
    raw: String,
}

/// An order, and the names of everybody who did something to it.
pub struct Loaded {
    pub order: OrderRecord,
    pub time_zone: String,
    pub demo: bool,
    names: Vec<(String, String)>,
}

/// `GET /admin/{aid}/orders/{order_id}`
pub async fn show(staff: Staff, request: HttpRequest) -> Result<HttpResponse, PageError> {
    page(&staff, &request, "").await
}

/// The page, with a problem to tell about.
pub async fn page(
    staff: &Staff,
    request: &HttpRequest,
    problem: &str,
) -> Result<HttpResponse, PageError> {
    let state = state(request)?;
    let (account_id, name) = (staff.account_id.clone(), order_in_path(request)?);
    let read = state.store.read(move |reader| load(reader, &account_id, &name));
    let loaded = read.await?.ok_or(PageError::NotFound)?;
    let frame = Frame { demo: loaded.demo, ..Frame::inside(state, staff) };
    let order = &loaded.order;
    let list_href = format!("{}/admin/{}/orders", frame.base, staff.account_id);
    let self_href = format!("{list_href}/{}", super::path_segment(order.order_id.as_str()));
    let links = &state.links;
    html(&OrderPage {
        operations_allowed: operation_actions(state, order, staff, &self_href),
        self_href,
        recorded: recorded(&loaded, staff, &query_value(request, "recorded"), &list_href),
        list_href,
        frame,
        order_id: order.order_id.as_str().to_owned(),
        problem: problem.to_owned(),
        status: order.ledger.status.as_str(),
        status_words: words::order_status(order.ledger.status),
        payment_status: order.payment_status.as_str(),
        payment_words: words::payment_status(&order.ledger, order.payment_status),
        created: local(order.created_at, &loaded.time_zone),
        created_by: loaded.name_of(&order.created_by.0),
        figures: figures(order),
        bar: bar(order),
        people: people(order),
        lines: line_rows(order),
        operations: operation_cards(&loaded),
        actions: actions(order, staff),
        events: loaded
            .order
            .events
            .iter()
            .rev()
            .map(|event| event_row(&loaded, event, event_text(links, order, event)))
            .collect(),
    })
}

/// Reads an order for its pages; `None` when there is none of that name.
pub fn load(
    reader: &Reader<'_>,
    account_id: &crate::domain::ids::AccountId,
    name: &OrderName,
) -> Result<Option<Loaded>, StoreError> {
    let Some(order) = reader.find_order(account_id, name)? else { return Ok(None) };
    let accounts = reader.list_accounts()?;
    let account = accounts.into_iter().find(|account| account.account_id == *account_id);
    let mut ids: Vec<String> = order.events.iter().map(|e| e.created_by.0.clone()).collect();
    ids.push(order.created_by.0.clone());
    ids.sort();
    ids.dedup();
    let mut names = Vec::new();
    for id in ids {
        let name = reader.find_name_of(&id)?.unwrap_or_else(|| id.clone());
        names.push((id, name));
    }
    let time_zone = account.map(|account| account.time_zone).unwrap_or_default();
    Ok(Some(Loaded { order, time_zone, demo: reader.load_demo_seed()?.is_some(), names }))
}

impl Loaded {
    /// What people call whoever did something.
    pub fn name_of(&self, created_by: &str) -> String {
        let found = self.names.iter().find(|(id, _)| id == created_by);
        found.map_or_else(|| created_by.to_owned(), |(_, name)| name.clone())
    }
}

fn operation_cards(loaded: &Loaded) -> Vec<OperationCard> {
    let order = &loaded.order;
    let mut all: Vec<&Operation> =
        OperationKind::ALL.iter().flat_map(|kind| operations_of(order, *kind)).collect();
    all.sort_by_key(|operation| std::cmp::Reverse(operation.seq));
    all.into_iter().map(|operation| operation_card(loaded, operation)).collect()
}

fn operation_card(loaded: &Loaded, operation: &Operation) -> OperationCard {
    let document = json::parse(operation.document.0.as_bytes()).unwrap_or(Tree::Null);
    let details = document.member("payment_details").cloned().unwrap_or(Tree::Null);
    let text = |tree: &Tree, key: &str| {
        tree.member(key).and_then(Tree::as_text).unwrap_or_default().to_owned()
    };
    let card = details.member("card").cloned().unwrap_or(Tree::Null);
    let lines: Vec<String> = operation
        .items
        .iter()
        .map(|item| {
            let amount = loaded.order.currency.figure(item.amount.minor_units().into());
            format!("{}: {amount}", item.line_id.number())
        })
        .collect();
    let card = format!("{} {}", text(&card, "brand"), text(&card, "masked_pan"));
    let facts = [
        ("When", local(operation.created_at, &loaded.time_zone)),
        ("Who", loaded.name_of(&operation.created_by.0)),
        ("Lines", lines.join(", ")),
        ("Gateway", text(&details, "psp")),
        ("Recorded by", text(&document, "processed_by")),
        ("Payment id", text(&details, "payment_id")),
        ("Card", card.trim().to_owned()),
    ];
    OperationCard {
        kind: words::operation(operation.kind),
        amount: loaded.order.currency.display(operation.amount.minor_units().into()),
        success: operation.success,
        facts: facts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| Fact { name, text })
            .collect(),
    }
}

fn event_row(loaded: &Loaded, event: &EventRecord, raw: String) -> EventRow {
    let what = match &event.body {
        EventBody::Operation(operation) => {
            let amount = loaded.order.currency.display(operation.amount.minor_units().into());
            let kind = words::operation(operation.kind);
            let refused = if operation.success { "" } else { " refused by the gateway" };
            format!("{kind} of {amount}{refused}")
        }
        EventBody::Api(api) if api.draft_id.is_some() => "Order made".to_owned(),
        EventBody::Api(api) => match api.path.rsplit('/').next() {
            Some("open") => "Opened again".to_owned(),
            Some("close") => "Closed".to_owned(),
            Some("cancel") => "Cancelled".to_owned(),
            _ => "Changed".to_owned(),
        },
    };
    EventRow {
        at: rfc3339(event.created_at),
        when: local(event.created_at, &loaded.time_zone),
        what,
        by: loaded.name_of(&event.created_by.0),
        raw,
    }
}
