//! The notice on an order's page right after an operation was recorded by hand.

use super::read::OrderRead;
use crate::domain::ids::ResourceId;
use crate::domain::operation::{Operation, OperationKind};
use crate::http::admin::operation::words::{Words, right};
use crate::http::admin::visitor::Staff;
use crate::http::admin::words::{self, money};
use crate::store::EventRecord;

/// A notice about one operation of the order.
pub struct Recorded {
    pub what: String,
    /// A sentence on the money that stays reserved or is left to capture; empty without such money.
    pub rest: String,
    /// The form that releases it; empty when nothing is reserved or the role may not release.
    pub release_href: String,
}

/// The notice about the operation of this id; `None` when the order does not have it.
pub fn recorded(loaded: &OrderRead, staff: &Staff, id: &str, self_href: &str) -> Option<Recorded> {
    let order = &loaded.order;
    let mut operations = order.events.iter().filter_map(EventRecord::operation);
    let operation = operations.find(|operation| operation.id.as_str() == id)?;
    let left = order.ledger.sums().remaining;
    let is_part = operation.kind == OperationKind::Capture && order.ledger.holds();
    let may_release = staff.visitor.role.may(right(OperationKind::Cancellation));
    Some(Recorded {
        what: what(loaded, operation),
        rest: match operation.kind {
            _ if is_part => {
                format!("{} stays reserved.", words::held(&order.currency, &order.ledger))
            }
            OperationKind::Cancellation if order.ledger.holds() => {
                format!("{} stays reserved.", words::held(&order.currency, &order.ledger))
            }
            OperationKind::Capture if left != 0 => {
                format!("{} is left to capture.", money(&order.currency, left))
            }
            _ => String::new(),
        },
        release_href: if is_part && may_release {
            release_href(loaded, operation, self_href)
        } else {
            String::new()
        },
    })
}

fn what(loaded: &OrderRead, operation: &Operation) -> String {
    let order = &loaded.order;
    let sum = words::of_money(&order.currency, operation.amount.minor_units().into());
    let noun = Words::of(operation.kind).noun;
    if !operation.success {
        return format!("Recorded that the gateway refused a {noun}{sum}. No money moved.");
    }
    let status = words::payment_status(&order.ledger, order.payment_status);
    format!("Recorded a {noun}{sum}. The order's payment is now: {status}.")
}

fn release_href(loaded: &OrderRead, operation: &Operation, self_href: &str) -> String {
    let path = format!("{self_href}/{}", OperationKind::Cancellation.plural());
    let holds = |id: &&ResourceId| {
        let lines = &loaded.order.ledger.lines;
        lines.iter().any(|line| 0 < line.available(OperationKind::Cancellation, Some(id)))
    };
    // If this reservation holds nothing any more, the form offers the others to choose from.
    match operation.authorization_id.as_ref().filter(holds) {
        None => format!("{path}?fill=all"),
        Some(id) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("authorization_id", id.as_str()).append_pair("fill", "all");
            format!("{path}?{}", query.finish())
        }
    }
}
