//! The order id of a draft: custom, or generated and reserved for it.

use crate::domain::draft::{GenerateOrderId, ORDER_ID_ALPHABET, ORDER_ID_CHARS};
use crate::domain::ids::{AccountId, DraftSeq, OrderName};
use crate::randomness::Randomness;
use crate::store::{Failed, NewDraft, StoreError, Tx};

/// How many generated order ids are tried. With 31^9 possible ids even one collision is rare.
const NAME_DRAWS_MAX: u32 = 100;

/// The order id of a draft after it was created or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameChoice {
    /// A custom id or no id. An id that was reserved for the draft is released.
    Own(Option<OrderName>),
    /// The id that was already reserved for the draft.
    Kept(OrderName),
    /// A newly generated id, to be reserved.
    Reserved(OrderName),
}

#[derive(Debug)]
pub enum NameRefused {
    /// The id belongs to another order or draft.
    Taken(OrderName),
}

impl NameChoice {
    /// The id that the draft's order will have, if it is known already.
    pub fn name(&self) -> Option<&OrderName> {
        match self {
            Self::Own(name) => name.as_ref(),
            Self::Kept(name) | Self::Reserved(name) => Some(name),
        }
    }
}

/// Decides on the draft's order id. `kept` is the id already reserved for the draft.
pub fn choose_name(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft: &NewDraft,
    kept: Option<&OrderName>,
) -> Result<NameChoice, Failed<NameRefused>> {
    let reserves = draft.options.generate_order_id == GenerateOrderId::Alphanumeric9Reserve;
    match (&draft.order_name, kept) {
        (Some(own), Some(kept)) if own == kept => Ok(NameChoice::Kept(kept.clone())),
        (Some(own), _) if tx.is_name_taken(account_id, own)? => {
            Err(Failed::Refused(NameRefused::Taken(own.clone())))
        }
        (Some(own), _) => Ok(NameChoice::Own(Some(own.clone()))),
        (None, Some(kept)) => Ok(NameChoice::Kept(kept.clone())),
        (None, None) if reserves => Ok(NameChoice::Reserved(free_generated_name(tx, account_id)?)),
        (None, None) => Ok(NameChoice::Own(None)),
    }
}

/// Reserves or releases order ids as decided by [`choose_name`].
pub fn hold_name(
    tx: &Tx<'_>,
    account_id: &AccountId,
    draft_seq: DraftSeq,
    choice: &NameChoice,
    kept: Option<&OrderName>,
) -> Result<(), StoreError> {
    match (choice, kept) {
        (NameChoice::Reserved(name), _) => tx.reserve_name(account_id, name, draft_seq),
        (NameChoice::Own(_), Some(kept)) => tx.release_name(account_id, kept, draft_seq),
        (NameChoice::Own(_), None) | (NameChoice::Kept(_), _) => Ok(()),
    }
}

/// Generates an order id that no order or draft of the account has.
pub fn free_generated_name(tx: &Tx<'_>, account_id: &AccountId) -> Result<OrderName, StoreError> {
    for _ in 0..NAME_DRAWS_MAX {
        let name = parse_name(&generate_name(tx.randomness()))?;
        if !tx.is_name_taken(account_id, &name)? {
            return Ok(name);
        }
    }
    Err(StoreError::inconsistent("no generated order id is free"))
}

/// Parses an id that Tillbook generated, which is always a valid name.
pub fn parse_name(text: &str) -> Result<OrderName, StoreError> {
    OrderName::parse(text)
        .ok_or_else(|| StoreError::inconsistent("a generated id is not a valid name"))
}

fn generate_name(randomness: &Randomness) -> String {
    let letter = || {
        let drawn = randomness.below(ORDER_ID_ALPHABET.len());
        char::from(ORDER_ID_ALPHABET[drawn])
    };
    (0..ORDER_ID_CHARS).map(|_| letter()).collect()
}
