//! Remembers recently verified tokens, so that their signatures are not checked at every request.
//!
//! The table has a fixed size. A token's signature gives its place, which holds the latest of the
//! tokens that share it. No thread waits: a place that another thread is writing counts as empty. A
//! place holds the whole token and its claims. Whether the client is enabled is not remembered;
//! every request checks that.

use std::hash::{BuildHasher, RandomState};
use std::sync::RwLock;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::verified_token::VerifiedToken;
use crate::domain::Timestamp;

/// Most tokens that are remembered.
const REMEMBERED_MAX: usize = 1_024;

/// The recently verified tokens.
pub(super) struct TokenMemory {
    places: Vec<RwLock<Option<Remembered>>>,
    /// Seeded at random, so that no caller can choose tokens that share a place.
    hasher: RandomState,
}

/// A token's lifetime, in seconds since 1970: from `from_s`, and before `until_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub from_s: i64,
    pub until_s: i64,
}

struct Remembered {
    /// As it was sent.
    text: Box<str>,
    token: VerifiedToken,
    life: Life,
}

impl Default for TokenMemory {
    fn default() -> TokenMemory {
        let places = (0..REMEMBERED_MAX).map(|_| RwLock::default()).collect();
        TokenMemory { places, hasher: RandomState::default() }
    }
}

impl TokenMemory {
    /// The claims of a token, if it is remembered and valid at `now`.
    pub fn recall(&self, text: &str, now: Timestamp) -> Option<VerifiedToken> {
        let place = self.place(text).try_read().ok()?;
        let remembered = place.as_ref().filter(|found| is_same(&found.text, text))?;
        remembered.life.contains(now).then(|| remembered.token.clone())
    }

    /// Remembers a token that has just been verified.
    pub fn keep(&self, text: &str, token: &VerifiedToken, life: Life) {
        // A place in use keeps its content; the token's next request tries again.
        if let Ok(mut place) = self.place(text).try_write() {
            *place = Some(Remembered { text: text.into(), token: token.clone(), life });
        }
    }

    fn place(&self, text: &str) -> &RwLock<Option<Remembered>> {
        let [low, high, ..] = self.hasher.hash_one(parts(text).1).to_le_bytes();
        &self.places[usize::from(u16::from_le_bytes([low, high])) % REMEMBERED_MAX]
    }
}

/// True if both are the same token. The signatures are compared in constant time, so that a caller
/// cannot find one out part by part; the rest of a token is not secret.
fn is_same(known: &str, sent: &str) -> bool {
    let ((known, known_signature), (sent, signature)) = (parts(known), parts(sent));
    known == sent
        && verify_slices_are_equal(known_signature.as_bytes(), signature.as_bytes()).is_ok()
}

/// A token without its signature, and the signature.
fn parts(token: &str) -> (&str, &str) {
    token.rsplit_once('.').unwrap_or((token, ""))
}

impl Life {
    /// Whether a token with this lifetime is valid now.
    pub fn contains(self, now: Timestamp) -> bool {
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
        let names: Vec<String> = (0..3 * REMEMBERED_MAX).map(|n| format!("token.{n}")).collect();
        for name in &names {
            let client_id = name.clone();
            let (account_id, scopes) = (account_id.clone(), Scopes::default());
            let token = VerifiedToken { client_id, account_id, scopes };
            memory.keep(name, &token, life);
        }
        let recalled = |name: &&String| {
            let token = memory.recall(name, Timestamp(9_999));
            assert!(token.as_ref().is_none_or(|token| token.client_id == **name));
            token.is_some()
        };
        let count = names.iter().filter(recalled).count();
        assert!((REMEMBERED_MAX / 2..=REMEMBERED_MAX).contains(&count), "{count} remembered");
    }

    #[test]
    fn a_place_that_is_being_written_counts_as_empty() {
        let memory = TokenMemory::default();
        let _held = memory.place("t").write().unwrap();
        assert_eq!(memory.recall("t", Timestamp(0)), None);
    }
}
