//! Changing an order's descriptive fields. Lines and money stay as they are.

use std::borrow::Cow;

use super::documents::ParsedOrder;
use super::findable::index_order;
use super::order_change::{ChangeProblem, ChangedOrder, OrderChange, apply};
use super::{OnBehalfOf, WrittenOrder};
use crate::domain::KeptJson;
use crate::domain::ids::{AccountId, OrderName, OrderSeq};
use crate::domain::item::Item;
use crate::domain::order_size::{TooLarge, bytes_of};
use crate::domain::time_to_live::TimeToLive;
use crate::json::Tree;
use crate::store::{
    Failed, LedgerRecord, NewApiEvent, OrderFields, Reader, StoreError, Tx, WriteCommand,
};

/// Changes the fields that were sent. The order may have any status.
#[derive(Debug, Clone)]
pub struct UpdateOrder {
    pub on_behalf_of: OnBehalfOf,
    pub order: OrderName,
    pub change: OrderChange,
    /// `options.multiple_authorizations`, if it was sent.
    pub multiple_authorizations: Option<bool>,
    /// `options.order_time_to_live`, if it was sent; `null` removes it.
    pub time_to_live: Option<Option<TimeToLive>>,
    /// The request, as it is shown in the order's history.
    pub event: NewApiEvent,
    /// The documents from [`UpdateOrder::make`], of the order as it was before the writer's turn.
    pub made: Option<MadeUpdate>,
}

/// The documents of an order before and after a change.
#[derive(Debug, Clone)]
pub struct MadeUpdate {
    order_seq: OrderSeq,
    before: OrderFields,
    after: Result<(ChangedOrder, DocumentTexts), Vec<ChangeProblem>>,
}

#[derive(Debug)]
pub enum UpdateOrderRefused {
    OrderNotFound,
    /// The request is invalid. 400.
    Problems(Vec<ChangeProblem>),
    /// `multiple_authorizations` cannot change once there are payment operations.
    HasPaymentOperations,
    /// With this `order_time_to_live` the order would have expired before now.
    TimeToLivePassed,
    TooLarge(TooLarge),
}

impl WriteCommand for UpdateOrder {
    const NAME: &'static str = "update_order";
    type Done = WrittenOrder;
    type Refused = UpdateOrderRefused;

    fn account(&self) -> Option<&AccountId> {
        Some(&self.on_behalf_of.account_id)
    }

    fn run(&self, tx: &Tx<'_>) -> Result<WrittenOrder, Failed<UpdateOrderRefused>> {
        let OnBehalfOf { account_id, created_by } = &self.on_behalf_of;
        let found = tx.find_ledger(account_id, &self.order)?;
        let record = found.ok_or(Failed::Refused(UpdateOrderRefused::OrderNotFound))?;
        let fields = tx.load_order_fields(record.order_seq)?;
        let made = match &self.made {
            Some(made) if made.order_seq == record.order_seq && made.before == fields => {
                Cow::Borrowed(made)
            }
            // Another change came between.
            _ => Cow::Owned(MadeUpdate::of(&record, fields, &self.change)),
        };
        let fields = &made.before;
        let (changed, texts) = made
            .after
            .as_ref()
            .map_err(|why| Failed::Refused(UpdateOrderRefused::Problems(why.clone())))?;
        let allowed = record.ledger.multiple_authorizations;
        let switched = self.multiple_authorizations.filter(|asked| *asked != allowed);
        if switched.is_some() && tx.has_operations(&record)? {
            return Err(Failed::Refused(UpdateOrderRefused::HasPaymentOperations));
        }
        let time_to_live = self.changed_time_to_live(tx, &record)?;
        let added = self.event.bytes() + texts.bytes_added(fields, changed);
        let grown = tx.load_order_size(&record)?.grow(added);
        let bytes = grown.map_err(|why| Failed::Refused(UpdateOrderRefused::TooLarge(why)))?;

        // Nothing is refused from here on.
        self.write_documents(tx, &record, fields, (changed, texts))?;
        let head = tx.append_api_event(&record, created_by, None, &self.event)?;
        tx.remember_order_bytes(&record, &head, bytes)?;
        if let Some(changed) = time_to_live {
            tx.set_order_time_to_live(&record, changed)?;
        }
        match switched {
            Some(asked) => tx.update_multiple_authorizations(asked, head)?,
            None => tx.update_last_event(head)?,
        }
        Ok(WrittenOrder { order_seq: record.order_seq, order_id: record.order_id })
    }
}

impl UpdateOrder {
    /// Makes the documents before the writer's turn: long ones take longer than many operations,
    /// which would wait for them.
    pub fn make(mut self, reader: &Reader<'_>) -> Result<UpdateOrder, StoreError> {
        let found = reader.find_ledger(&self.on_behalf_of.account_id, &self.order)?;
        // The writer's turn refuses the change of an unknown order.
        if let Some(record) = found {
            let fields = reader.load_order_fields(record.order_seq)?;
            self.made = Some(MadeUpdate::of(&record, fields, &self.change));
        }
        Ok(self)
    }

    /// The order's new time to live, if the request changes it. Refuses one that has passed.
    fn changed_time_to_live(
        &self,
        tx: &Tx<'_>,
        record: &LedgerRecord,
    ) -> Result<Option<Option<TimeToLive>>, Failed<UpdateOrderRefused>> {
        let Some(sent) = self.time_to_live else { return Ok(None) };
        let before = tx.find_order_expiry(record.order_seq)?.map(|it| it.time_to_live);
        if sent == before {
            return Ok(None);
        }
        match sent {
            Some(sent) if tx.has_order_lived(record.order_seq, sent)? => {
                Err(Failed::Refused(UpdateOrderRefused::TimeToLivePassed))
            }
            sent => Ok(Some(sent)),
        }
    }

    /// Writes the changed documents and indexes the order again.
    fn write_documents(
        &self,
        tx: &Tx<'_>,
        record: &LedgerRecord,
        before: &OrderFields,
        (after, texts): (&ChangedOrder, &DocumentTexts),
    ) -> Result<(), StoreError> {
        let account_id = &self.on_behalf_of.account_id;
        let order_seq = record.order_seq;
        tx.update_order_documents(order_seq, &texts.document, &texts.options_document)?;
        let pairs = before.items.iter().zip(&after.items);
        for (_, item) in pairs.filter(|(before, after)| before.document != after.document) {
            tx.update_item_document(order_seq, item)?;
        }
        let items = after.items.iter().zip(&after.item_documents).collect();
        let parsed = ParsedOrder { document: &after.document, items };
        index_order(tx, account_id, order_seq, &record.order_id, &parsed)
    }
}

impl MadeUpdate {
    fn of(record: &LedgerRecord, before: OrderFields, change: &OrderChange) -> MadeUpdate {
        let after = apply(record, &before, change).map(|changed| {
            let texts = DocumentTexts::of(&changed);
            (changed, texts)
        });
        MadeUpdate { order_seq: record.order_seq, before, after }
    }
}

/// The documents of a changed order as they are stored.
#[derive(Debug, Clone)]
struct DocumentTexts {
    document: KeptJson,
    options_document: KeptJson,
}

impl DocumentTexts {
    fn of(changed: &ChangedOrder) -> DocumentTexts {
        let kept = |tree: &Tree| KeptJson(tree.to_string());
        DocumentTexts {
            document: kept(&changed.document),
            options_document: kept(&changed.options_document),
        }
    }

    /// How many bytes longer the documents are than before; negative if they are shorter.
    fn bytes_added(&self, before: &OrderFields, after: &ChangedOrder) -> i64 {
        let items = |items: &[Item]| items.iter().map(|item| bytes_of(&item.document.0)).sum();
        let sum = |document: &KeptJson, options: &KeptJson, items: i64| {
            bytes_of(&document.0) + bytes_of(&options.0) + items
        };
        sum(&self.document, &self.options_document, items(&after.items))
            - sum(&before.document, &before.options_document, items(&before.items))
    }
}
