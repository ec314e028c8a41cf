//! The names that the back office answers by.
//!
//! Whoever owns a name can have it lead to this machine for those who look at their page (DNS
//! rebinding). Their page's forms then are of one origin with ours, so that neither `Origin` nor
//! `Sec-Fetch-Site` gives them away: only the name in the request does. An address is not looked
//! up, so nobody can bind it anew. The API is of no use to such a page, which has no token.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use url::{Host, Url};

/// The names that a server was told; cheap to clone. Addresses and this machine's own name need no
/// telling.
#[derive(Debug, Clone)]
pub struct KnownHosts {
    /// The public URL's; `None` when that has an address, or is this machine's own.
    public: Option<Arc<str>>,
    named: Arc<[String]>,
}

impl KnownHosts {
    /// The host of the public URL, and those that were named besides, as `url` writes them.
    pub fn new(public_url: &str, named: &[String]) -> KnownHosts {
        let public = Url::parse(public_url).ok().and_then(|url| match url.host()? {
            Host::Domain(name) => Some(without_dot(name).into()),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        });
        KnownHosts { public: public.filter(|name: &Arc<str>| &**name != OWN), named: named.into() }
    }

    /// Whether a request names the public URL's host, and that has a name to the world.
    pub fn is_public(&self, request: &HttpRequest) -> bool {
        all_named(request, |host| match (parse(host), &self.public) {
            (Some(Host::Domain(name)), Some(public)) => without_dot(&name) == &**public,
            _ => false,
        })
    }

    /// True if a request names only hosts that are this server.
    pub fn are_meant(&self, request: &HttpRequest) -> bool {
        all_named(request, |host| self.know(host))
    }

    /// Whether a request that names this host, and perhaps a port, is meant for this server.
    fn know(&self, host: &str) -> bool {
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

/// How every machine calls itself.
const OWN: &str = "localhost";

/// The host without its port.
fn parse(host: &str) -> Option<Host> {
    // No browser names a user here, and readers differ about which side is the host.
    if host.contains('@') {
        return None;
    }
    Host::parse(host.parse::<Authority>().ok()?.host()).ok()
}

/// A name as one without the dot that marks it as whole: both are the same name.
pub fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether so it is of every host in the request, and there is one. The request's own line counts
/// more than its header (RFC 9112, 3.2.2), and browsers never send two.
fn all_named(request: &HttpRequest, is_so: impl Fn(&str) -> bool) -> bool {
    let headers = request.headers().get_all(HOST).map(|value| value.to_str().unwrap_or_default());
    let line = request.uri().authority().map(Authority::as_str);
    let mut named = headers.chain(line).peekable();
    named.peek().is_some() && named.all(is_so)
}
