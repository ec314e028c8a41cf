//! Loads an order for its pages, with its shop and the names of the users and clients in its
//! history.

use crate::clock::local;
use crate::domain::Timestamp;
use crate::domain::ids::{AccountId, CreatedBy, OrderName};
use crate::http::admin::words;
use crate::store::{Bodies, OrderRecord, Reader, StoreError};

/// An order, its shop, and the users and clients in its history.
pub struct OrderRead {
    pub order: OrderRecord,
    /// The name of the shop.
    pub shop_name: String,
    /// The shop's IANA time zone.
    pub time_zone: String,
    pub demo: bool,
    names: Vec<(String, String)>,
}

/// Reads the order of this name; `None` when the account does not have it.
pub fn load(
    reader: &Reader<'_>,
    account_id: &AccountId,
    name: &OrderName,
) -> Result<Option<OrderRead>, StoreError> {
    let Some(order) = reader.find_order(account_id, name, Bodies::Read)? else { return Ok(None) };
    let accounts = reader.list_accounts()?;
    let account = accounts.into_iter().find(|account| account.account_id == *account_id);
    let mut ids: Vec<String> = order.events.iter().map(|e| e.created_by.0.clone()).collect();
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
    Ok(Some(OrderRead { order, shop_name, time_zone, demo, names }))
}

impl OrderRead {
    /// The name of a user or client; the id when it is unknown.
    pub fn name_of(&self, created_by: &CreatedBy) -> String {
        let found = self.names.iter().find(|(id, _)| *id == created_by.0);
        found.map_or_else(|| created_by.0.clone(), |(_, name)| name.clone())
    }

    /// A time in the shop's time zone.
    pub fn local(&self, at: Timestamp) -> String {
        local(at, &self.time_zone)
    }
}
