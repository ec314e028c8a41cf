//! The form in which an address is counted, wherever callers are limited by address.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that a provider assigns to one customer, who chooses the rest.
const OWN_BITS: u32 = 64;
/// Bits of the largest block of IPv6 addresses that one customer usually gets.
const SHARED_BITS: u32 = 48;

/// The addresses under which a caller is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedAddress {
    /// An IPv4 address, or the /64 of an IPv6 address. `None` if many callers have the address.
    pub own: Option<IpAddr>,
    /// An address that many callers may share, which therefore has a higher limit: the /48 of an
    /// IPv6 address, or the address of a proxy that does not forward its callers' addresses.
    pub shared: Option<IpAddr>,
}

impl CountedAddress {
    /// A proxy's address, which all the callers behind it have.
    pub fn of_proxy(address: IpAddr) -> CountedAddress {
        CountedAddress { own: None, shared: Some(address.to_canonical()) }
    }
}

impl From<IpAddr> for CountedAddress {
    fn from(address: IpAddr) -> CountedAddress {
        match address.to_canonical() {
            IpAddr::V4(address) => CountedAddress { own: Some(address.into()), shared: None },
            IpAddr::V6(address) => CountedAddress {
                own: Some(block(address, OWN_BITS)),
                shared: Some(block(address, SHARED_BITS)),
            },
        }
    }
}

/// The first of the addresses that have the same first `bits` as `address`.
fn block(address: Ipv6Addr, bits: u32) -> IpAddr {
    let mask = u128::MAX << (u128::BITS - bits);
    Ipv6Addr::from_bits(address.to_bits() & mask).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_one_caller_can_choose_among_count_as_one() {
        for (address, own, shared) in [
            ("203.0.113.7", "203.0.113.7", None),
            ("::ffff:203.0.113.7", "203.0.113.7", None),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", Some("2001:db8:1::")),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::", Some("2001:db8:1::")),
            ("2001:db8:1:3::1", "2001:db8:1:3::", Some("2001:db8:1::")),
            ("2001:db8:2::1", "2001:db8:2::", Some("2001:db8:2::")),
        ] {
            let counted = CountedAddress::from(address.parse::<IpAddr>().unwrap());
            let parse = |text: &str| Some(text.parse::<IpAddr>().unwrap());
            assert_eq!((counted.own, counted.shared), (parse(own), shared.and_then(parse)));
        }
    }
}
