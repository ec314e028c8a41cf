//! The requests that tell a merchant's program of a session's end (docs/contract.md, Decision 11,
//! and docs/contract.md, Facts 7).

use form_urlencoded::Serializer;
use url::Url;

use super::links::Links;
use super::operation_view;
use super::return_address::error_of;
use crate::app::CallbackOptions;
use crate::clock::rfc3339;
use crate::digest::hmac_sha256;
use crate::domain::ids::AccountId;
use crate::domain::operation::Operation;
use crate::store::OrderSessionRecord;

/// A request without the headers that differ between tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    pub url: Url,
    /// The operation of a POST; empty without one.
    pub body: String,
}

/// The request about an ended session; `operation` is the one that completed it. `None` if the
/// session has no `callback_url` any more.
pub fn render(
    links: &Links,
    session: &OrderSessionRecord,
    operation: Option<&Operation>,
) -> Option<CallbackRequest> {
    let CallbackOptions { mut url, is_post, session_parameter, .. } = CallbackOptions::of(session)?;
    let (account_id, order_id) = (&session.account_id, &session.order_id);
    let mut query = url.query_pairs_mut();
    if let Some(operation) = operation {
        query.append_pair("transaction_id", operation.id.as_str());
    }
    query
        .append_pair(&session_parameter, session.id.as_str())
        .append_pair("merchant_reference", order_id.as_str())
        .append_pair("time", &rfc3339(session.ended_at.unwrap_or(session.created_at)));
    if let Some(error) = error_of(session.status) {
        query.append_pair("error", error);
    }
    drop(query);
    url.set_fragment(None);
    let shown = operation.filter(|_| is_post);
    let body = shown.map(|one| operation_view::render(links, account_id, order_id, one));
    let method = if is_post { "POST" } else { "GET" };
    Some(CallbackRequest { method, url, body: body.unwrap_or_default() })
}

/// The header `Dintero-Signature`. `timestamp` is in seconds since 1970.
pub fn signature(
    secret: &str,
    account_id: &AccountId,
    request: &CallbackRequest,
    timestamp: i64,
) -> String {
    let (method, url) = (request.method, &request.url);
    let host = url.host_str().unwrap_or_default();
    let (path, query) = (url.path(), sorted_query(url));
    let signed = format!("{timestamp}\n{account_id}\n{method}\n{host}\n{path}\n{query}");
    let mut text = format!("t={timestamp},v0-hmac-sha256=");
    for byte in hmac_sha256(secret.as_bytes(), signed.as_bytes()) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The query as JavaScript writes it after `URLSearchParams.sort()`, which compares UTF-16.
fn sorted_query(url: &Url) -> String {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        let request = |method, url: &str| CallbackRequest {
            method,
            url: Url::parse(url).unwrap(),
            body: String::new(),
        };
        let account_id = AccountId::parse("P00000000").unwrap();
        // The example of the published API's documentation of signatures.
        let example = request("GET", "https://example.com/callback?B=123&A=992");
        assert_eq!(
            signature("123", &account_id, &example, 1_582_236_537),
            "t=1582236537,v0-hmac-sha256=\
             6bed2ab1b919d460ef7465a20dc6c97260dca73fab6647106ca525f0908df64a"
        );
        let sorted = |query: &str| {
            sorted_query(&Url::parse(&format!("https://a.example/?{query}")).unwrap())
        };
        assert_eq!(sorted("b=1&a=2&b=0&%C3%A9=x%20y&c"), "a=2&b=1&b=0&c=&%C3%A9=x+y");
    }
}
