//! `X-Forwarded-For`: a first byte of hops, then header values, a line each.

use api::http::client_ip::client_ip;
use std::net::{IpAddr, Ipv4Addr};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MOST_HOPS: u8 = 16;

/// An address comes out, and what a client writes to the left of the proxies' entries changes nothing.
pub fn run(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let hops = usize::from(first % (MOST_HOPS + 1));
    let values: Vec<_> = rest.split(|byte| *byte == b'\n').collect();
    let found = client_ip(values.iter().copied(), Some(PEER), hops).expect("there is a peer");
    assert_eq!(found, found.to_canonical());
    if hops == 0 {
        assert_eq!(found, PEER);
    }
    let entries = values.iter().map(|value| value.split(|byte| *byte == b',').count()).sum::<usize>();
    if entries < hops {
        assert_eq!(found, PEER, "fewer entries than proxies");
    } else {
        for lie in [b"203.0.113.9".as_slice(), b"", b",,,", b"\xff", b"203.0.113.9, 203.0.113.8"] {
            let values = std::iter::once(lie).chain(values.iter().copied());
            assert_eq!(client_ip(values, Some(PEER), hops), Some(found), "a client chose its own address");
        }
    }
}
