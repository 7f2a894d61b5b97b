//! What counts as one client.

use crate::gate::RequesterId;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address, or an IPv6 /64: the least that one customer gets, with 2^64 addresses to rotate through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    V4(Ipv4Addr),
    /// The /64's first address.
    V6(Ipv6Addr),
}

const FIRST_HALF: u128 = !0 << 64;
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

impl Network {
    /// The requester that its requests count for, unless they are authenticated.
    pub const fn requester_id(self) -> RequesterId {
        match self {
            Self::V4(address) => RequesterId::Client(IpAddr::V4(address)),
            Self::V6(first) => RequesterId::Client(IpAddr::V6(first)),
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            // All IPv4 hosts behind one translator (RFC 6052) are not one client.
            IpAddr::V6(address) if address.segments()[..6] == NAT64 => {
                let [.., a, b, c, d] = address.octets();
                Self::V4(Ipv4Addr::new(a, b, c, d))
            }
            IpAddr::V6(address) => Self::V6(Ipv6Addr::from_bits(address.to_bits() & FIRST_HALF)),
        }
    }
}

impl Network {
    /// The range within which a client's address may change while it is still the same client: an IPv4 /24 or an IPv6 /64.
    pub fn neighbourhood(self) -> IpAddr {
        match self {
            Self::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
            Self::V6(first) => first.into(),
        }
    }
}

/// As it is stored: `203.0.113.7`, `2001:db8:0:1::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(first) => write!(f, "{first}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv6Addr};

    fn network(address: &str) -> String {
        Network::from(address.parse::<IpAddr>().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))).to_string()
    }

    #[test]
    fn an_ipv4_address_counts_alone_and_an_ipv6_address_by_its_64() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:0:1::1"), "2001:db8:0:1::/64");
        assert_eq!(network("2001:db8:0:1:ffff::9"), "2001:db8:0:1::/64");
        assert_ne!(network("2001:db8:0:2::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("203.0.113.8"), network("203.0.113.7"));
        assert_eq!(network("::1"), "::/64");
        assert_eq!(network("64:ff9b::203.0.113.7"), "203.0.113.7");
        assert_eq!(network("64:ff9b:1::1"), "64:ff9b:1::/64");
    }

    #[test]
    fn a_neighbourhood_is_an_ipv4_24_or_an_ipv6_64() {
        let of = |address: [u8; 4]| Network::from(IpAddr::from(address)).neighbourhood();
        assert_eq!(of([203, 0, 113, 7]), of([203, 0, 113, 250]));
        assert_ne!(of([203, 0, 113, 7]), of([203, 0, 112, 7]));
        assert_ne!(of([0, 0, 0, 1]), Network::from(IpAddr::V6(Ipv6Addr::LOCALHOST)).neighbourhood());
    }

    proptest! {
        #[test]
        fn the_second_half_of_an_ipv6_address_changes_nothing(first in 0x2000_u16.., rest: [u16; 3], a: [u16; 4], b: [u16; 4]) {
            let of = |end: [u16; 4]| Network::from(IpAddr::V6(Ipv6Addr::new(
                first, rest[0], rest[1], rest[2], end[0], end[1], end[2], end[3],
            )));
            prop_assert_eq!(of(a), of(b));
        }
    }
}
