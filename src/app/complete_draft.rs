//! Completing a draft: it becomes an order.

use super::OnBehalfOf;
use super::findable::{index_order, items_of_stores};
use crate::clock::Randomness;
use crate::domain::draft::{
    CompletionRejected, GenerateOrderId, ORDER_ID_ALPHABET, ORDER_ID_CHARS, decide_completion,
};
use crate::domain::ids::{AccountId, OrderName};
use crate::domain::ledger::Ledger;
use crate::domain::line::Line;
use crate::domain::order::OrderStatus;
use crate::store::{
    DraftRecord, NewApiEvent, NewOrder, OrderRecord, Refusal, StoreError, Tx, WriteCommand,
};

/// Draws of a generated order id before it is given up; 31^9 ids make one repeat a rarity.
const NAME_DRAWS_MAX: u32 = 100;

/// Makes the order of a draft, and closes the draft.
#[derive(Debug, Clone)]
pub struct CompleteDraft {
    pub on_behalf_of: OnBehalfOf,
    pub draft_id: String,
    /// The request, as the order's first event shows it.
    pub event: NewApiEvent,
}

/// Why no order was made.
#[derive(Debug)]
pub enum CompleteDraftRefused {
    DraftNotFound,
    Rejected(CompletionRejected),
    /// Another order, or a draft, has the custom order id.
    OrderIdTaken(OrderName),
    Store(StoreError),
}

impl WriteCommand for CompleteDraft {
    const NAME: &'static str = "complete_draft";
    type Done = OrderRecord;
    type Refused = CompleteDraftRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<OrderRecord, CompleteDraftRefused> {
        let account_id = &self.on_behalf_of.account_id;
        let found = tx.find_draft(account_id, &self.draft_id)?;
        let draft = found.ok_or(CompleteDraftRefused::DraftNotFound)?;
        decide_completion(draft.status, draft.draft.options.split_draft, stores(&draft))
            .map_err(CompleteDraftRefused::Rejected)?;
        let id = parse_name(&tx.randomness().uuid())?;
        let order_id = choose_order_id(tx, account_id, &draft, &id)?;

        // Nothing is refused from here on.
        let order = new_order(self, &draft, id, order_id);
        let order_seq = tx.insert_order(&order)?;
        let said = (&order.document, &order.items[..]);
        index_order(tx, account_id, order_seq, &order.order_id, said)?;
        let fresh = tx.find_ledger(account_id, &order.id)?;
        let fresh = fresh.ok_or_else(|| StoreError::inconsistent("a new order is not there"))?;
        let created_by = &self.on_behalf_of.created_by;
        let seq = tx.append_api_event(&fresh, created_by, Some(draft.draft_seq), &self.event)?;
        tx.update_ledger(&fresh, &fresh.ledger, seq)?;
        tx.update_draft_completed(draft.draft_seq)?;
        tx.insert_draft_order(draft.draft_seq, order_seq)?;
        Ok(tx.load_order(account_id, order_seq)?)
    }
}

/// A generated order id that no order and no draft of the account has.
pub(super) fn free_generated_name(
    tx: &Tx<'_>,
    account_id: &AccountId,
) -> Result<OrderName, StoreError> {
    for _ in 0..NAME_DRAWS_MAX {
        let name = parse_name(&generate_name(tx.randomness()))?;
        if !tx.is_name_taken(account_id, &name)? {
            return Ok(name);
        }
    }
    Err(StoreError::inconsistent("no generated order id is free"))
}

fn generate_name(randomness: &Randomness) -> String {
    let letter = || {
        let drawn = randomness.below(ORDER_ID_ALPHABET.len());
        char::from(ORDER_ID_ALPHABET[drawn])
    };
    (0..ORDER_ID_CHARS).map(|_| letter()).collect()
}

/// The custom id, the reserved one, a generated one, or the id itself.
fn choose_order_id(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft: &DraftRecord,
    id: &OrderName,
) -> Result<OrderName, CompleteDraftRefused> {
    match (&draft.draft.order_name, draft.draft.options.generate_order_id) {
        (Some(name), _) if !tx.is_name_free_for(account_id, name, draft.draft_seq)? => {
            Err(CompleteDraftRefused::OrderIdTaken(name.clone()))
        }
        (Some(name), _) => Ok(name.clone()),
        (None, GenerateOrderId::Uuid) => Ok(id.clone()),
        (None, GenerateOrderId::Alphanumeric9 | GenerateOrderId::Alphanumeric9Reserve) => {
            Ok(free_generated_name(tx, account_id)?)
        }
    }
}

fn parse_name(text: &str) -> Result<OrderName, StoreError> {
    OrderName::parse(text).ok_or_else(|| StoreError::inconsistent("an id of ours is no name"))
}

/// The store of each item: its own, or else the draft's.
fn stores(draft: &DraftRecord) -> impl Iterator<Item = Option<&str>> {
    let own_store = draft.draft.store_id.as_deref();
    draft.draft.items.iter().map(move |item| item.store_id.as_deref().or(own_store))
}

fn new_order(
    command: &CompleteDraft,
    draft: &DraftRecord,
    id: OrderName,
    order_id: OrderName,
) -> NewOrder {
    let asked = &draft.draft;
    let mut lines: Vec<Line> =
        asked.items.iter().map(|item| Line::fresh(item.line_id, item.price.payable())).collect();
    lines.sort_by_key(Line::line_id);
    NewOrder {
        account_id: command.on_behalf_of.account_id.clone(),
        id,
        order_id,
        draft_seq: draft.draft_seq,
        currency: asked.currency.clone(),
        created_by: command.on_behalf_of.created_by.clone(),
        items: items_of_stores(asked),
        ledger: Ledger {
            status: OrderStatus::Open,
            multiple_authorizations: asked.options.multiple_authorizations,
            authorizations: Vec::new(),
            lines,
        },
        document: asked.document.clone(),
        options_document: asked.options_document.clone(),
    }
}

impl From<StoreError> for CompleteDraftRefused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refusal for CompleteDraftRefused {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::DraftNotFound | Self::Rejected(_) | Self::OrderIdTaken(_) => None,
        }
    }
}
