//! The tabs above the list of orders: the query of each, and its count.

use crate::domain::ids::AccountId;
use crate::domain::order::OrderStatus;
use crate::domain::payment_status::PaymentStatus;
use crate::store::{OrderQuery, Reader, StoreError};

/// Counting stops here, so that a tab costs a bounded number of rows; the tab then shows "999+".
const COUNT_MAX: u32 = 1_000;

/// A tab. `word` names it in the address; an empty list of statuses matches every status.
pub struct TabKind {
    pub word: &'static str,
    pub name: &'static str,
    statuses: &'static [OrderStatus],
    payment_statuses: &'static [PaymentStatus],
    holds: bool,
    /// Shown when the tab has no orders, with what to do then.
    pub empty_title: &'static str,
    pub empty_text: &'static str,
}

/// All tabs in their order on the page. The first is shown when the address names no tab.
pub const TABS: [TabKind; 6] = [
    TabKind {
        word: "all",
        name: "All",
        statuses: &[],
        payment_statuses: &[],
        holds: false,
        empty_title: "No orders yet.",
        empty_text: "Orders arrive through the API. Create a client for your website:",
    },
    // An order is here if any of its lines holds money. The order's sums do not tell: lines of
    // opposite signs can hold money that sums to zero (docs/contract.md, Decision 2). A cancelled
    // order stays here until the release of its reserved money is recorded.
    TabKind {
        word: TO_CAPTURE,
        name: "To capture",
        statuses: &[],
        payment_statuses: &[],
        holds: true,
        empty_title: "Nothing to capture.",
        empty_text: "Orders appear here while money is reserved on them, until it is captured or \
            released. Reservations arrive through the API when the payment provider reports them.",
    },
    TabKind {
        word: "partly-captured",
        name: "Partly captured",
        statuses: &[],
        payment_statuses: &[PaymentStatus::PartiallyPaid],
        holds: false,
        empty_title: "No partly captured orders.",
        empty_text: "Orders appear here once a part of them is captured, until the rest is \
            captured or released.",
    },
    TabKind {
        word: "refunded",
        name: "Refunded",
        statuses: &[],
        payment_statuses: &[PaymentStatus::Refunded, PaymentStatus::PartiallyRefunded],
        holds: false,
        empty_title: "No refunded orders.",
        empty_text: "Orders appear here once all or part of the captured money is refunded.",
    },
    TabKind {
        word: "closed",
        name: "Closed",
        statuses: &[OrderStatus::Closed],
        payment_statuses: &[],
        holds: false,
        empty_title: "No closed orders.",
        empty_text: "Close an order on its page when nothing more will be reserved on it.",
    },
    TabKind {
        word: "cancelled",
        name: "Cancelled",
        statuses: &[OrderStatus::Cancelled],
        payment_statuses: &[],
        holds: false,
        empty_title: "No cancelled orders.",
        empty_text: "An order without captures can be cancelled on its page.",
    },
];

/// The word of the tab of orders that hold reserved money.
pub const TO_CAPTURE: &str = "to-capture";

impl TabKind {
    /// The query narrowed to this tab; `None` when the two have no status in common, so that no
    /// order can match.
    pub fn narrow(&self, query: &OrderQuery) -> Option<OrderQuery> {
        Some(OrderQuery {
            statuses: common(self.statuses, &query.statuses)?,
            payment_statuses: common(self.payment_statuses, &query.payment_statuses)?,
            holds: self.holds,
            ..query.clone()
        })
    }
}

/// The number of orders of an account that hold reserved money, as the tab shows it.
pub fn count_to_capture(reader: &Reader<'_>, account_id: &AccountId) -> Result<String, StoreError> {
    let to_capture = TABS.iter().find(|tab| tab.word == TO_CAPTURE);
    let query = to_capture.and_then(|tab| tab.narrow(&OrderQuery::default()));
    count(reader, account_id, query.as_ref())
}

/// The number of orders that match, as the tab shows it; "0" for a query of `None`, which no order
/// matches.
pub fn count(
    reader: &Reader<'_>,
    account_id: &AccountId,
    query: Option<&OrderQuery>,
) -> Result<String, StoreError> {
    let Some(query) = query else { return Ok("0".to_owned()) };
    let count = reader.count_orders_to(account_id, query, COUNT_MAX)?;
    let is_more = i64::from(COUNT_MAX) <= count;
    Ok(if is_more { format!("{}+", COUNT_MAX - 1) } else { count.to_string() })
}

/// The values in both lists, where an empty list allows all values. `None` when nothing is allowed.
fn common<T: Copy + PartialEq>(some: &[T], others: &[T]) -> Option<Vec<T>> {
    if some.is_empty() || others.is_empty() {
        return Some([some, others].concat());
    }
    let both: Vec<T> = some.iter().copied().filter(|word| others.contains(word)).collect();
    Some(both).filter(|both| !both.is_empty())
}
