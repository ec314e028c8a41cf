//! Remembers recently verified tokens, so that their signatures are not checked at every request.
//!
//! The table has a fixed size. A token's digest gives its place, which holds the latest of the
//! tokens that share it. No thread waits: a place that another thread is writing counts as
//! empty. A place holds the SHA-256 of the whole token, signature included, and its claims. Whether
//! the client is enabled is not remembered; every request checks that.

use std::sync::RwLock;

use super::verified_token::VerifiedToken;
use crate::digest::sha256;
use crate::domain::Timestamp;

/// Most tokens that are remembered.
const REMEMBERED_MAX: usize = 1_024;

/// The recently verified tokens.
pub(super) struct TokenMemory {
    places: Vec<RwLock<Option<Remembered>>>,
}

/// Gives a token its place and tells it from others with the same place.
pub(super) struct Digest([u8; 32]);

/// A token's lifetime, in seconds since 1970: from `from_s`, and before `until_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub from_s: i64,
    pub until_s: i64,
}

struct Remembered {
    digest: [u8; 32],
    token: VerifiedToken,
    life: Life,
}

impl Default for TokenMemory {
    fn default() -> TokenMemory {
        TokenMemory { places: (0..REMEMBERED_MAX).map(|_| RwLock::default()).collect() }
    }
}

impl TokenMemory {
    /// The token's claims, if it is remembered and valid at `now`.
    pub fn recall(&self, digest: &Digest, now: Timestamp) -> Option<VerifiedToken> {
        let place = self.place(digest).try_read().ok()?;
        let remembered = place.as_ref().filter(|found| found.digest == digest.0)?;
        remembered.life.has(now).then(|| remembered.token.clone())
    }

    /// Remembers a token that has just been verified.
    pub fn keep(&self, digest: Digest, token: &VerifiedToken, life: Life) {
        // A place in use keeps its content; the token's next request tries again.
        if let Ok(mut place) = self.place(&digest).try_write() {
            *place = Some(Remembered { digest: digest.0, token: token.clone(), life });
        }
    }

    fn place(&self, digest: &Digest) -> &RwLock<Option<Remembered>> {
        let at = usize::from(u16::from_le_bytes([digest.0[0], digest.0[1]]));
        &self.places[at % self.places.len()]
    }
}

impl Digest {
    /// The digest of a token as it was sent.
    pub fn of(token: &str) -> Digest {
        Digest(sha256(token.as_bytes()))
    }
}

impl Life {
    /// Whether a token with this lifetime is valid now.
    pub fn has(self, now: Timestamp) -> bool {
        (self.from_s..self.until_s).contains(&now.0.div_euclid(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::AccountId;
    use crate::domain::scope::Scopes;

    #[test]
    fn the_memory_of_tokens_has_a_fixed_size() {
        let memory = TokenMemory::default();
        let account_id = AccountId::parse("T12345678").unwrap();
        let life = Life { from_s: 0, until_s: 10 };
        let names: Vec<String> = (0..3 * REMEMBERED_MAX).map(|n| format!("token {n}")).collect();
        for name in &names {
            let client_id = name.clone();
            let (account_id, scopes) = (account_id.clone(), Scopes::default());
            let token = VerifiedToken { client_id, account_id, scopes };
            memory.keep(Digest::of(name), &token, life);
        }
        let recalled = |name: &&String| {
            let token = memory.recall(&Digest::of(name), Timestamp(9_999));
            assert!(token.as_ref().is_none_or(|token| token.client_id == **name));
            token.is_some()
        };
        let count = names.iter().filter(recalled).count();
        assert!((REMEMBERED_MAX / 2..=REMEMBERED_MAX).contains(&count), "{count} remembered");
    }

    #[test]
    fn a_place_that_is_being_written_counts_as_empty() {
        let memory = TokenMemory::default();
        let _held = memory.place(&Digest::of("t")).write().unwrap();
        assert_eq!(memory.recall(&Digest::of("t"), Timestamp(0)), None);
    }
}
