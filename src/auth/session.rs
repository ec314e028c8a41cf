//! Session cookies, one-time links, and the check that a form belongs to its session.

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::digest::sha256;
use crate::randomness::Randomness;

/// A session ends after 30 minutes without use.
pub const IDLE_MS_MAX: i64 = 30 * 60 * 1_000;

/// 256 random bits as text: the secret of a cookie, of a link or of a form.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// Draws a new ticket of 43 characters.
    pub fn draw(randomness: &Randomness) -> Ticket {
        Ticket(BASE64_URL_SAFE_NO_PAD.encode(randomness.bytes::<32>()))
    }

    /// A ticket that a caller sent.
    pub fn sent(text: &str) -> Ticket {
        Ticket(text.to_owned())
    }

    /// The text; only its holder may see it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The stored hash.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ticket")
    }
}

/// Whether a form carries its session's token; compared in constant time.
pub fn is_form_token(kept: &str, sent: &str) -> bool {
    constant_time::verify_slices_are_equal(kept.as_bytes(), sent.as_bytes()).is_ok()
}
