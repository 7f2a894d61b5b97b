//! Where a request comes from: the peer, or what the trusted proxies before the API say of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The client's address. `forwarded` are the values of `X-Forwarded-For` in their order; `hops` proxies append to it, so
/// the entry of the outermost of them is the `hops`-th from the right. What stands left of that a client may have
/// written itself. An entry that is missing or no address gives the peer's.
///
/// No other header is asked: each of them a client can send, too, and no proxy of ours takes them away.
pub fn client_ip<'a>(
    forwarded: impl IntoIterator<Item = &'a [u8]>,
    peer: Option<IpAddr>,
    hops: usize,
) -> Option<IpAddr> {
    let claimed = if hops == 0 { None } else { entry(forwarded, hops).and_then(parse) };
    claimed.or(peer).map(|ip| ip.to_canonical())
}

/// Whether an address belongs to no place on the internet: as a peer it is a proxy, or somebody on the same machine.
#[must_use]
pub fn is_inside(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // 100.64.0.0/10: platforms use it inside (RFC 6598).
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// The `hops`-th entry from the right. Bytes, not text: a value that is no text must not shift the count.
fn entry<'a>(forwarded: impl IntoIterator<Item = &'a [u8]>, hops: usize) -> Option<&'a [u8]> {
    let entries: Vec<_> = forwarded.into_iter().flat_map(|value| value.split(|byte| *byte == b',')).collect();
    entries.len().checked_sub(hops).map(|index| entries[index])
}

/// An address with or without a port; of version 6 with or without brackets.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}
