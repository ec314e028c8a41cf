//! Addresses to which a payer is sent (docs/contract.md, Decision 11).

use url::Url;

use crate::domain::order_session::SessionStatus;
use crate::json::{self, Tree};
use crate::store::{OrderSessionRecord, StoreError};

/// Most characters of an address.
pub const ADDRESS_CHARS_MAX: usize = 2_000;

/// True for an absolute http or https URL that every client reads in the same way.
pub fn is_web_address(text: &str) -> bool {
    // The parser skips white space and control characters, which others may keep.
    let is_plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    text.chars().count() <= ADDRESS_CHARS_MAX
        && is_plain
        && Url::parse(text).is_ok_and(|url| is_web(&url))
}

/// The merchant's `return_url` with the outcome of the session. The merchant's own query and
/// fragment are kept.
pub fn return_address(session: &OrderSessionRecord) -> Result<String, StoreError> {
    let document = json::parse(session.document.0.as_bytes()).unwrap_or(Tree::Null);
    let sent = document.member("urls").and_then(|urls| urls.member("return_url"));
    let parsed = sent.and_then(Tree::as_text).and_then(|text| Url::parse(text).ok());
    let url = parsed.ok_or_else(|| StoreError::inconsistent("a session has no return_url"))?;
    let transaction = session.transaction.as_ref().map(|transaction| transaction.id.as_str());
    Ok(with_outcome(url, session.status, transaction, session.order_id.as_str()).into())
}

fn with_outcome(
    mut url: Url,
    status: SessionStatus,
    transaction_id: Option<&str>,
    merchant_reference: &str,
) -> Url {
    let mut query = url.query_pairs_mut();
    match error_of(status) {
        Some(error) => drop(query.append_pair("error", error)),
        None => {
            if let Some(id) = transaction_id {
                query.append_pair("transaction_id", id);
            }
            query.append_pair("merchant_reference", merchant_reference);
        }
    }
    drop(query);
    url
}

/// Why a session ended without a payment, in a word; `None` if it did not.
pub(super) fn error_of(status: SessionStatus) -> Option<&'static str> {
    match status {
        SessionStatus::Open | SessionStatus::Completed => None,
        SessionStatus::Failed => Some("authorization"),
        SessionStatus::Cancelled => Some("cancelled"),
        SessionStatus::Expired => Some("failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_merchant_s_query_and_fragment_are_kept() {
        let at = |url: &str, status| {
            let url = Url::parse(url).unwrap();
            with_outcome(url, status, Some("t"), "A&B").to_string()
        };
        let plain = "https://shop.example";
        assert_eq!(
            at(plain, SessionStatus::Completed),
            "https://shop.example/?transaction_id=t&merchant_reference=A%26B"
        );
        let full = "https://shop.example/r?a=%20b+c&error=x#/done?y";
        assert_eq!(
            at(full, SessionStatus::Cancelled),
            "https://shop.example/r?a=%20b+c&error=x&error=cancelled#/done?y"
        );
        assert!(at(full, SessionStatus::Failed).contains("&error=authorization#"));
        assert!(at(full, SessionStatus::Expired).contains("&error=failed#"));
    }

    #[test]
    fn only_addresses_of_the_web_are_accepted() {
        for good in ["https://shop.example", "http://localhost:3000/a?b#c", "https://[::1]/"] {
            assert!(is_web_address(good), "{good}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(ADDRESS_CHARS_MAX));
        for bad in [
            "",
            "/a",
            "shop.example",
            "//shop.example/a",
            "javascript:alert(1)",
            "ftp://a/b",
            "https://",
            "data:text/html,x",
            " https://a",
            "https://a\n/b",
            "https://a/b c",
            &long,
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
