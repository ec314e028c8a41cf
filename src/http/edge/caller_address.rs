//! From which address a request really comes.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The peer's address, or the one that a trusted proxy says it speaks for: the last in
/// `X-Forwarded-For` that is no trusted proxy itself. What an untrusted peer says is ignored.
pub fn caller_address(request: &HttpRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for");
    let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
    originator(request.peer_addr()?.ip().to_canonical(), &forwarded.join(","), trusted)
}

/// Whether a person on this machine itself asks, and no proxy on it for somebody else.
pub fn is_local(request: &HttpRequest) -> bool {
    let is_loopback =
        request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let says_whose = ["forwarded", "x-forwarded-for", "x-real-ip"];
    is_loopback && !says_whose.iter().any(|name| request.headers().contains_key(*name))
}

fn originator(peer: IpAddr, forwarded: &str, trusted: &[IpAddr]) -> Option<IpAddr> {
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let named = forwarded.rsplit(',').map_while(|word| word.trim().parse::<IpAddr>().ok());
    let mut last = peer;
    for address in named {
        last = address;
        if !trusted.contains(&address) {
            break;
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_about_its_own_caller() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = [ip("127.0.0.1"), ip("10.0.0.1")];
        let from = |peer, forwarded| originator(ip(peer), forwarded, &trusted).unwrap();
        assert_eq!(from("1.2.3.4", "9.9.9.9"), ip("1.2.3.4"));
        assert_eq!(from("127.0.0.1", "6.6.6.6, 9.9.9.9"), ip("9.9.9.9"));
        assert_eq!(from("127.0.0.1", "9.9.9.9, 10.0.0.1"), ip("9.9.9.9"));
        assert_eq!(from("127.0.0.1", "nonsense"), ip("127.0.0.1"));
        assert_eq!(from("127.0.0.1", ""), ip("127.0.0.1"));
    }
}
