//! Recounts a line's sums from nothing but the operations, for `verify` to compare with.
//!
//! It shares no arithmetic with [`line`](super::line), so that a mistake there is found here.

use std::collections::BTreeMap;

use super::ids::{EventSeq, LineId, ResourceId};
use super::line::Sums;
use super::operation::{Operation, OperationKind};

/// The sums of one line, recounted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recounted {
    pub sums: Sums,
    /// Per authorization, in the order of their ids; only with `multiple_authorizations`.
    pub by_authorization: BTreeMap<String, Sums>,
    pub last_moved_by: Option<EventSeq>,
}

/// Recounts every line named by these operations, which must be oldest first. `None` if a sum does
/// not fit 64 bits, which a correct ledger never reaches.
pub fn recount<'a>(
    operations: impl IntoIterator<Item = &'a Operation>,
    multiple_authorizations: bool,
) -> Option<BTreeMap<LineId, Recounted>> {
    let mut lines: BTreeMap<LineId, Recounted> = BTreeMap::new();
    for operation in operations.into_iter().filter(|operation| operation.success) {
        for item in operation.items.iter().filter(|item| item.amount.magnitude() != 0) {
            let line = lines.entry(item.line_id).or_default();
            let amount = item.amount.magnitude();
            if multiple_authorizations {
                let part = line.by_authorization.entry(authorization_of(operation)).or_default();
                count(part, operation.kind, amount)?;
            } else if operation.kind == OperationKind::Capture && line.sums.authorized == 0 {
                line.sums.direct = line.sums.direct.checked_add(amount)?;
            }
            count(&mut line.sums, operation.kind, amount)?;
            line.last_moved_by = Some(operation.seq);
        }
    }
    Some(lines)
}

/// The id of the authorization whose boxes the operation used; an authorization uses its own.
fn authorization_of(operation: &Operation) -> String {
    let id = operation.authorization_id.as_ref().unwrap_or(&operation.id);
    ResourceId::as_str(id).to_owned()
}

fn count(sums: &mut Sums, kind: OperationKind, amount: u64) -> Option<()> {
    let sum = match kind {
        OperationKind::Authorization => &mut sums.authorized,
        OperationKind::Capture => &mut sums.captured,
        OperationKind::Refund => &mut sums.refunded,
        OperationKind::Cancellation => &mut sums.cancelled,
    };
    *sum = sum.checked_add(amount)?;
    Some(())
}
