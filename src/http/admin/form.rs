//! Reads a form that a browser posts, and refuses forms of other sites.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderName, ORIGIN};
use actix_web::{FromRequest, HttpRequest};

use super::page_error::PageError;
use crate::http::edge::body::{FORM_BYTES_MAX, read_body};
use crate::http::state::state;

/// Bytes of a form's key, which is a UUID.
const KEY_BYTES_MAX: usize = 36;

/// The fields of a form that one of our own pages sent, in the order of the page.
#[derive(Debug)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// The value of a field; empty when the field was not sent.
    pub fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The value of a field; `None` when the field was not sent.
    pub fn find(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A form with these fields, to show a page that nothing was posted to.
    pub fn of(fields: &[(&str, &str)]) -> Form {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Form { fields: fields.iter().map(owned).collect() }
    }

    pub fn new(fields: Vec<(String, String)>) -> Form {
        Form { fields }
    }

    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}

impl FromRequest for Form {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Form, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            if !is_from_our_pages(&request)? {
                return Err(PageError::Forbidden("This form was not sent by one of our pages."));
            }
            let bytes = read_body(&request, payload, FORM_BYTES_MAX).await?;
            Ok(Form { fields: form_urlencoded::parse(&bytes).into_owned().collect() })
        })
    }
}

/// True if the text has the shape of a form's key. Pages draw the keys, so a form with any other
/// shape did not come from a page.
pub fn is_key(text: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// True if the browser reports that the form comes from this site: by `Sec-Fetch-Site` where it is
/// sent, else by `Origin`. Pages also check the form token of the session.
fn is_from_our_pages(request: &HttpRequest) -> Result<bool, PageError> {
    let header = |name: HeaderName| request.headers().get(name)?.to_str().ok();
    let form = header(CONTENT_TYPE).unwrap_or_default();
    if !form.starts_with("application/x-www-form-urlencoded") {
        return Ok(false);
    }
    if let Some(site) = header(HeaderName::from_static("sec-fetch-site")) {
        // "none" means that the user caused the request directly, without a page of any site.
        return Ok(matches!(site, "same-origin" | "none"));
    }
    // Old browsers send neither header; only the form token protects them.
    let Some(origin) = header(ORIGIN) else { return Ok(true) };
    let state = state(request)?;
    if origin == state.links.origin() {
        return Ok(true);
    }
    // An attacker between the browser and the server can forge plain http pages of a host that
    // serves its own pages by https.
    let must_be_https = state.links.is_https() && state.known_hosts.is_public(request);
    let (scheme, host) = origin.split_once("://").unwrap_or_default();
    Ok(Some(host) == header(HOST) && (scheme == "https" || !must_be_https))
}
