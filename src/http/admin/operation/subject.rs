//! What an operation's form is about.

use crate::domain::ids::ResourceId;
use crate::domain::line::Line;
use crate::domain::operation::OperationKind;
use crate::http::admin::order::read::OrderRead;
use crate::store::OrderRecord;

/// What a form is about: the kind of operation and its order.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub kind: OperationKind,
    pub loaded: &'a OrderRead,
    pub order: &'a OrderRecord,
    pub time_zone: &'a str,
    /// The authorization that the operation is booked under, on orders with several.
    pub authorization_id: Option<&'a ResourceId>,
}

impl Subject<'_> {
    /// What an operation of this kind may take from a line now, as a magnitude.
    pub fn available(&self, line: &Line) -> u64 {
        let several = self.order.ledger.multiple_authorizations;
        if several && self.kind != OperationKind::Authorization && self.authorization_id.is_none() {
            return 0;
        }
        line.available(self.kind, self.authorization_id)
    }
}
