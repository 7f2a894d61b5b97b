//! Where a request comes from: the connection's own address, or the one that the trusted proxies in front report.

use crate::config::{MAX_PROXIES, TrustedProxies, is_shared};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address of a request's client, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientIp {
    /// The client's own.
    Known(IpAddr),
    /// A proxy's or a private address, which many clients may share, or none.
    Unknown(Option<IpAddr>),
}

impl ClientIp {
    /// The address at which the search ended, also if it may be shared.
    pub const fn seen(self) -> Option<IpAddr> {
        match self {
            Self::Known(ip) => Some(ip),
            Self::Unknown(ip) => ip,
        }
    }

    /// Classifies the address at which the search for the client ended.
    fn of(ip: IpAddr) -> Self {
        if is_shared(ip) { Self::Unknown(Some(ip)) } else { Self::Known(ip) }
    }
}

/// The client of a request, and the proxies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyChain {
    pub client: ClientIp,
    /// How many trusted proxies it passed.
    pub proxies: usize,
}

/// Follows a request back to its client: from the connection's own address `peer` through the values of
/// `X-Forwarded-For`, from the right, as far as `trusted` says that a proxy has written them. A client may have written
/// everything left of that. An entry that is not an address ends the search: going on would trust what a client wrote, and
/// going back would make all clients one.
///
/// No other header is read: a client can send any of them, and the proxies do not remove them.
pub fn follow_proxies<'a, V>(peer: Option<IpAddr>, forwarded: V, trusted: &TrustedProxies) -> ProxyChain
where
    V: IntoIterator<Item = &'a [u8], IntoIter: DoubleEndedIterator>,
{
    let Some(peer) = peer.map(|peer| peer.to_canonical()) else {
        return ProxyChain { client: ClientIp::Unknown(None), proxies: 0 };
    };
    // Bytes, not text: a value that is not text must not shift the count.
    let mut entries = forwarded.into_iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
    match trusted {
        TrustedProxies::Hops(0) => ProxyChain { client: direct(peer, entries.next().is_some()), proxies: 0 },
        TrustedProxies::Hops(hops) => ProxyChain { client: counted(peer, entries.nth(hops - 1)), proxies: *hops },
        TrustedProxies::Networks(_) => walk(peer, entries, trusted),
    }
}

/// Without a proxy the peer is the client, also in a private network; but the header, sent from such an address or from a
/// well-known proxy's, means that there is a proxy which is not configured.
fn direct(peer: IpAddr, is_forwarded: bool) -> ClientIp {
    if is_forwarded { ClientIp::of(peer) } else { ClientIp::Known(peer) }
}

/// The entry that the outermost proxy has appended; unknown if the request passed fewer proxies.
fn counted(peer: IpAddr, entry: Option<&[u8]>) -> ClientIp {
    match entry {
        Some(entry) => parse(entry).map_or(ClientIp::Unknown(None), ClientIp::of),
        None => ClientIp::Unknown(Some(peer)),
    }
}

fn walk<'a>(peer: IpAddr, mut entries: impl Iterator<Item = &'a [u8]>, trusted: &TrustedProxies) -> ProxyChain {
    let mut last = peer;
    for proxies in 0..=MAX_PROXIES {
        if !trusted.is_trusted(last) {
            return ProxyChain { client: ClientIp::of(last), proxies };
        }
        let unknown = |seen| ProxyChain { client: ClientIp::Unknown(seen), proxies: proxies + 1 };
        match entries.next().map(parse) {
            Some(Some(ip)) => last = ip,
            Some(None) => return unknown(None),
            None => return unknown(Some(last)),
        }
    }
    ProxyChain { client: ClientIp::Unknown(Some(last)), proxies: MAX_PROXIES }
}

/// An address with or without a port; an IPv6 address with or without brackets.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let ip = text.parse().ok().or_else(with_port).or_else(in_brackets)?;
    Some(ip.to_canonical())
}
