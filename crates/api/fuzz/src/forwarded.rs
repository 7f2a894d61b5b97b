//! `X-Forwarded-For`: a first byte for the number of hops, or for networks; a second one that chooses the peer; then a header
//! value a line.

use api::config::{MAX_PROXIES, TrustedProxies};
use api::http::client_ip::{ClientIp, ProxyChain, follow_proxies};
use std::net::{IpAddr, Ipv4Addr};

/// One in a private network, one of Cloudflare's, one of an unknown client's.
const PEERS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(104, 22, 17, 40)),
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
];
const LIES: [&[u8]; 6] =
    [b"203.0.113.9", b"", b",,,", b"\xff", b"203.0.113.9, 203.0.113.8", b"203.0.113.9, 104.22.17.40, 10.0.0.1"];

/// Entries that a client writes to the left of the proxies' change nothing.
pub fn run(data: &[u8]) {
    let [first, second, rest @ ..] = data else { return };
    let hops = usize::from(*first) % (MAX_PROXIES + 2);
    let trusted = if hops > MAX_PROXIES { TrustedProxies::of_render() } else { TrustedProxies::Hops(hops) };
    let peer = PEERS[usize::from(*second) % PEERS.len()];
    let values: Vec<_> = rest.split(|byte| *byte == b'\n').collect();
    let found = follow_proxies(Some(peer), values.iter().copied(), &trusted);
    if let Some(seen) = found.client.seen() {
        assert_eq!(seen, seen.to_canonical());
    }
    if !trusted.is_trusted(peer) {
        assert_eq!(found.client.seen(), Some(peer), "a peer that is not a proxy chose an address");
    }
    if is_decided(&found, &trusted, &values) {
        for lie in LIES {
            let forged = follow_proxies(Some(peer), std::iter::once(lie).chain(values.iter().copied()), &trusted);
            assert_eq!(forged, found, "a client chose its own address");
        }
    }
}

/// Whether the proxies' own entries determine the client; otherwise all entries are the proxies'.
fn is_decided(found: &ProxyChain, trusted: &TrustedProxies, values: &[&[u8]]) -> bool {
    let entries = values.iter().map(|value| value.split(|byte| *byte == b',').count()).sum::<usize>();
    match trusted {
        TrustedProxies::Hops(hops) => entries >= *hops,
        TrustedProxies::Networks(_) => matches!(found.client, ClientIp::Known(_)),
    }
}
