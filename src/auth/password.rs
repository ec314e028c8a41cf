//! Passwords, hashed with argon2id and the parameters that OWASP recommends: 19 MiB, two passes,
//! one lane.

use std::fmt;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::randomness::Randomness;

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Most bytes of a password.
const PASSWORD_BYTES_MAX: usize = 1_024;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;

/// A password in plain text.
#[derive(Clone)]
pub struct Password(String);

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRejected {
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

/// The 19 MiB that hashing works in, allocated at the first hash and used again for each later one.
/// Allocating them for every hash would leave most of them with the allocator: 300 sign-ins took
/// 900 MiB.
#[derive(Default)]
pub struct HashMemory(Vec<Block>);

impl Password {
    /// Checks a new password.
    pub fn new(text: &str) -> Result<Password, PasswordRejected> {
        if text.chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordRejected::TooShort);
        }
        if PASSWORD_BYTES_MAX < text.len() {
            return Err(PasswordRejected::TooLong);
        }
        Ok(Password(text.to_owned()))
    }

    /// A password typed at sign-in; `None` if it is longer than any that can be set.
    pub fn typed(text: &str) -> Option<Password> {
        (text.len() <= PASSWORD_BYTES_MAX).then(|| Password(text.to_owned()))
    }

    /// The PHC string to store; `None` only if the library fails. Takes tens of milliseconds, so
    /// never call it on a thread that serves other requests.
    pub fn hash(&self, randomness: &Randomness, memory: &mut HashMemory) -> Option<String> {
        let argon2 = Argon2::default();
        let salt: [u8; SALT_BYTES] = randomness.bytes();
        let mut hash = [0; HASH_BYTES];
        self.fill(&argon2, &salt, &mut hash, memory)?;
        let phc = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&hash).ok()?),
        };
        Some(phc.to_string())
    }

    /// Compares with a stored hash, in constant time. `None` takes the same time, so that the time
    /// does not reveal whether the user exists.
    pub fn is(&self, stored: Option<&str>, memory: &mut HashMemory) -> bool {
        self.matches(stored.unwrap_or(HASH_OF_NO_USER), memory).unwrap_or(false) && stored.is_some()
    }

    /// `None` if the text is not a hash that [`hash`](Self::hash) could have made.
    fn matches(&self, stored: &str, memory: &mut HashMemory) -> Option<bool> {
        let stored = PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
        let version = Version::try_from(stored.version?).ok()?;
        let params = Params::try_from(&stored).ok()?;
        let mut hash = [0; HASH_BYTES];
        let argon2 = Argon2::new(algorithm, version, params);
        self.fill(&argon2, &stored.salt?, &mut hash, memory)?;
        Some(stored.hash? == Output::new(&hash).ok()?)
    }

    fn fill(
        &self,
        argon2: &Argon2<'_>,
        salt: &[u8],
        hash: &mut [u8; HASH_BYTES],
        memory: &mut HashMemory,
    ) -> Option<()> {
        let blocks = memory.blocks();
        argon2.hash_password_into_with_memory(self.0.as_bytes(), salt, hash, blocks).ok()
    }
}

impl HashMemory {
    fn blocks(&mut self) -> &mut [Block] {
        self.0.resize(Params::DEFAULT.block_count(), Block::default());
        &mut self.0
    }
}

/// A hash that matches no password, to compare with when the user does not exist.
const HASH_OF_NO_USER: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIG91cnM$\
                               xA3x1EBRnGhWVPFCcQKV5sY7bIoI6lhgKkL1v8l1Vxo";

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password")
    }
}

impl fmt::Debug for HashMemory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("HashMemory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches_a_hash() {
        let mut memory = HashMemory::default();
        let password = Password::new("korrekt hest batteri").unwrap();
        let stored = password.hash(&Randomness::System, &mut memory).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(password.is(Some(&stored), &mut memory));
        let other = Password::typed("Korrekt hest batteri").unwrap();
        assert!(!other.is(Some(&stored), &mut memory));
        assert!(!password.is(None, &mut memory) && !password.is(Some("nonsense"), &mut memory));
        assert_eq!(password.matches(HASH_OF_NO_USER, &mut memory), Some(false), "costs a hash");
        assert_eq!(Password::new("kort").unwrap_err(), PasswordRejected::TooShort);
    }

    #[test]
    fn a_hash_that_was_stored_before_still_matches() {
        // Made by argon2's own `hash_password_with_salt`, as builds before this one did.
        let stored = "$argon2id$v=19$m=19456,t=2,p=1$8OARxqoggkBag9neQN3kmw$\
             0zOfL+K7Wru8lDhbqsHm/8wScF1T1p6D7cjuy4Jb0ZI";
        let password = Password::new("korrekt hest batteri").unwrap();
        assert!(password.is(Some(stored), &mut HashMemory::default()));
    }
}
