//! The newest event of an order, between being appended and being written into its ledger.

use crate::domain::ids::{EventSeq, OrderSeq};

/// An event that was appended to an order's history, which the order's ledger does not name yet.
///
/// Only appending an event makes one, and every update of a ledger takes one: an event that its
/// ledger does not name would be lost, since a history is read from the ledger back. So a command
/// that forgets either does not compile.
#[derive(Debug)]
#[must_use = "the order's ledger must name its newest event"]
pub struct NewHead {
    pub(super) order_seq: OrderSeq,
    pub(super) event_seq: EventSeq,
}

impl NewHead {
    /// The event.
    pub fn event_seq(&self) -> EventSeq {
        self.event_seq
    }
}
