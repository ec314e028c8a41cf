//! What a browser holds while somebody is signed in, and the check that a form is its own.

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::digest::sha256;
use crate::randomness::Randomness;

/// A session unused for this long has ended: 30 minutes.
pub const IDLE_MS_MAX: i64 = 30 * 60 * 1_000;

/// 256 random bits as text: a cookie's value, a link's end, a form's token.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// A new one, 43 characters.
    pub fn draw(randomness: &Randomness) -> Ticket {
        Ticket(BASE64_URL_SAFE_NO_PAD.encode(randomness.bytes::<32>()))
    }

    /// The one that somebody sent.
    pub fn sent(text: &str) -> Ticket {
        Ticket(text.to_owned())
    }

    /// The text, for its holder alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ticket")
    }
}

/// Whether a form carries its session's token.
pub fn is_form_token(kept: &str, sent: &str) -> bool {
    constant_time::verify_slices_are_equal(kept.as_bytes(), sent.as_bytes()).is_ok()
}
