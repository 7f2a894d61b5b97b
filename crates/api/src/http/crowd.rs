//! The connections that are open in this process: how many there may be, and how many of them one peer may have.

use crate::config::TrustedProxies;
use crate::gate::Refusals;
use crate::service::limits::Network;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// One peer has at most this part of all connections, unless it is a trusted proxy.
const PEERS_PART: usize = 8;

/// All open connections; clones share them.
#[derive(Debug, Clone)]
pub struct Crowd(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    /// A proxy has many clients.
    proxies: TrustedProxies,
    open: Mutex<Open>,
    refusals: Refusals,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_peer: HashMap<Network, Peer>,
}

#[derive(Debug, Default)]
struct Peer {
    open: usize,
    /// Whether a connection was refused since the peer had less than half of its part: the others must make room.
    pressed: bool,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Crowd,
    /// `None` for a trusted proxy, and for a connection that was refused.
    peer: Option<Network>,
    refused: bool,
}

impl Crowd {
    /// At most `most` connections; those of one peer that are too many are counted by `refused`.
    #[must_use]
    pub fn of_at_most(most: usize, proxies: TrustedProxies, refused: Counter) -> Self {
        let refusals = Refusals::of("connections", refused);
        Self(Arc::new(Shared { most, proxies, open: Mutex::default(), refusals }))
    }

    /// Notes a connection. One that is over its peer's part has a seat that says so, and must be closed at once.
    pub(super) fn enter(&self, peer: Option<IpAddr>) -> Seat {
        let counted = peer.map(|peer| peer.to_canonical()).filter(|peer| !self.0.proxies.is_trusted(*peer));
        let counted = counted.map(Network::from);
        let mut open = self.0.open.lock();
        open.total += 1;
        if let Some(network) = counted {
            let peer = open.by_peer.entry(network).or_default();
            if peer.open >= self.part() {
                peer.pressed = true;
                self.0.refusals.note();
                return Seat { crowd: self.clone(), peer: None, refused: true };
            }
            peer.open += 1;
        }
        Seat { crowd: self.clone(), peer: counted, refused: false }
    }

    fn part(&self) -> usize {
        (self.0.most / PEERS_PART).max(1)
    }
}

impl Seat {
    pub(super) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Past three quarters of all connections, or when others of the peer are refused: whoever waits must make room.
    pub(super) fn is_dense(&self) -> bool {
        let open = self.crowd.0.open.lock();
        let pressed = self.peer.and_then(|network| open.by_peer.get(&network)).is_some_and(|peer| peer.pressed);
        pressed || open.total * 4 > self.crowd.0.most * 3
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let half = self.crowd.part() / 2;
        let mut open = self.crowd.0.open.lock();
        open.total -= 1;
        let Some(network) = self.peer else { return };
        if let Some(peer) = open.by_peer.get_mut(&network) {
            peer.open -= 1;
            peer.pressed &= peer.open > half;
            if peer.open == 0 {
                open.by_peer.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, Seat, TrustedProxies};
    use std::net::IpAddr;

    fn crowd(most: usize, hops: usize) -> Crowd {
        Crowd::of_at_most(most, TrustedProxies::Hops(hops), super::Counter::default())
    }

    fn enter(crowd: &Crowd, peer: &str) -> Seat {
        crowd.enter(peer.parse::<IpAddr>().ok())
    }

    #[test]
    fn one_peer_has_at_most_an_eighth() {
        let crowd = crowd(64, 0);
        let mut seats: Vec<_> = (0..8).map(|_| enter(&crowd, "203.0.113.9")).collect();
        assert!(seats.iter().all(|seat| !seat.is_refused() && !seat.is_dense()));
        assert!(enter(&crowd, "::ffff:203.0.113.9").is_refused());
        assert!(seats[0].is_dense(), "others of this peer are refused");
        let other = enter(&crowd, "203.0.113.8");
        assert!(!other.is_refused() && !other.is_dense());
        seats.truncate(4);
        assert!(!seats[0].is_dense());
        assert!(!enter(&crowd, "203.0.113.9").is_refused());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_peer() {
        let crowd = crowd(16, 0);
        let _seats = ["2001:db8:0:1::1", "2001:db8:0:1::2"].map(|peer| enter(&crowd, peer));
        assert!(enter(&crowd, "2001:db8:0:1:a::3").is_refused());
        assert!(!enter(&crowd, "2001:db8:0:2::3").is_refused());
    }

    #[test]
    fn a_trusted_proxy_has_as_many_as_there_are() {
        let crowd = crowd(16, 1);
        let seats: Vec<_> = (0..16).map(|_| enter(&crowd, "10.0.0.7")).collect();
        assert!(seats.iter().all(|seat| !seat.is_refused()));
        assert!(seats[0].is_dense(), "more than three quarters of all");
    }
}
