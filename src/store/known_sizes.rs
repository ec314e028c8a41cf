//! The bytes of orders that the writer remembers from one transaction to the next.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::domain::ids::{EventSeq, OrderSeq};

/// The most orders whose bytes are remembered; beyond it all are forgotten.
const ORDERS_MAX: usize = 10_000;

/// The bytes of an order when an event was its newest.
///
/// The event may have been rolled back, and another may have its number. So the bytes are valid
/// only while that row has an event of this id.
#[derive(Debug, Clone)]
pub(in crate::store) struct KnownSize {
    pub event_seq: EventSeq,
    pub event_id: String,
    pub bytes: i64,
}

#[derive(Debug, Default)]
pub(in crate::store) struct KnownSizes(RefCell<HashMap<OrderSeq, KnownSize>>);

impl KnownSizes {
    pub fn find(&self, order_seq: OrderSeq) -> Option<KnownSize> {
        self.0.borrow().get(&order_seq).cloned()
    }

    pub fn remember(&self, order_seq: OrderSeq, known: KnownSize) {
        let mut orders = self.0.borrow_mut();
        if ORDERS_MAX <= orders.len() {
            orders.clear();
        }
        orders.insert(order_seq, known);
    }
}
