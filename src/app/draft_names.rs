//! The order id that a draft holds: its own, or one that was drawn and kept for it.

use crate::domain::draft::{GenerateOrderId, ORDER_ID_ALPHABET, ORDER_ID_CHARS};
use crate::domain::ids::{AccountId, DraftSeq, OrderName};
use crate::randomness::Randomness;
use crate::store::{Failed, NewDraft, StoreError, Tx};

/// Draws of a generated order id before it is given up; 31^9 ids make one repeat a rarity.
const NAME_DRAWS_MAX: u32 = 100;

/// What becomes of the order id of a draft that is made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameChoice {
    /// Its own, or none; what was kept for it is free again.
    Own(Option<OrderName>),
    /// The one that is kept for it already.
    Kept(OrderName),
    /// One that is to be kept for it from now on.
    Reserved(OrderName),
}

/// Why a draft cannot have the order id that it asks for.
#[derive(Debug)]
pub enum NameRefused {
    /// Another order, or a draft, has it.
    Taken(OrderName),
}

impl NameChoice {
    /// The order id that the draft's order will have, as far as that is known.
    pub fn name(&self) -> Option<&OrderName> {
        match self {
            Self::Own(name) => name.as_ref(),
            Self::Kept(name) | Self::Reserved(name) => Some(name),
        }
    }
}

/// Chooses; `kept` is the order id that is kept for the draft.
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

/// Writes down what was chosen.
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

/// A generated order id that no order and no draft of the account has.
pub fn free_generated_name(tx: &Tx<'_>, account_id: &AccountId) -> Result<OrderName, StoreError> {
    for _ in 0..NAME_DRAWS_MAX {
        let name = parse_name(&generate_name(tx.randomness()))?;
        if !tx.is_name_taken(account_id, &name)? {
            return Ok(name);
        }
    }
    Err(StoreError::inconsistent("no generated order id is free"))
}

/// A name out of an id of ours.
pub fn parse_name(text: &str) -> Result<OrderName, StoreError> {
    OrderName::parse(text).ok_or_else(|| StoreError::inconsistent("an id of ours is no name"))
}

fn generate_name(randomness: &Randomness) -> String {
    let letter = || {
        let drawn = randomness.below(ORDER_ID_ALPHABET.len());
        char::from(ORDER_ID_ALPHABET[drawn])
    };
    (0..ORDER_ID_CHARS).map(|_| letter()).collect()
}
