//! Decides which addresses a webhook may be sent to.
//!
//! Private, loopback and link-local addresses lead into the merchant's own network, where a webhook
//! could reach services that trust their neighbours. They are refused unless the operator has
//! allowed them by `--webhook-allow`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The bits before the IPv4 address in an IPv6 address such as `::ffff:127.0.0.1` (RFC 4291).
const MAPPED_BITS: u32 = 96;

/// A destination that the operator allows although it is private or without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A host name or an address, with a port or for any.
    Host { host: String, port: Option<u16> },
    /// All addresses whose first `bits` bits are those of `address`.
    Network { address: IpAddr, bits: u32 },
}

/// The destinations that are allowed in addition to public addresses over TLS.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<Allowed>,
}

/// Why nothing is sent to a URL. The text says how the operator can allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("expected an absolute http:// or https:// URL with a host")]
    NotAUrl,
    #[error("expected a URL without a user name and password")]
    Credentials,
    #[error("https is required for {0}, unless the server is started with --webhook-allow {0}")]
    NotHttps(String),
    #[error(
        "private addresses such as {0} are allowed only if the server is started with \
         --webhook-allow {0}"
    )]
    Private(String),
}

/// Which addresses of a host may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// Any address: the operator named the host.
    Any,
    /// Public addresses, and those of allowed networks.
    PublicOrAllowed,
    /// Only addresses of allowed networks, because the URL is not https.
    Allowed,
}

impl Allowed {
    /// Parses `HOST`, `HOST:PORT` or `NETWORK` (`192.168.1.0/24`); `None` for any other text.
    pub fn parse(text: &str) -> Option<Allowed> {
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits: u32 = bits.parse().ok()?;
            let bits_max = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= bits_max).then(|| plain_network(address, bits));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Allowed::Host { host: plain_host(&address.to_string()), port: None });
        }
        // The URL parser normalizes a name as it does in the URLs of hooks.
        let url = Url::parse(&format!("https://{text}/")).ok()?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let host = plain_host(url.host_str()?);
        (bare && url.username().is_empty()).then_some(Allowed::Host { host, port })
    }
}

/// A host as it is compared: without the brackets of an IPv6 address and the dot at the end, and an
/// IPv4 address that is written as IPv6 (`::ffff:127.0.0.1`) as IPv4.
fn plain_host(host: &str) -> String {
    let bare = host.trim_matches(['[', ']']).trim_end_matches('.');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.to_owned(),
    }
}

/// A network as it is compared: one of IPv4 addresses that are written as IPv6 as one of IPv4.
fn plain_network(address: IpAddr, bits: u32) -> Allowed {
    match (address.to_canonical(), bits.checked_sub(MAPPED_BITS)) {
        (IpAddr::V4(inner), Some(bits)) if address.is_ipv6() => {
            Allowed::Network { address: inner.into(), bits }
        }
        _ => Allowed::Network { address, bits },
    }
}

impl Guard {
    pub fn new(allowed: Vec<Allowed>) -> Guard {
        Guard { allowed }
    }

    /// Allows everything on this machine too, as the demo does.
    pub fn with_loopback(mut self) -> Guard {
        self.allowed.extend([
            Allowed::Host { host: "localhost".to_owned(), port: None },
            Allowed::Network { address: Ipv4Addr::new(127, 0, 0, 0).into(), bits: 8 },
            Allowed::Network { address: Ipv6Addr::LOCALHOST.into(), bits: 128 },
        ]);
        self
    }

    /// Refuses a URL to which nothing will ever be sent. The addresses of a host name are judged
    /// only when something is sent.
    pub fn judge_url(&self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
        self.permit(&url).map(|_| url)
    }

    /// Which addresses of the URL's host may be connected to.
    pub(super) fn permit(&self, url: &Url) -> Result<Permit, Refusal> {
        let is_https = url.scheme() == "https";
        let (Some(host), true) = (url.host(), is_https || url.scheme() == "http") else {
            return Err(Refusal::NotAUrl);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        let port = url.port_or_known_default();
        let name = plain_host(&host.to_string());
        if self.names(&name, port) {
            return Ok(Permit::Any);
        }
        let permit = if is_https { Permit::PublicOrAllowed } else { Permit::Allowed };
        let address = match host {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) if is_local_name(&name) => return Err(Refusal::Private(name)),
            Host::Domain(_) if !is_https && !self.has_own_networks() => {
                return Err(Refusal::NotHttps(name));
            }
            Host::Domain(_) => return Ok(permit),
        };
        self.judge_address(address, permit).map(|()| permit)
    }

    /// Refuses an address unless it may be connected to.
    pub(super) fn judge_address(&self, address: IpAddr, permit: Permit) -> Result<(), Refusal> {
        let inner = inner_v4(address);
        let is_allowed = permit == Permit::Any
            || self.is_in_network(address)
            || inner.is_some_and(|inner| self.is_in_network(inner.into()));
        if is_allowed {
            return Ok(());
        }
        if !is_public(address) {
            return Err(Refusal::Private(address.to_string()));
        }
        match permit {
            Permit::Allowed => Err(Refusal::NotHttps(address.to_string())),
            Permit::Any | Permit::PublicOrAllowed => Ok(()),
        }
    }

    fn names(&self, name: &str, port: Option<u16>) -> bool {
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Host { host, port: only } => host == name && (only.is_none() || *only == port),
            Allowed::Network { .. } => false,
        })
    }

    /// True if a network other than loopback is allowed, since its hosts may have names.
    fn has_own_networks(&self) -> bool {
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Network { address, .. } => !address.is_loopback(),
            Allowed::Host { .. } => false,
        })
    }

    fn is_in_network(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Network { address: network, bits } => is_in(address, *network, *bits),
            Allowed::Host { .. } => false,
        })
    }
}

/// Names that mean this machine wherever they are resolved (RFC 6761).
fn is_local_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = u32::from(address) ^ u32::from(network);
            bits == 0 || differing.checked_shr(32 - bits).unwrap_or_default() == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = u128::from(address) ^ u128::from(network);
            bits == 0 || differing.checked_shr(128 - bits).unwrap_or_default() == 0
        }
        _ => false,
    }
}

/// Networks that are not part of the public internet (IANA's registries of special purpose
/// addresses), each with its length in bits.
const PRIVATE_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The public IPv6 addresses in use; everything outside is special.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Special networks inside of [`PUBLIC_V6`]: of protocols (2001::/23), of documentation, of relays
/// to IPv4 (2002::/16 is judged by the address inside).
const PRIVATE_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public(address: IpAddr) -> bool {
    if let Some(inner) = inner_v4(address) {
        return is_public(inner.into());
    }
    match address {
        IpAddr::V4(address) => !PRIVATE_V4
            .iter()
            .any(|(network, bits)| is_in(address.into(), (*network).into(), *bits)),
        IpAddr::V6(address) => {
            let (public, bits) = PUBLIC_V6;
            is_in(address.into(), public.into(), bits)
                && !PRIVATE_V6
                    .iter()
                    .any(|(network, bits)| is_in(address.into(), (*network).into(), *bits))
        }
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, of NAT64 or of 6to4.
fn inner_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let segments = address.segments();
    let from = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] => from(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if 0 < high => from(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => from(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        Guard::new(allowed.iter().map(|text| Allowed::parse(text).expect(text)).collect())
    }

    #[test]
    fn every_spelling_of_an_address_in_the_own_network_is_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "017700000001",
            "0x7f.1",
            "127.0.0.1.",
            "１２７.０.０.１",
            "127。0。0。1",
            "localhost",
            "LOCALHOST.",
            "shop.localhost",
            "0.0.0.0",
            "0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.20",
            "198.18.0.1",
            "192.0.2.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:c0a8:0101]",
            "[::ffff:0:10.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[2001:db8::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[100::1]",
        ] {
            let url = format!("https://{host}/hook");
            let refusal = guard(&[]).judge_url(&url).expect_err(&url);
            assert!(matches!(refusal, Refusal::Private(_)), "{url}: {refusal}");
            assert!(refusal.to_string().contains("--webhook-allow"), "{refusal}");
        }
    }

    #[test]
    fn public_hosts_are_sent_to_over_tls_only() {
        for host in
            ["shop.example", "93.184.215.14", "[2606:2800:21f:cb07::1]", "[2002:5db8:d70e::]"]
        {
            assert!(guard(&[]).judge_url(&format!("https://{host}:8443/a?b")).is_ok(), "{host}");
            let refusal = guard(&[]).judge_url(&format!("http://{host}/")).expect_err(host);
            assert!(matches!(refusal, Refusal::NotHttps(_)), "{host}: {refusal}");
            assert!(refusal.to_string().contains("--webhook-allow"), "{refusal}");
        }
        for wrong in ["shop.example", "/hook", "ftp://shop.example/", "https://", "file:///etc"] {
            assert_eq!(guard(&[]).judge_url(wrong), Err(Refusal::NotAUrl), "{wrong}");
        }
        for wrong in ["https://a@shop.example", "https://:b@shop.example", "https://a:b@1.1.1.1"] {
            assert_eq!(guard(&[]).judge_url(wrong), Err(Refusal::Credentials), "{wrong}");
        }
    }

    #[test]
    fn the_operator_can_allow_a_host_a_port_or_a_network() {
        let ok = |allowed: &[&str], url: &str| guard(allowed).judge_url(url).is_ok();
        assert!(ok(&["192.168.1.20:8080"], "http://192.168.1.20:8080/"));
        assert!(!ok(&["192.168.1.20:8080"], "http://192.168.1.20:8081/"));
        assert!(!ok(&["192.168.1.20:8080"], "http://192.168.1.21:8080/"));
        assert!(ok(&["192.168.1.20"], "http://192.168.1.20:8081/"));
        assert!(ok(&["192.168.0.0/16"], "http://192.168.200.1:8080/"));
        assert!(!ok(&["192.168.0.0/16"], "http://192.169.0.1/"));
        assert!(ok(&["192.168.0.0/16"], "http://[::ffff:192.168.0.1]/"));
        assert!(ok(&["shop.lan"], "http://SHOP.lan./hook"));
        assert!(!ok(&["shop.lan"], "http://other.lan/hook"));
        assert!(ok(&["shop.lan:443"], "https://shop.lan/hook"));
        assert!(!ok(&["shop.lan:443"], "http://shop.lan/hook"));
        assert!(ok(&["::1"], "http://[::1]:9/"));
        assert!(ok(&["[::1]:9"], "http://[::1]:9/"));
        assert!(!ok(&["[::1]:9"], "http://[::1]:10/"));
        assert!(ok(&["fd00::/8"], "http://[fd12::1]/"));
        assert!(ok(&["0.0.0.0/0"], "http://10.0.0.1/"));
        let demo = Guard::default().with_loopback();
        for url in ["http://localhost:9/", "http://127.0.0.1:9/", "http://[::1]/"] {
            assert!(demo.judge_url(url).is_ok(), "{url}");
        }
        assert!(demo.judge_url("http://10.0.0.1/").is_err());
        assert!(demo.judge_url("http://shop.example/").is_err());
        for wrong in
            ["", "10.0.0.0/33", "10.0.0/8", "shop.lan/x", "a b", "u@shop.lan", "shop.lan:x"]
        {
            assert_eq!(Allowed::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_the_same_for_options_and_urls() {
        let spellings =
            ["127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]"];
        for option in spellings {
            let bare = option.trim_matches(['[', ']']);
            assert_eq!(Allowed::parse(bare), Allowed::parse("127.0.0.1"), "{bare}");
            for host in spellings {
                let ok = |option: &str| guard(&[option]).judge_url(&format!("http://{host}:9/"));
                for option in [bare, option, &format!("{option}:9")] {
                    assert!(ok(option).is_ok(), "{option}: {host}");
                }
                assert!(ok(&format!("{option}:10")).is_err(), "{option}: {host}");
            }
        }
        for (mapped, plain) in [
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:a00:0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.1/128", "10.0.0.1/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
        ] {
            assert_eq!(Allowed::parse(mapped), Allowed::parse(plain), "{mapped}");
            for host in ["10.0.0.1", "[::ffff:10.0.0.1]", "[64:ff9b::10.0.0.1]"] {
                let judged = guard(&[mapped]).judge_url(&format!("http://{host}/"));
                assert!(judged.is_ok(), "{mapped}: {host}");
            }
        }
        // A larger network has addresses that are not IPv4 too.
        assert!(guard(&["::/0"]).judge_url("http://[::ffff:10.0.0.1]/").is_ok());
        assert!(guard(&["::/0"]).judge_url("http://10.0.0.1/").is_err());
    }

    #[test]
    fn the_advice_of_a_refusal_allows_the_url() {
        for url in [
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://[::127.0.0.1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "https://localhost./",
            "http://shop.example/",
            "http://93.184.215.14/",
            "http://[::ffff:93.184.215.14]/",
        ] {
            let advice = guard(&[]).judge_url(url).expect_err(url).to_string();
            let option = advice.rsplit(' ').next().unwrap();
            assert!(guard(&[option]).judge_url(url).is_ok(), "{advice}");
        }
    }

    #[test]
    fn the_addresses_of_a_name_are_judged_one_by_one() {
        let guard = guard(&["10.0.0.0/8"]);
        let judge = |address: &str, permit| guard.judge_address(address.parse().unwrap(), permit);
        assert!(judge("93.184.215.14", Permit::PublicOrAllowed).is_ok());
        assert!(judge("93.184.215.14", Permit::Allowed).is_err());
        assert!(judge("10.0.0.1", Permit::Allowed).is_ok());
        assert!(judge("127.0.0.1", Permit::PublicOrAllowed).is_err());
        assert!(judge("::ffff:127.0.0.1", Permit::PublicOrAllowed).is_err());
        assert!(judge("127.0.0.1", Permit::Any).is_ok());
    }
}
