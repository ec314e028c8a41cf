//! A user's e-mail address: their name at sign-in.

use std::fmt;

/// Bytes of an address at most (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// An address in its one canonical form: lower case, no spaces, the domain in Unicode. So two
/// spellings of one address are equal. `auth::email` makes it from what a person typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The address, if `text` is already canonical. Whether the domain is valid IDNA is not
    /// checked here; that needs tables which this room does without.
    pub fn canonical(text: &str) -> Option<Email> {
        let (local, domain) = text.split_once('@')?;
        let whole = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let lower = text.to_lowercase() == text;
        (whole && plain && lower && text.len() <= EMAIL_BYTES_MAX).then(|| Email(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_address() {
        let longest = format!("{}@x", "å".repeat(126));
        for right in ["a@b", "kari.n+x@example.no", "åse@åsen.no", &longest] {
            assert_eq!(Email::canonical(right).unwrap().as_str(), right);
        }
        let too_long = format!("{longest}x");
        for wrong in
            ["", "a", "@", "a@", "@b", "a@b@c", "A@b", "Å@b", "a b@c", "a@b ", "a@b\n", &too_long]
        {
            assert_eq!(Email::canonical(wrong), None, "{wrong}");
        }
    }
}
