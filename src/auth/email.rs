//! Parses typed e-mail addresses, which are the names of users. It is not in the domain because
//! internationalized domain names (IDNA, UTS 46) need a crate.

use crate::domain::email::Email;

/// A typed address in its canonical form: trimmed, in lower case, and with its domain in Unicode
/// even if it was typed as `xn--…`. `None` if it is not an address.
pub fn parse(typed: &str) -> Option<Email> {
    let (local, domain) = typed.trim().split_once('@')?;
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let (domain, valid) = idna::domain_to_unicode(&ascii);
    valid.ok()?;
    Email::canonical(&format!("{}@{domain}", local.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_the_same_user() {
        let same = |spellings: &[&str], canonical: &str| {
            for typed in spellings {
                assert_eq!(parse(typed).unwrap().as_str(), canonical, "{typed}");
            }
        };
        same(&["kari@example.no", " Kari@EXAMPLE.no\n"], "kari@example.no");
        same(&["Åse@example.no", "åse@example.no"], "åse@example.no");
        same(&["post@Åsen.no", "post@xn--sen-tla.no", "POST@XN--SEN-TLA.NO"], "post@åsen.no");
        same(&["post@a\u{30a}sen.no"], "post@åsen.no");
        same(&["root@localhost"], "root@localhost");
        let wrong = ["", "kari", "kari@", "@example.no", "a@b@c.no", "a b@c.no", "a@b c.no"];
        let wrong_domain = ["a@-b.no", "a@b..no", "a@b.no.", "a@xn--nonsense-.no", "a@[192.0.2.1]"];
        for typed in wrong.into_iter().chain(wrong_domain) {
            assert_eq!(parse(typed), None, "{typed}");
        }
        assert_eq!(parse(&format!("a@{}.no", "x".repeat(64))), None, "a label of 64 characters");
    }
}
