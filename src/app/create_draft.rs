//! Making a draft.

use super::OnBehalfOf;
use super::complete_draft::free_generated_name;
use super::findable::index_draft;
use crate::domain::draft::GenerateOrderId;
use crate::domain::ids::OrderName;
use crate::store::{DraftRecord, NewDraft, Refusal, StoreError, Tx, WriteCommand};

/// Makes an open draft, with an order id reserved for it where that was asked.
#[derive(Debug, Clone)]
pub struct CreateDraft {
    pub on_behalf_of: OnBehalfOf,
    pub draft: NewDraft,
}

/// Why it was not made.
#[derive(Debug)]
pub enum CreateDraftRefused {
    /// Another order, or a draft, has the custom order id.
    OrderIdTaken(OrderName),
    Store(StoreError),
}

impl WriteCommand for CreateDraft {
    const NAME: &'static str = "create_draft";
    type Done = DraftRecord;
    type Refused = CreateDraftRefused;

    fn run(&self, tx: &Tx<'_>) -> Result<DraftRecord, CreateDraftRefused> {
        let account_id = &self.on_behalf_of.account_id;
        let mut draft = self.draft.clone();
        if let Some(name) = &draft.order_name
            && tx.is_name_taken(account_id, name)?
        {
            return Err(CreateDraftRefused::OrderIdTaken(name.clone()));
        }
        let reserves = draft.options.generate_order_id == GenerateOrderId::Alphanumeric9Reserve;
        let reserved = if reserves && draft.order_name.is_none() {
            Some(free_generated_name(tx, account_id)?)
        } else {
            None
        };
        draft.order_name = draft.order_name.or(reserved.clone());
        let id = tx.randomness().uuid();
        let draft_seq = tx.insert_draft(account_id, &id, &self.on_behalf_of.created_by, &draft)?;
        if let Some(name) = &reserved {
            tx.reserve_name(account_id, name, draft_seq)?;
        }
        index_draft(tx, account_id, draft_seq, &draft)?;
        let made = tx.find_draft(account_id, &id)?;
        Ok(made.ok_or_else(|| StoreError::inconsistent("a draft just written is not there"))?)
    }
}

impl From<StoreError> for CreateDraftRefused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refusal for CreateDraftRefused {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::OrderIdTaken(_) => None,
        }
    }
}
