//! Passwords: argon2id with the parameters OWASP names (19 MiB, two passes, one lane).

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::randomness::Randomness;

/// Least characters and most bytes of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
const PASSWORD_BYTES_MAX: usize = 1_024;

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

    /// The PHC string to keep; `None` only if the library fails. Costs tens of milliseconds and
    /// 19 MiB, so never call it on a thread that serves other requests.
    pub fn hash(&self, randomness: &Randomness) -> Option<String> {
        let salt: [u8; 16] = randomness.bytes();
        let hashed = Argon2::default().hash_password_with_salt(self.0.as_bytes(), &salt);
        hashed.ok().map(|hash: PasswordHash| hash.to_string())
    }

    /// Compares with a stored hash. Takes as long when `kept` is `None`, so that the time does not
    /// tell whether the user exists.
    pub fn is(&self, kept: Option<&str>) -> bool {
        let hash = PasswordHash::new(kept.unwrap_or(NOBODY_S));
        let same = hash
            .is_ok_and(|hash| Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok());
        same && kept.is_some()
    }
}

/// A hash that matches no password, to compare with when the user does not exist.
const NOBODY_S: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIG91cnM$\
                        xA3x1EBRnGhWVPFCcQKV5sY7bIoI6lhgKkL1v8l1Vxo";

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let password = Password::new("korrekt hest batteri").unwrap();
        let kept = password.hash(&Randomness::System).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(password.is(Some(&kept)));
        assert!(!Password::typed("Korrekt hest batteri").unwrap().is(Some(&kept)));
        assert!(!password.is(None) && !password.is(Some("nonsense")));
        assert!(PasswordHash::new(NOBODY_S).is_ok(), "else it costs nothing to compare with");
        assert_eq!(Password::new("kort").unwrap_err(), PasswordRejected::TooShort);
    }
}
