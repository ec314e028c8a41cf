//! A draft: an order that is still being put together (docs/contract.md, Decision 6).

use super::ids::OrderName;

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

/// The options of a draft that act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftOptions {
    pub generate_order_id: GenerateOrderId,
    /// Whether items of different stores become different orders.
    pub split_draft: bool,
    pub multiple_authorizations: bool,
    /// The order that the draft changes, in place of making any.
    pub amends: Option<OrderName>,
    /// Whether that order's items and fields are replaced, in place of being added to.
    pub replaces: bool,
}

impl Default for DraftOptions {
    fn default() -> DraftOptions {
        DraftOptions {
            generate_order_id: GenerateOrderId::default(),
            split_draft: true,
            multiple_authorizations: false,
            amends: None,
            replaces: false,
        }
    }
}

/// Why a draft cannot be changed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftClosed {
    Completed,
    Deleted,
}

/// An error unless the draft is still being put together.
pub fn expect_open(status: DraftStatus) -> Result<(), DraftClosed> {
    match status {
        DraftStatus::Open => Ok(()),
        DraftStatus::Completed => Err(DraftClosed::Completed),
        DraftStatus::Deleted => Err(DraftClosed::Deleted),
    }
}

/// Why a draft does not become an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionRejected {
    Closed(DraftClosed),
    NoItems,
}

/// What completing a draft means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// An order for each of these lists of items, which are positions in the draft.
    MakeOrders(Vec<Vec<usize>>),
    /// The items are added to that order.
    AddTo(OrderName),
    /// The items and fields take the place of that order's.
    Replace(OrderName),
}

/// What completing a draft means. `store_ids` has one entry an item: the item's own store, or else
/// the one of the draft.
pub fn decide_completion<'a>(
    status: DraftStatus,
    options: &DraftOptions,
    store_ids: impl IntoIterator<Item = Option<&'a str>>,
) -> Result<Completion, CompletionRejected> {
    expect_open(status).map_err(CompletionRejected::Closed)?;
    let stores: Vec<Option<&str>> = store_ids.into_iter().collect();
    if stores.is_empty() {
        return Err(CompletionRejected::NoItems);
    }
    Ok(match (&options.amends, options.replaces, options.split_draft) {
        (Some(order), true, _) => Completion::Replace(order.clone()),
        (Some(order), false, _) => Completion::AddTo(order.clone()),
        (None, _, false) => Completion::MakeOrders(vec![(0..stores.len()).collect()]),
        (None, _, true) => Completion::MakeOrders(by_store(&stores)),
    })
}

/// The positions of each store's items, in the order in which the stores come first.
fn by_store(stores: &[Option<&str>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
    for (at, store) in stores.iter().enumerate() {
        match groups.iter_mut().find(|(known, _)| known == store) {
            Some((_, positions)) => positions.push(at),
            None => groups.push((*store, vec![at])),
        }
    }
    groups.into_iter().map(|(_, positions)| positions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_becomes_an_order_a_store_or_one_or_changes_one() {
        let options = |split_draft, amends: Option<&str>, replaces| DraftOptions {
            split_draft,
            amends: amends.and_then(OrderName::parse),
            replaces,
            ..DraftOptions::default()
        };
        let decide = |options: DraftOptions, stores: &[Option<&'static str>]| {
            decide_completion(DraftStatus::Open, &options, stores.iter().copied())
        };
        let (a, b) = (Some("a"), Some("b"));
        let split = |stores: &[Option<&'static str>]| decide(options(true, None, false), stores);
        let orders = |groups: &[&[usize]]| {
            Ok(Completion::MakeOrders(groups.iter().map(|group| group.to_vec()).collect()))
        };
        assert_eq!(split(&[None, None]), orders(&[&[0, 1]]));
        assert_eq!(split(&[b, a, b, None]), orders(&[&[0, 2], &[1], &[3]]));
        assert_eq!(decide(options(false, None, false), &[a, b]), orders(&[&[0, 1]]));
        let order = OrderName::parse("A").unwrap();
        let amended = decide(options(true, Some("A"), false), &[a, b]);
        assert_eq!(amended, Ok(Completion::AddTo(order.clone())));
        assert_eq!(decide(options(true, Some("A"), true), &[a]), Ok(Completion::Replace(order)));
        assert_eq!(split(&[]), Err(CompletionRejected::NoItems));
        for (status, closed) in [
            (DraftStatus::Completed, DraftClosed::Completed),
            (DraftStatus::Deleted, DraftClosed::Deleted),
        ] {
            let refused = decide_completion(status, &DraftOptions::default(), [None]);
            assert_eq!(refused, Err(CompletionRejected::Closed(closed)));
        }
    }

    #[test]
    fn generated_ids_have_no_letter_that_is_misread() {
        assert!(b"ILO01".iter().all(|letter| !ORDER_ID_ALPHABET.contains(letter)));
        assert!(ORDER_ID_ALPHABET.iter().all(u8::is_ascii_alphanumeric));
    }
}
