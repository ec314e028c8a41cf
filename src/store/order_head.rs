//! An order's newest event, from being appended until its ledger names it.

use crate::domain::ids::{EventSeq, OrderSeq};

/// An appended event that the order's ledger does not name yet. An order's history is read from its
/// ledger back, so an event that the ledger does not name would be lost. Only appending makes a
/// head and every ledger update takes one, so a command that forgets either does not compile.
#[derive(Debug)]
#[must_use = "the order's ledger must name its newest event"]
pub struct NewHead {
    pub(super) order_seq: OrderSeq,
    pub(super) event_seq: EventSeq,
}

impl NewHead {
    pub fn event_seq(&self) -> EventSeq {
        self.event_seq
    }
}
