//! The host names under which the back office answers.
//!
//! The owner of a domain can point it at this machine while a person looks at their page (DNS
//! rebinding). To the browser their page and ours then have the same origin, so neither `Origin`
//! nor `Sec-Fetch-Site` tells them apart: only the host name in the request does. An IP address is
//! not looked up, so it cannot be rebound and is always accepted. The API needs no such check,
//! since that page has no token.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use url::{Host, Url};

/// The name that every machine has for itself.
const OWN: &str = "localhost";

/// The configured host names; cheap to clone. IP addresses and `localhost` are always known.
#[derive(Debug, Clone)]
pub struct KnownHosts {
    /// The host of the public URL; `None` if that is an IP address or `localhost`.
    public: Option<Arc<str>>,
    named: Arc<[String]>,
}

impl KnownHosts {
    /// `named` are the server's other host names, as the crate `url` writes them.
    pub fn new(public_url: &str, named: &[String]) -> KnownHosts {
        let public = Url::parse(public_url).ok().and_then(|url| match url.host()? {
            Host::Domain(name) => Some(without_dot(name).into()),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        });
        KnownHosts { public: public.filter(|name: &Arc<str>| &**name != OWN), named: named.into() }
    }

    /// True if a request names only the public URL's host, and that is a name but not `localhost`.
    pub fn is_public(&self, request: &HttpRequest) -> bool {
        all_named(request, |host| match (parse(host), &self.public) {
            (Some(Host::Domain(name)), Some(public)) => without_dot(&name) == &**public,
            _ => false,
        })
    }

    /// True if a request names at least one host, and only hosts of this server.
    pub fn names_only_ours(&self, request: &HttpRequest) -> bool {
        all_named(request, |host| self.is_ours(host))
    }

    /// True if a host, with or without a port, is this server's.
    fn is_ours(&self, host: &str) -> bool {
        match parse(host) {
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            Some(Host::Domain(name)) => {
                let name = without_dot(&name);
                let is_public = self.public.as_deref() == Some(name);
                name == OWN || is_public || self.named.iter().any(|known| known == name)
            }
            None => false,
        }
    }
}

/// Parses a host, and drops its port.
fn parse(host: &str) -> Option<Host> {
    // Browsers never send a user name here, and programs disagree on which side of `@` is the host.
    if host.contains('@') {
        return None;
    }
    Host::parse(host.parse::<Authority>().ok()?.host()).ok()
}

/// The name without the final dot that marks it as fully qualified. Both are the same name.
pub fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// True if every host named in the request satisfies `is_so`, and there is at least one. A host in
/// the request line overrides the header (RFC 9112, section 3.2.2), so both are checked.
fn all_named(request: &HttpRequest, is_so: impl Fn(&str) -> bool) -> bool {
    let headers = request.headers().get_all(HOST).map(|value| value.to_str().unwrap_or_default());
    let line = request.uri().authority().map(Authority::as_str);
    let mut named = headers.chain(line).peekable();
    named.peek().is_some() && named.all(is_so)
}
