//! Drafts: orders that are not completed yet (docs/contract.md, Decision 6).

use super::ids::OrderName;
use super::time_to_live::TimeToLive;

/// A draft's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftStatus {
    Open,
    Completed,
    Deleted,
}

impl DraftStatus {
    pub const ALL: [DraftStatus; 3] = [Self::Open, Self::Completed, Self::Deleted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
        }
    }

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
    /// Nine characters, drawn and reserved when the draft is made.
    Alphanumeric9Reserve,
}

impl GenerateOrderId {
    pub const ALL: [GenerateOrderId; 3] =
        [Self::Uuid, Self::Alphanumeric9, Self::Alphanumeric9Reserve];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "UUID",
            Self::Alphanumeric9 => "ALPHANUMERIC_9",
            Self::Alphanumeric9Reserve => "ALPHANUMERIC_9_RESERVE",
        }
    }

    pub fn parse(word: &str) -> Option<GenerateOrderId> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }
}

/// Characters of generated order ids: A-Z and 2-9 without I, L, O, 0 and 1, which people misread.
pub const ORDER_ID_ALPHABET: &[u8; 31] = b"ABCDEFGHJKMNPQRSTUVWXYZ23456789";

/// Length of a generated order id.
pub const ORDER_ID_CHARS: usize = 9;

/// The options of a draft that have an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftOptions {
    pub generate_order_id: GenerateOrderId,
    /// Whether each store's items become an order of their own.
    pub split_draft: bool,
    pub multiple_authorizations: bool,
    /// The order that completing the draft changes; if `None`, completing it makes orders.
    pub amends: Option<OrderName>,
    /// Whether the draft replaces that order's items and fields, instead of adding items.
    pub replaces: bool,
    pub time_to_live: Option<TimeToLive>,
}

impl Default for DraftOptions {
    fn default() -> DraftOptions {
        DraftOptions {
            generate_order_id: GenerateOrderId::default(),
            split_draft: true,
            multiple_authorizations: false,
            amends: None,
            replaces: false,
            time_to_live: None,
        }
    }
}

/// Why a draft can no longer be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftClosed {
    Completed,
    Deleted,
}

/// Refuses a draft that is completed or deleted.
pub fn expect_open(status: DraftStatus) -> Result<(), DraftClosed> {
    match status {
        DraftStatus::Open => Ok(()),
        DraftStatus::Completed => Err(DraftClosed::Completed),
        DraftStatus::Deleted => Err(DraftClosed::Deleted),
    }
}

/// Why a draft cannot be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionRejected {
    Closed(DraftClosed),
    NoItems,
}

/// What completing a draft does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// Makes an order of each list of items. Items are positions in the draft.
    MakeOrders(Vec<Vec<usize>>),
    /// Adds the items to this order.
    AddTo(OrderName),
    /// Replaces this order's items and fields.
    Replace(OrderName),
}

/// Decides what completing a draft does. `store_ids` has one entry per item: the item's own store,
/// or else the draft's.
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

/// The positions of each store's items, in the order in which the stores first appear.
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
    fn a_draft_becomes_one_order_or_one_per_store_or_changes_an_order() {
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
    fn generated_ids_avoid_letters_that_are_misread() {
        assert!(b"ILO01".iter().all(|letter| !ORDER_ID_ALPHABET.contains(letter)));
        assert!(ORDER_ID_ALPHABET.iter().all(u8::is_ascii_alphanumeric));
    }
}
