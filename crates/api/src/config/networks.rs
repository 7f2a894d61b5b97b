//! Networks that the program knows by name: private ones, and those of common proxies.

use chrono::NaiveDate;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Not on the internet: loopback, RFC 1918, shared (RFC 6598, which platforms use internally), link-local, unique-local.
pub(super) const PRIVATE: &[IpNet] = &[
    v4([127, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v4([169, 254, 0, 0], 16),
    v4([100, 64, 0, 0], 10),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
];

/// The networks of Cloudflare's edge, from <https://www.cloudflare.com/ips> ([`CLOUDFLARE_AS_OF`]).
pub(super) const CLOUDFLARE: &[IpNet] = &[
    v4([173, 245, 48, 0], 20),
    v4([103, 21, 244, 0], 22),
    v4([103, 22, 200, 0], 22),
    v4([103, 31, 4, 0], 22),
    v4([141, 101, 64, 0], 18),
    v4([108, 162, 192, 0], 18),
    v4([190, 93, 240, 0], 20),
    v4([188, 114, 96, 0], 20),
    v4([197, 234, 240, 0], 22),
    v4([198, 41, 128, 0], 17),
    v4([162, 158, 0, 0], 15),
    v4([104, 16, 0, 0], 13),
    v4([104, 24, 0, 0], 14),
    v4([172, 64, 0, 0], 13),
    v4([131, 0, 72, 0], 22),
    v6([0x2400, 0xcb00, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2606, 0x4700, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2803, 0xf800, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2405, 0xb500, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2405, 0x8100, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2a06, 0x98c0, 0, 0, 0, 0, 0, 0], 29),
    v6([0x2c0f, 0xf248, 0, 0, 0, 0, 0, 0], 32),
];

/// The day on which `CLOUDFLARE` was compared with the published list.
pub const CLOUDFLARE_AS_OF: NaiveDate = match NaiveDate::from_ymd_opt(2026, 10, 14) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Where Cloudflare's Workers send requests from, inside its published networks. Anyone can rent a Worker and choose what it
/// writes into `X-Forwarded-For`, so a Worker is a client and never a proxy.
const WORKERS: IpNet = v6([0x2a06, 0x98c0, 0x3600, 0, 0, 0, 0, 0], 48);

/// Whether an address is not on the internet.
pub fn is_private(ip: IpAddr) -> bool {
    is_inside(PRIVATE, ip)
}

/// Whether many clients may share an address: a private one, or one that a known proxy connects from.
pub fn is_shared(ip: IpAddr) -> bool {
    is_private(ip) || (is_inside(CLOUDFLARE, ip) && !is_worker(ip))
}

/// Whether it is the address of a Cloudflare Worker, which anyone can rent.
pub(super) fn is_worker(ip: IpAddr) -> bool {
    WORKERS.contains(&ip)
}

pub(super) fn is_inside(networks: &[IpNet], ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    networks.iter().any(|network| network.contains(&ip))
}

const fn v4(address: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from_octets(address), prefix))
}

const fn v6(address: [u16; 8], prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_segments(address), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_is_listed_with_an_address_inside_it() {
        for network in PRIVATE.iter().chain(CLOUDFLARE) {
            assert_eq!(*network, network.trunc(), "{network}");
        }
    }

    #[test]
    fn a_workers_address_is_not_a_proxys() -> Result<(), std::net::AddrParseError> {
        assert!(is_inside(CLOUDFLARE, "2a06:98c0:3600::103".parse()?), "it is in a published network");
        assert!(!is_shared("2a06:98c0:3600::103".parse()?));
        assert!(is_shared("2a06:98c0:3601::1".parse()?));
        Ok(())
    }
}
