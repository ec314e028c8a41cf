//! Where a request comes from: the caller's IP address, behind trusted proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use url::{Host, Url};

use crate::auth::counted_address::CountedAddress;

/// Headers by which a request shows that a proxy passed it on.
const PROXY_HEADERS: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Finds the callers of requests, with the configured proxies; cheap to clone.
#[derive(Debug, Clone)]
pub struct Callers {
    /// Proxies whose `X-Forwarded-For` is believed.
    trusted: Arc<[IpAddr]>,
    /// True if the public URL is an address of this machine, so that every caller is on it.
    is_private: bool,
    /// True once a proxy that does not name its callers was warned about.
    has_warned: Arc<AtomicBool>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The address under which its failures are counted; `None` if the client has already left.
    pub address: Option<CountedAddress>,
    /// True if a person or a program on this machine sent it, and not through a proxy.
    pub is_local: bool,
}

/// The caller that a proxy names in its headers.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Caller(IpAddr),
    /// The last trusted proxy. Its header is missing, unreadable, or names only proxies.
    OnlyProxy(IpAddr),
}

impl Callers {
    pub fn new(public_url: &str, trusted: &[IpAddr]) -> Callers {
        let is_private = Url::parse(public_url).is_ok_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        });
        let trusted = trusted.iter().map(IpAddr::to_canonical).collect();
        Callers { trusted, is_private, has_warned: Arc::default() }
    }

    /// Where a request comes from. `X-Forwarded-For` counts only if the peer is a trusted proxy.
    pub fn find(&self, request: &HttpRequest) -> Caller {
        let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
            return Caller { address: None, is_local: false };
        };
        let headers = request.headers();
        let is_forwarded = PROXY_HEADERS.iter().any(|name| headers.contains_key(*name));
        if self.trusted.contains(&peer) {
            let forwarded = headers.get_all("x-forwarded-for");
            // A value that is not text names no address, so nothing before it is believed.
            let forwarded: Vec<&str> =
                forwarded.map(|value| value.to_str().unwrap_or("?")).collect();
            return match named(peer, &forwarded.join(","), &self.trusted) {
                Named::Caller(address) => self.outside(address.into()),
                Named::OnlyProxy(proxy) => self.behind(proxy),
            };
        }
        if !peer.is_loopback() {
            return self.outside(peer.into());
        }
        if self.is_private && !is_forwarded {
            return Caller { address: Some(peer.into()), is_local: true };
        }
        // A proxy on this machine that the server was not told of.
        self.behind(peer)
    }

    /// A caller on another machine.
    fn outside(&self, address: CountedAddress) -> Caller {
        Caller { address: Some(address), is_local: false }
    }

    /// A caller behind a proxy that does not tell the caller's address.
    fn behind(&self, proxy: IpAddr) -> Caller {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %proxy,
                "a request came through a proxy that does not say from whom, so all its callers \
                 count as one; name the proxy with --trusted-proxy, and let it set X-Forwarded-For"
            );
        }
        Caller { address: Some(CountedAddress::of_proxy(proxy)), is_local: false }
    }
}

/// Reads a list of addresses from its end, as long as trusted proxies wrote it.
fn named(peer: IpAddr, forwarded: &str, trusted: &[IpAddr]) -> Named {
    let mut last = peer;
    for word in forwarded.rsplit(',').map(str::trim).filter(|word| !word.is_empty()) {
        match parse_address(word) {
            Some(address) if trusted.contains(&address) => last = address,
            Some(address) => return Named::Caller(address),
            None => break,
        }
    }
    Named::OnlyProxy(last)
}

/// An address as proxies write it: `192.0.2.7`, `192.0.2.7:8080`, `2001:db8::7`, `[2001:db8::7]` or
/// `[2001:db8::7]:8080`, with or without quotes and a zone.
fn parse_address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches('"').trim();
    let bare = |text: &str| {
        let without_zone = text.split_once('%').map_or(text, |(address, _)| address);
        without_zone.parse::<IpAddr>().ok()
    };
    let in_brackets = |text: &str| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = match word.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if is_port(port) => {
            in_brackets(address.split_once('%').map_or(address, |(address, _)| address))
        }
        Some(_) => None,
        None => bare(word).or_else(|| word.parse::<SocketAddr>().ok().map(|at| at.ip())),
    };
    address.map(|address| address.to_canonical())
}

/// True for an empty text, and for a colon and a port.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_proxy_is_believed_only_about_its_own_caller() {
        let trusted = [ip("127.0.0.1"), ip("10.0.0.1")];
        let from = |forwarded| named(ip("127.0.0.1"), forwarded, &trusted);
        for (forwarded, caller) in [
            ("6.6.6.6, 9.9.9.9", "9.9.9.9"),
            ("9.9.9.9, 10.0.0.1", "9.9.9.9"),
            ("9.9.9.9,10.0.0.1,127.0.0.1", "9.9.9.9"),
            ("9.9.9.9, , ", "9.9.9.9"),
            ("nonsense, 9.9.9.9", "9.9.9.9"),
        ] {
            assert_eq!(from(forwarded), Named::Caller(ip(caller)), "{forwarded}");
        }
        for (forwarded, proxy) in [
            ("", "127.0.0.1"),
            (" , ", "127.0.0.1"),
            ("nonsense", "127.0.0.1"),
            ("9.9.9.9, unknown", "127.0.0.1"),
            ("9.9.9.9, _hidden, 10.0.0.1", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(from(forwarded), Named::OnlyProxy(ip(proxy)), "{forwarded}");
        }
    }

    #[test]
    fn addresses_are_read_in_every_spelling_of_a_proxy() {
        for (word, address) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.7:8080", Some("192.0.2.7")),
            ("\"192.0.2.7:8080\"", Some("192.0.2.7")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("[2001:db8::7]:8080", Some("2001:db8::7")),
            ("\"[2001:db8::7]:8080\"", Some("2001:db8::7")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("[fe80::1%eth0]:8080", Some("fe80::1")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("[::ffff:192.0.2.7]:8080", Some("192.0.2.7")),
            ("192.0.2.7:", None),
            ("192.0.2.7:99999", None),
            ("[192.0.2.7]", None),
            ("[2001:db8::7]8080", None),
            ("[2001:db8::7", None),
            ("192.0.2", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(parse_address(word), address.map(ip), "{word}");
        }
    }

    #[test]
    fn a_caller_whose_address_is_not_known_counts_as_its_proxy() {
        let own = |text| Caller { address: Some(ip(text).into()), is_local: false };
        let here = Caller { is_local: true, ..own("127.0.0.1") };
        let behind =
            |text| Caller { address: Some(CountedAddress::of_proxy(ip(text))), ..own(text) };
        let (private, public) = ("http://localhost:8080", "https://till.example");
        let (no_proxy, proxies) = (vec![], vec![ip("127.0.0.1"), ip("10.0.0.1")]);
        let named = "x-forwarded-for";
        for (url, trusted, peer, header, caller) in [
            (private, &no_proxy, "127.0.0.1", ("accept", "*/*"), here),
            (private, &no_proxy, "127.0.0.1", ("x-real-ip", "203.0.113.7"), behind("127.0.0.1")),
            (
                private,
                &no_proxy,
                "127.0.0.1",
                ("forwarded", "for=203.0.113.7"),
                behind("127.0.0.1"),
            ),
            (private, &proxies, "127.0.0.1", ("accept", "*/*"), behind("127.0.0.1")),
            (public, &no_proxy, "127.0.0.1", ("accept", "*/*"), behind("127.0.0.1")),
            (public, &no_proxy, "::ffff:127.0.0.1", (named, "203.0.113.7"), behind("127.0.0.1")),
            (public, &no_proxy, "203.0.113.7", (named, "198.51.100.1"), own("203.0.113.7")),
            (public, &proxies, "10.0.0.1", (named, "198.51.100.1:80"), own("198.51.100.1")),
            (public, &proxies, "10.0.0.1", (named, "unknown"), behind("10.0.0.1")),
            (public, &proxies, "127.0.0.1", (named, "198.51.100.1, 10.0.0.1"), own("198.51.100.1")),
            (public, &proxies, "127.0.0.1", (named, "10.0.0.1"), behind("10.0.0.1")),
        ] {
            let request = actix_web::test::TestRequest::default();
            let request = request.peer_addr(SocketAddr::new(ip(peer), 4711)).insert_header(header);
            let found = Callers::new(url, trusted).find(&request.to_http_request());
            assert_eq!(found, caller, "{url}, {trusted:?}, {peer}, {header:?}");
        }
    }
}
