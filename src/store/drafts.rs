//! Drafts, their items and their histories.

use rusqlite::{Row, named_params};

use super::error::StoreError;
use super::events::NewApiEvent;
use super::expiries::order_is_gone;
use super::items::read_item;
use super::row::Columns;
use super::tx::{Reader, Tx};
use crate::domain::currency::Currency;
use crate::domain::draft::{DraftOptions, DraftStatus};
use crate::domain::ids::{AccountId, CreatedBy, DraftSeq, OrderName, OrderSeq};
use crate::domain::item::Item;
use crate::domain::{KeptJson, Timestamp};

/// The contents of a draft.
#[derive(Debug, Clone)]
pub struct NewDraft {
    pub currency: Currency,
    /// The custom order id.
    pub order_name: Option<OrderName>,
    /// The store of items that name no store.
    pub store_id: Option<String>,
    pub items: Vec<Item>,
    /// Positions of items that were sent without a line id; the ids they have now are provisional.
    pub unnumbered: Vec<usize>,
    pub options: DraftOptions,
    /// The fields of `order` without its items.
    pub document: KeptJson,
    /// The `store` that was sent beside `order`.
    pub store_document: Option<KeptJson>,
    /// The `options` as they were sent.
    pub options_document: KeptJson,
}

/// A stored draft.
#[derive(Debug, Clone)]
pub struct DraftRecord {
    pub draft_seq: DraftSeq,
    pub account_id: AccountId,
    pub id: String,
    pub status: DraftStatus,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub updated_at: Timestamp,
    /// The number of changes so far.
    pub version: i64,
    /// The changes, oldest first.
    pub events: Vec<DraftEvent>,
    /// When it is removed, unless it is completed before; `None` if never.
    pub expires_at: Option<Timestamp>,
    /// The contents. `order_name` may also be a reserved order id.
    pub draft: NewDraft,
    /// The orders that were made from it, or the one it changed; empty until it is completed.
    pub order_ids: Vec<OrderName>,
}

#[derive(Debug, Clone)]
pub struct DraftEvent {
    pub id: String,
    /// Position in its draft's history, from 1.
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: CreatedBy,
    pub method: String,
    pub path: String,
}

impl Reader<'_> {
    pub fn find_draft(
        &self,
        account_id: &AccountId,
        id: &str,
    ) -> Result<Option<DraftRecord>, StoreError> {
        let found = self.find_draft_seq(account_id, id)?;
        found.map(|draft_seq| self.load_draft(account_id, draft_seq)).transpose()
    }

    /// The draft with an id, unless it has expired.
    pub fn find_draft_seq(
        &self,
        account_id: &AccountId,
        id: &str,
    ) -> Result<Option<DraftSeq>, StoreError> {
        let account_seq = self.load_account_seq(account_id)?;
        let sql = "select draft_seq from drafts where account_seq = :account_seq and id = :id";
        let params = named_params! {":account_seq": account_seq, ":id": id};
        match self.find(sql, params, |row| row.get(0))? {
            Some(draft_seq) if self.find_draft_end(draft_seq)?.is_some() => Ok(None),
            found => Ok(found),
        }
    }

    /// The draft in row `draft_seq`, which must exist.
    pub fn load_draft(
        &self,
        account_id: &AccountId,
        draft_seq: DraftSeq,
    ) -> Result<DraftRecord, StoreError> {
        let sql = "select drafts.draft_seq, id, status, currency, order_name, store_id, document,
                store_document, options_document, generate_order_id, split_draft,
                multiple_authorizations, created_at_ms, created_by, updated_at_ms, amends,
                replaces, version, lives_s, expires_at_ms
            from drafts left join draft_expiries using (draft_seq)
            where drafts.draft_seq = :draft_seq";
        let params = named_params! {":draft_seq": draft_seq};
        let found = self.find(sql, params, |row| read_draft(row, account_id))?;
        let gone = || StoreError::inconsistent(format!("no draft is in row {}", draft_seq.0));
        let mut draft = found.ok_or_else(gone)?;
        draft.draft.items = self.list_draft_items(draft.draft_seq)?;
        draft.order_ids = self.list_draft_orders(draft.draft_seq)?;
        draft.events = self.list_draft_events(draft.draft_seq)?;
        Ok(draft)
    }

    /// The rows of the orders that a draft made, or of the one that it changed.
    pub fn list_orders_of_draft(&self, draft_seq: DraftSeq) -> Result<Vec<OrderSeq>, StoreError> {
        let sql = "select order_seq from draft_orders
            where draft_seq = :draft_seq order by order_seq";
        self.list(sql, named_params! {":draft_seq": draft_seq}, |row| row.get(0))
    }

    fn list_draft_events(&self, draft_seq: DraftSeq) -> Result<Vec<DraftEvent>, StoreError> {
        let sql = "select id, version, created_at_ms, created_by, method, path
            from draft_events where draft_seq = :draft_seq order by version";
        self.list(sql, named_params! {":draft_seq": draft_seq}, |row| {
            Ok(DraftEvent {
                id: row.get("id")?,
                version: row.get("version")?,
                created_at: row.get("created_at_ms")?,
                created_by: row.get("created_by")?,
                method: row.get("method")?,
                path: row.get("path")?,
            })
        })
    }

    fn list_draft_orders(&self, draft_seq: DraftSeq) -> Result<Vec<OrderName>, StoreError> {
        let sql = format!(
            "select order_id from draft_orders
            join orders on orders.order_seq = draft_orders.order_seq
            where draft_orders.draft_seq = :draft_seq and not {}
            order by draft_orders.order_seq",
            order_is_gone("draft_orders.order_seq")
        );
        let params = named_params! {":draft_seq": draft_seq, ":expired": self.expired()?};
        self.list(sql, params, |row| row.get(0))
    }

    fn list_draft_items(&self, draft_seq: DraftSeq) -> Result<Vec<Item>, StoreError> {
        let sql = "select line_id, gross_amount, discount_amount, manual_discount_amount,
                tax_amount, store_id, document, version
            from draft_items where draft_seq = :draft_seq order by position";
        let items = self.list(sql, named_params! {":draft_seq": draft_seq}, |row| {
            Ok(read_item(&mut Columns::of(row)))
        })?;
        items.into_iter().collect()
    }
}

impl Tx<'_> {
    /// Inserts an open draft with its items, but without its first event.
    pub fn insert_draft(
        &self,
        account_id: &AccountId,
        id: &str,
        created_by: &CreatedBy,
        draft: &NewDraft,
    ) -> Result<DraftSeq, StoreError> {
        let sql = "insert into drafts
            (account_seq, id, status, currency, document, options_document, generate_order_id,
             split_draft, multiple_authorizations, created_at_ms, created_by, updated_at_ms)
            values (:account_seq, :id, 'open', :currency, '{}', '{}', 'UUID', 0, 0,
             :now, :created_by, :now)";
        let draft_seq = DraftSeq(self.insert(
            sql,
            named_params! {
                ":account_seq": self.load_account_seq(account_id)?,
                ":id": id,
                ":currency": draft.currency,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?);
        self.update_draft(draft_seq, draft)?;
        Ok(draft_seq)
    }

    /// Replaces a draft's contents, items included.
    pub fn update_draft(&self, draft_seq: DraftSeq, draft: &NewDraft) -> Result<(), StoreError> {
        let sql = "update drafts set currency = :currency, order_name = :order_name,
                store_id = :store_id, document = :document, store_document = :store_document,
                options_document = :options_document, generate_order_id = :generate_order_id,
                split_draft = :split_draft, multiple_authorizations = :multiple_authorizations,
                amends = :amends, replaces = :replaces, updated_at_ms = :now
            where draft_seq = :draft_seq";
        self.execute(
            sql,
            named_params! {
                ":currency": draft.currency,
                ":order_name": draft.order_name,
                ":store_id": draft.store_id,
                ":document": draft.document,
                ":store_document": draft.store_document,
                ":options_document": draft.options_document,
                ":generate_order_id": draft.options.generate_order_id,
                ":split_draft": draft.options.split_draft,
                ":multiple_authorizations": draft.options.multiple_authorizations,
                ":amends": draft.options.amends,
                ":replaces": draft.options.replaces,
                ":now": self.now(),
                ":draft_seq": draft_seq,
            },
        )?;
        self.set_draft_time_to_live(draft_seq, draft.options.time_to_live)?;
        let sql = "delete from draft_items where draft_seq = :draft_seq";
        self.execute(sql, named_params! {":draft_seq": draft_seq})?;
        for (position, item) in draft.items.iter().enumerate() {
            self.insert_item(INSERT_DRAFT_ITEM, draft_seq.0, position, item)?;
        }
        Ok(())
    }

    pub fn update_draft_status(
        &self,
        draft_seq: DraftSeq,
        status: DraftStatus,
    ) -> Result<(), StoreError> {
        let sql = "update drafts set status = :status, updated_at_ms = :now
                   where draft_seq = :draft_seq";
        let params = named_params! {":status": status, ":now": self.now(), ":draft_seq": draft_seq};
        self.execute(sql, params)?;
        match status {
            DraftStatus::Completed => self.end_draft_time(draft_seq),
            DraftStatus::Open | DraftStatus::Deleted => Ok(()),
        }
    }

    /// Appends to a draft's history, which raises the draft to `version`.
    pub fn append_draft_event(
        &self,
        draft_seq: DraftSeq,
        version: i64,
        created_by: &CreatedBy,
        event: &NewApiEvent,
    ) -> Result<(), StoreError> {
        let event_seq = self.next_event_seq();
        let sql = "insert into draft_events
            (draft_event_seq, draft_seq, version, id, method, path, created_at_ms, created_by)
            values (:event_seq, :draft_seq, :version, :id, :method, :path, :now, :created_by)";
        self.insert(
            sql,
            named_params! {
                ":event_seq": event_seq,
                ":draft_seq": draft_seq,
                ":version": version,
                ":id": self.randomness().uuid(),
                ":method": event.method,
                ":path": event.path,
                ":now": self.now(),
                ":created_by": created_by,
            },
        )?;
        self.note_appended(event_seq);
        let sql = "update drafts set version = :version where draft_seq = :draft_seq";
        self.execute(sql, named_params! {":version": version, ":draft_seq": draft_seq})?;
        Ok(())
    }

    /// Records that a draft made or changed an order.
    pub fn insert_draft_order(
        &self,
        draft_seq: DraftSeq,
        order_seq: OrderSeq,
    ) -> Result<(), StoreError> {
        let sql = "insert into draft_orders (draft_seq, order_seq)
                   values (:draft_seq, :order_seq)";
        self.execute(sql, named_params! {":draft_seq": draft_seq, ":order_seq": order_seq})?;
        Ok(())
    }
}

const INSERT_DRAFT_ITEM: &str = "insert into draft_items
    (draft_seq, line_id, position, gross_amount, discount_amount, manual_discount_amount,
     tax_amount, store_id, document, version)
    values (:owner_seq, :line_id, :position, :gross_amount, :discount_amount,
     :manual_discount_amount, :tax_amount, :store_id, :document, :version)";

fn read_draft(row: &Row<'_>, account_id: &AccountId) -> rusqlite::Result<DraftRecord> {
    Ok(DraftRecord {
        draft_seq: row.get("draft_seq")?,
        account_id: account_id.clone(),
        id: row.get("id")?,
        status: row.get("status")?,
        created_at: row.get("created_at_ms")?,
        created_by: row.get("created_by")?,
        updated_at: row.get("updated_at_ms")?,
        version: row.get("version")?,
        events: Vec::new(),
        order_ids: Vec::new(),
        expires_at: row.get("expires_at_ms")?,
        draft: NewDraft {
            currency: row.get("currency")?,
            order_name: row.get("order_name")?,
            store_id: row.get("store_id")?,
            items: Vec::new(),
            unnumbered: Vec::new(),
            options: DraftOptions {
                generate_order_id: row.get("generate_order_id")?,
                split_draft: row.get("split_draft")?,
                multiple_authorizations: row.get("multiple_authorizations")?,
                amends: row.get("amends")?,
                replaces: row.get("replaces")?,
                time_to_live: row.get("lives_s")?,
            },
            document: row.get("document")?,
            store_document: row.get("store_document")?,
            options_document: row.get("options_document")?,
        },
    })
}
