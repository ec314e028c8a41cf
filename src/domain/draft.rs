//! A draft: an order that is still being put together (contract, Decision 6).

use std::collections::BTreeSet;

/// Where a draft stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftStatus {
    Open,
    Completed,
    Deleted,
}

impl DraftStatus {
    /// All of them.
    pub const ALL: [DraftStatus; 3] = [Self::Open, Self::Completed, Self::Deleted];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
        }
    }

    /// The status whose word this is.
    pub fn parse(word: &str) -> Option<DraftStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// How an order without a custom `order_id` gets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GenerateOrderId {
    /// The order's `id`.
    #[default]
    Uuid,
    /// Nine characters, drawn when the draft is completed.
    Alphanumeric9,
    /// Nine characters, drawn when the draft is made and kept for it.
    Alphanumeric9Reserve,
}

impl GenerateOrderId {
    /// All of them.
    pub const ALL: [GenerateOrderId; 3] =
        [Self::Uuid, Self::Alphanumeric9, Self::Alphanumeric9Reserve];

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "UUID",
            Self::Alphanumeric9 => "ALPHANUMERIC_9",
            Self::Alphanumeric9Reserve => "ALPHANUMERIC_9_RESERVE",
        }
    }

    /// The way whose word this is.
    pub fn parse(word: &str) -> Option<GenerateOrderId> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }
}

/// What a generated order id is made of: A-Z and 2-9 without I, L, O, 0 and 1, which people
/// misread.
pub const ORDER_ID_ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/// Characters of a generated order id.
pub const ORDER_ID_CHARS: usize = 9;

/// The options of a draft that act today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftOptions {
    pub generate_order_id: GenerateOrderId,
    /// Whether items of different stores become different orders.
    pub split_draft: bool,
    pub multiple_authorizations: bool,
}

impl Default for DraftOptions {
    fn default() -> DraftOptions {
        DraftOptions {
            generate_order_id: GenerateOrderId::default(),
            split_draft: true,
            multiple_authorizations: false,
        }
    }
}

/// Why a draft does not become an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionRejected {
    Completed,
    Deleted,
    NoItems,
    /// It would have to become an order per store, which is not served yet.
    NeedsSplitting,
}

/// Whether a draft may become one order. `store_ids` has one entry an item: the item's own
/// store, or else the one of the draft.
pub fn decide_completion<'a>(
    status: DraftStatus,
    split_draft: bool,
    store_ids: impl IntoIterator<Item = Option<&'a str>>,
) -> Result<(), CompletionRejected> {
    match status {
        DraftStatus::Completed => return Err(CompletionRejected::Completed),
        DraftStatus::Deleted => return Err(CompletionRejected::Deleted),
        DraftStatus::Open => {}
    }
    let stores: BTreeSet<Option<&str>> = store_ids.into_iter().collect();
    if stores.is_empty() {
        return Err(CompletionRejected::NoItems);
    }
    if split_draft && 1 < stores.len() {
        return Err(CompletionRejected::NeedsSplitting);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_open_draft_with_items_of_one_store_is_completed() {
        use CompletionRejected::*;
        let decide = |status, split, stores: &[Option<&'static str>]| {
            decide_completion(status, split, stores.iter().copied())
        };
        assert_eq!(decide(DraftStatus::Open, true, &[None, None]), Ok(()));
        assert_eq!(decide(DraftStatus::Open, true, &[Some("a"), Some("a")]), Ok(()));
        assert_eq!(decide(DraftStatus::Open, false, &[Some("a"), Some("b")]), Ok(()));
        assert_eq!(decide(DraftStatus::Open, true, &[Some("a"), None]), Err(NeedsSplitting));
        assert_eq!(decide(DraftStatus::Open, true, &[]), Err(NoItems));
        assert_eq!(decide(DraftStatus::Completed, true, &[None]), Err(Completed));
        assert_eq!(decide(DraftStatus::Deleted, true, &[None]), Err(Deleted));
    }

    #[test]
    fn generated_ids_have_no_letter_that_is_misread() {
        assert!(b"ILO01".iter().all(|letter| !ORDER_ID_ALPHABET.contains(letter)));
        assert!(ORDER_ID_ALPHABET.iter().all(u8::is_ascii_alphanumeric));
    }
}
