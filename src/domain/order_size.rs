//! How large an order or a draft may grow (docs/contract.md, Decision 3).

/// The most bytes of an order, or of a draft.
pub const BYTES_MAX: i64 = 8 << 20;

/// The most events of an order, or of a draft.
pub const EVENTS_MAX: i64 = 20_000;

/// Events that an order may have before payment operations are refused: a payment that has happened
/// must be recorded even if the order is full otherwise.
pub const EVENTS_WITH_OPERATIONS_MAX: i64 = 50_000;

/// Bytes of an order before payment operations with long documents are refused.
pub const BYTES_WITH_OPERATIONS_MAX: i64 = 4 * BYTES_MAX;

/// A payment operation whose document is at most this long is counted as an event only, so that
/// recording an ordinary capture keeps no count of bytes.
pub const UNCOUNTED_OPERATION_BYTES_MAX: usize = 1 << 10;

/// The size of an order or a draft before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub events: i64,
    pub bytes: i64,
}

/// The limit that a change would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLarge {
    Bytes,
    Events,
}

impl Size {
    /// Adds an event and bytes; returns the new number of bytes. `bytes` is negative if the change
    /// removes more than it adds; such a change is never refused for the bytes.
    pub fn grow(self, bytes: i64) -> Result<i64, TooLarge> {
        if EVENTS_MAX <= self.events {
            return Err(TooLarge::Events);
        }
        self.grow_bytes(bytes, BYTES_MAX)
    }

    /// Like [`Size::grow`] for a change that is never refused for the events, because it can be
    /// made only once for each thing that was added: deleting a comment, deleting a draft.
    pub fn grow_beyond_events(self, bytes: i64) -> Result<i64, TooLarge> {
        self.grow_bytes(bytes, BYTES_MAX)
    }

    /// Like [`Size::grow`] for a payment operation with a document of `bytes` that count.
    pub fn grow_by_operation(self, bytes: i64) -> Result<i64, TooLarge> {
        if EVENTS_WITH_OPERATIONS_MAX <= self.events {
            return Err(TooLarge::Events);
        }
        self.grow_bytes(bytes, BYTES_WITH_OPERATIONS_MAX)
    }

    fn grow_bytes(self, bytes: i64, bytes_max: i64) -> Result<i64, TooLarge> {
        let grown = self.bytes.saturating_add(bytes);
        if 0 < bytes && bytes_max < grown { Err(TooLarge::Bytes) } else { Ok(grown) }
    }
}

/// The length of a text, as the sizes here count it.
pub fn bytes_of(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// The bytes of a payment operation's document that count.
pub fn counted_bytes(document: &str) -> i64 {
    if document.len() <= UNCOUNTED_OPERATION_BYTES_MAX { 0 } else { bytes_of(document) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_fits_up_to_each_limit_and_not_beyond() {
        let size = |events, bytes| Size { events, bytes };
        assert_eq!(size(EVENTS_MAX - 1, BYTES_MAX - 5).grow(5), Ok(BYTES_MAX));
        assert_eq!(size(EVENTS_MAX - 1, BYTES_MAX - 5).grow(6), Err(TooLarge::Bytes));
        assert_eq!(size(EVENTS_MAX, 0).grow(0), Err(TooLarge::Events));
        assert_eq!(size(0, 2 * BYTES_MAX).grow(-1), Ok(2 * BYTES_MAX - 1));
        assert_eq!(size(EVENTS_MAX, BYTES_MAX).grow_beyond_events(-9), Ok(BYTES_MAX - 9));
        assert_eq!(size(EVENTS_MAX, BYTES_MAX).grow_beyond_events(1), Err(TooLarge::Bytes));
        let last = EVENTS_WITH_OPERATIONS_MAX - 1;
        assert_eq!(size(last, BYTES_MAX).grow_by_operation(2_000), Ok(BYTES_MAX + 2_000));
        assert_eq!(size(last + 1, 0).grow_by_operation(0), Err(TooLarge::Events));
        let full = size(0, BYTES_WITH_OPERATIONS_MAX);
        assert_eq!(full.grow_by_operation(1), Err(TooLarge::Bytes));
        assert_eq!(full.grow_by_operation(0), Ok(BYTES_WITH_OPERATIONS_MAX));
    }
}
