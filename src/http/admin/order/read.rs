//! Loads an order for its pages, with its shop and the names of the users and clients in its
//! history.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::clock::local;
use crate::domain::ids::{AccountId, CreatedBy, EventSeq, LineId, OrderName, SessionSeq};
use crate::domain::item::Item;
use crate::domain::operation::Operation;
use crate::domain::{KeptJson, Timestamp};
use crate::http::admin::words;
use crate::json::Tree;
use crate::store::{Bodies, OrderRecord, OrderSessionRecord, Reader, SessionCallback, StoreError};

/// An order, its shop, and the users and clients in its history.
pub struct OrderRead {
    pub order: OrderRecord,
    /// The payment sessions, oldest first.
    pub sessions: Vec<OrderSessionRecord>,
    /// Their callbacks.
    pub callbacks: HashMap<SessionSeq, SessionCallback>,
    /// The name of the shop.
    pub shop_name: String,
    /// The shop's IANA time zone.
    pub time_zone: String,
    pub demo: bool,
    names: Vec<(String, String)>,
    parsed: RefCell<BTreeMap<DocumentOf, Arc<Tree>>>,
}

/// The owner of a document that several parts of a page show.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum DocumentOf {
    Item(LineId),
    Operation(EventSeq),
}

/// Reads the order of this name; `None` when the account does not have it.
pub fn load(
    reader: &Reader<'_>,
    account_id: &AccountId,
    name: &OrderName,
) -> Result<Option<OrderRead>, StoreError> {
    let Some(order_seq) = reader.find_order_seq(account_id, name)? else { return Ok(None) };
    let order = reader.load_order(account_id, order_seq, Bodies::Read)?;
    let sessions = reader.list_order_sessions(order_seq)?;
    let callbacks = reader.list_session_callbacks(order_seq)?;
    let accounts = reader.list_accounts()?;
    let account = accounts.into_iter().find(|account| account.account_id == *account_id);
    let mut ids: Vec<String> = order.events.iter().map(|e| e.created_by.0.clone()).collect();
    ids.extend(sessions.iter().map(|session| session.created_by.0.clone()));
    ids.push(order.created_by.0.clone());
    ids.sort();
    ids.dedup();
    let mut names = Vec::new();
    for id in ids {
        let doer = reader.find_doer(&id)?;
        let name = doer.map_or_else(|| id.clone(), |doer| words::doer(&doer));
        names.push((id, name));
    }
    let (shop_name, time_zone) = account.map(|a| (a.name, a.time_zone)).unwrap_or_default();
    let demo = reader.load_demo_seed()?.is_some();
    let parsed = RefCell::default();
    Ok(Some(OrderRead { order, sessions, callbacks, shop_name, time_zone, demo, names, parsed }))
}

impl OrderRead {
    /// The name of a user or client; the id when it is unknown.
    pub fn name_of(&self, created_by: &CreatedBy) -> String {
        let found = self.names.iter().find(|(id, _)| *id == created_by.0);
        found.map_or_else(|| created_by.0.clone(), |(_, name)| name.clone())
    }

    /// An item's document, parsed once for the whole page.
    pub fn item_document(&self, item: &Item) -> Arc<Tree> {
        self.parse_once(DocumentOf::Item(item.line_id), &item.document)
    }

    /// An operation's document, parsed once for the whole page.
    pub fn operation_document(&self, operation: &Operation) -> Arc<Tree> {
        self.parse_once(DocumentOf::Operation(operation.seq), &operation.document)
    }

    fn parse_once(&self, of: DocumentOf, document: &KeptJson) -> Arc<Tree> {
        let mut parsed = self.parsed.borrow_mut();
        let tree = parsed.entry(of).or_insert_with(|| Arc::new(words::parsed(document)));
        Arc::clone(tree)
    }

    /// A time in the shop's time zone.
    pub fn local(&self, at: Timestamp) -> String {
        local(at, &self.time_zone)
    }
}
