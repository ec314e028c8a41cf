//! The IP address that a request comes from, behind trusted proxies.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The peer's address or, if the peer is a trusted proxy, the last address in `X-Forwarded-For`
/// that is not a trusted proxy itself. The header is ignored if the peer is not trusted.
pub fn caller_address(request: &HttpRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for");
    let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
    originator(request.peer_addr()?.ip().to_canonical(), &forwarded.join(","), trusted)
}

/// True if a request comes from this machine itself, and not through a proxy on it.
pub fn is_local(request: &HttpRequest) -> bool {
    let is_loopback =
        request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let proxy_headers = ["forwarded", "x-forwarded-for", "x-real-ip"];
    is_loopback && !proxy_headers.iter().any(|name| request.headers().contains_key(*name))
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
    fn a_proxy_is_believed_only_if_trusted_and_only_about_its_own_caller() {
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
