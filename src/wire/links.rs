//! Links in answers: absolute, from the configured public URL.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::ids::{AccountId, OrderName, ResourceId};
use crate::domain::operation::OperationKind;
use crate::json::push_string;

/// Builds links; cheap to clone.
#[derive(Debug, Clone)]
pub struct Links {
    public_url: Arc<str>,
}

impl Links {
    /// `public_url` has no slash at its end.
    pub fn new(public_url: &str) -> Links {
        Links { public_url: public_url.into() }
    }

    /// The server's address as its callers know it, without a slash at its end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The path of the public URL; empty if the URL has no path.
    pub fn base_path(&self) -> &str {
        let after_scheme = self.public_url.find("://").map_or(0, |at| at + 3);
        let path = self.public_url[after_scheme..].find('/').map(|at| at + after_scheme);
        path.map_or("", |at| &self.public_url[at..])
    }

    /// The public URL without its path: the origin that browsers send.
    pub fn origin(&self) -> &str {
        &self.public_url[..self.public_url.len() - self.base_path().len()]
    }

    /// True if the public URL can be reached from this machine only.
    pub fn is_loopback(&self) -> bool {
        let host = self.origin().split_once("://").map_or("", |(_, host)| host);
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
        host == "localhost" || host == "[::1]" || host.starts_with("127.")
    }

    /// True if browsers reach the server over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The URL of an order.
    pub fn order(&self, account_id: &AccountId, order: &OrderName) -> String {
        let id: Cow<'_, str> = utf8_percent_encode(order.as_str(), SEGMENT_ESCAPED).into();
        // A page of orders has hundreds of links, so the time that `format!` would take counts.
        [&self.public_url, "/v1/accounts/", account_id.as_str(), "/shopping/orders/", &id].concat()
    }

    /// The URL of an order's events.
    pub fn events(&self, account_id: &AccountId, order: &OrderName) -> String {
        format!("{}/events", self.order(account_id, order))
    }

    /// The URL of an order's receipt.
    pub fn receipt(&self, account_id: &AccountId, order: &OrderName) -> String {
        format!("{}/receipt", self.order(account_id, order))
    }

    /// The URL of an operation.
    pub fn operation(
        &self,
        account_id: &AccountId,
        order: &OrderName,
        kind: OperationKind,
        id: &ResourceId,
    ) -> String {
        [&self.order(account_id, order), "/", kind.plural(), "/", id.as_str()].concat()
    }

    /// The URL of an order session.
    pub fn session(&self, account_id: &AccountId, order: &OrderName, id: &ResourceId) -> String {
        [&self.order(account_id, order), "/sessions/", id.as_str()].concat()
    }

    /// The URL of the test page with this token.
    pub fn test_page(&self, token: &str) -> String {
        format!("{}/pay/{token}", self.public_url)
    }

    /// The URL of a draft.
    pub fn draft(&self, account_id: &AccountId, id: &str) -> String {
        format!("{}/v1/accounts/{account_id}/shopping/draft_orders/{id}", self.public_url)
    }
}

/// The value of `_links`, from pairs of `(rel, href)`.
pub fn link_list(links: &[(&'static str, String)]) -> String {
    let room = links.iter().map(|(rel, href)| rel.len() + href.len() + 24).sum::<usize>() + 2;
    // A page of orders has hundreds of links, so they are written into one text.
    let mut text = String::with_capacity(room);
    let mut open = "[";
    for (rel, href) in links {
        for part in [open, "{\"rel\":\"", rel, "\",\"href\":"] {
            text.push_str(part);
        }
        push_string(&mut text, href);
        text.push('}');
        open = ",";
    }
    text.push_str(if links.is_empty() { "[]" } else { "]" });
    text
}

/// Escapes all but the unreserved characters in a path segment (RFC 3986).
pub const SEGMENT_ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_of_any_characters_makes_a_link_that_leads_to_it() {
        let account = AccountId::parse("T00000001").unwrap();
        let order = OrderName::parse("A/B?c#%d").unwrap();
        assert_eq!(
            Links::new("https://x/shop").order(&account, &order),
            "https://x/shop/v1/accounts/T00000001/shopping/orders/A%2FB%3Fc%23%25d"
        );
    }
}
