//! The requests of the load: captures as a shop sends them, and their expected answers.

use uuid::Uuid;

use crate::client::{Answer, request};
use crate::orders::ACCOUNT;
use crate::shop::Shop;

/// The amount of one capture, over both its lines.
pub const CAPTURED: u64 = 150;

/// Captures of one shop's orders, each of an order drawn at random.
pub struct Captures {
    orders: Vec<String>,
    authorization: String,
    path: fn(&str) -> String,
}

/// A capture, ready to be sent, and the payment id that its answer must contain.
pub struct CaptureRequest {
    pub bytes: Vec<u8>,
    payment_id: String,
}

impl Captures {
    /// Captures to send to Tillbook, or to the naive server.
    pub fn of(shop: &Shop, token: &str) -> Captures {
        let path = |order: &str| format!("/v1/accounts/{ACCOUNT}/shopping/orders/{order}/captures");
        Captures { orders: shop.capturable(), authorization: bearer(token), path }
    }

    /// The same requests for the echo.
    pub fn for_echo(shop: &Shop, token: &str) -> Captures {
        let path = |_: &str| "/echo".to_owned();
        Captures { path, ..Captures::of(shop, token) }
    }

    /// The next capture, with two lines, payment details and a random idempotency key.
    pub fn next(&self) -> CaptureRequest {
        let drawn = Uuid::new_v4();
        let (high, _) = drawn.as_u64_pair();
        let at = high % u64::try_from(self.orders.len()).unwrap_or(1);
        let order = &self.orders[usize::try_from(at).unwrap_or(0)];
        let payment_id = drawn.simple().to_string();
        let headers = format!("{}Idempotency-Key: {drawn}\r\n", self.authorization);
        let bytes = request("POST", &(self.path)(order), &headers, &body(&payment_id));
        CaptureRequest { bytes, payment_id }
    }
}

impl CaptureRequest {
    /// Panics unless the answer is a 200 for this payment, over both lines.
    pub fn expect(&self, answer: &Answer<'_>) {
        let text = std::str::from_utf8(answer.body).unwrap_or_default();
        let is_right = answer.status == 200
            && text.contains("\"amount\":150")
            && text.contains(self.payment_id.as_str());
        assert!(is_right, "{} {text}", answer.status);
    }
}

/// A capture's body. The sum is sent too, so that the echo has it in its answer; Tillbook
/// ignores it, as the contract says.
pub fn body(payment_id: &str) -> String {
    format!(
        "{{\"items\":[{{\"line_id\":1,\"amount\":100}},{{\"line_id\":2,\"amount\":50}}],\
         \"amount\":150,\
         \"processed_at\":\"2026-11-23T09:00:00Z\",\"processed_by\":\"checkout\",\
         \"payment_details\":{{\"psp\":\"Bambora\",\"payment_id\":\"{payment_id}\",\
         \"payment_product\":\"bambora\",\"payment_product_type\":\"bambora.creditcard\"}},\
         \"success\":true}}"
    )
}

/// The header line with a token.
pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}
