//! Tokens that were verified a moment ago, so that the next request need not do it again.
//!
//! A table of a fixed size: each token has one place in it, which belongs to the last one that was
//! verified for it. Nobody waits for a place: one that another thread is writing is as good as
//! empty. What is kept is the SHA-256 of the whole token, signature included, and what it said.
//! Whether its client may be used today is never remembered; each request asks that.

use std::sync::RwLock;

use super::verified_token::VerifiedToken;
use crate::digest::sha256;
use crate::domain::Timestamp;

/// Tokens that are remembered at most.
const REMEMBERED_MAX: usize = 1_024;

/// The tokens verified lately.
pub(super) struct TokenMemory {
    places: Vec<RwLock<Option<Remembered>>>,
}

/// A token's place, and what tells it from others with the same.
pub(super) struct Digest([u8; 32]);

/// The seconds in which a token is good: from the first on, and before the second.
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
    /// What the token says, if it was verified lately and `now` lies in its life.
    pub fn recall(&self, digest: &Digest, now: Timestamp) -> Option<VerifiedToken> {
        let place = self.place(digest).try_read().ok()?;
        let remembered = place.as_ref().filter(|found| found.digest == digest.0)?;
        remembered.life.has(now).then(|| remembered.token.clone())
    }

    /// Remembers a token that has just been verified.
    pub fn keep(&self, digest: Digest, token: &VerifiedToken, life: Life) {
        // A place that is being used keeps what it has; the next request tries again.
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
    /// Whether a token with this life is good now.
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
    fn however_many_tokens_come_no_more_are_remembered_than_there_are_places() {
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
    fn a_place_that_is_being_written_makes_nobody_wait() {
        let memory = TokenMemory::default();
        let _held = memory.place(&Digest::of("t")).write().unwrap();
        assert_eq!(memory.recall(&Digest::of("t"), Timestamp(0)), None);
    }
}
