//! Secrets of API clients: 256 random bits, of which only the SHA-256 is stored.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::digest::sha256;
use crate::randomness::Randomness;

/// A secret in plain text.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Draws a new secret of 43 characters.
    pub fn draw(randomness: &Randomness) -> ClientSecret {
        ClientSecret(BASE64_URL_SAFE_NO_PAD.encode(randomness.bytes::<32>()))
    }

    /// A secret that a caller sent.
    pub fn sent(text: &str) -> ClientSecret {
        ClientSecret(text.to_owned())
    }

    /// The text; shown once, when the client is made.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The stored hash. A fast hash is enough, since 256 random bits cannot be guessed.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// Compares with a stored hash in constant time.
    pub fn matches(&self, kept: &[u8; 32]) -> bool {
        constant_time::verify_slices_are_equal(&self.sha256(), kept).is_ok()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ClientSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_hash_and_never_printed() {
        let secret = ClientSecret::draw(&Randomness::System);
        assert_eq!(secret.reveal().len(), 43);
        assert!(secret.matches(&secret.sha256()));
        assert!(!ClientSecret::sent("x").matches(&secret.sha256()));
        assert!(!format!("{secret:?}").contains(secret.reveal()));
    }
}
