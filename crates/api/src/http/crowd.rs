//! The connections that are open in this process: how many there may be, how many of them one peer may have, and on how
//! many of them the bodies of one client may be on their way.

use crate::config::TrustedProxies;
use crate::gate::{Parts, Refusals, ShareKey};
use crate::service::limits::Network;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::net::IpAddr;
use std::sync::Arc;

/// One peer has at most this part of all connections, unless it is a trusted proxy; and one client's bodies, wherever it
/// connects from.
const PART: usize = 8;

/// All open connections; clones share them.
#[derive(Debug, Clone)]
pub struct Crowd(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    /// A proxy has many clients.
    proxies: TrustedProxies,
    open: Mutex<Open>,
    bodies: Mutex<Parts<ShareKey>>,
    refusals: Refusals,
}

#[derive(Debug)]
struct Open {
    total: usize,
    peers: Parts<Network>,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Crowd,
    /// `None` for a trusted proxy, and for a connection that was refused.
    peer: Option<Network>,
    refused: bool,
}

/// The place of a body that is on its way, until it is dropped.
#[derive(Debug)]
pub(super) struct BodySeat {
    crowd: Crowd,
    /// `None` for an unknown client: all of those together are not one.
    client: Option<ShareKey>,
}

impl Crowd {
    /// At most `most` connections; those of one peer that are too many are counted by `refused`.
    #[must_use]
    pub fn of_at_most(most: usize, proxies: TrustedProxies, refused: Counter) -> Self {
        let refusals = Refusals::of("connections", refused);
        let open = Mutex::new(Open { total: 0, peers: Parts::of_at_most(most / PART) });
        let bodies = Mutex::new(Parts::of_at_most(most / PART));
        Self(Arc::new(Shared { most, proxies, open, bodies, refusals }))
    }

    /// Notes a connection. One that is over its peer's part has a seat that says so, and must be closed at once.
    pub(super) fn enter(&self, peer: Option<IpAddr>) -> Seat {
        let counted = peer.map(|peer| peer.to_canonical()).filter(|peer| !self.0.proxies.is_trusted(*peer));
        let counted = counted.map(Network::from);
        let mut open = self.0.open.lock();
        open.total += 1;
        if counted.is_some_and(|network| !open.peers.take(network)) {
            self.0.refusals.note();
            return Seat { crowd: self.clone(), peer: None, refused: true };
        }
        Seat { crowd: self.clone(), peer: counted, refused: false }
    }
}

impl Seat {
    pub(super) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Past three quarters of all connections, or when others of the peer are refused: whoever waits must make room.
    pub(super) fn is_dense(&self) -> bool {
        let open = self.crowd.0.open.lock();
        self.peer.is_some_and(|network| open.peers.is_pressed(network)) || open.total * 4 > self.crowd.0.most * 3
    }

    /// Notes a body of `client` on this connection, unless too many of its bodies are on their way. Behind a proxy this is
    /// all that bounds how many connections one client holds.
    pub(super) fn begin_body(&self, client: ShareKey) -> Option<BodySeat> {
        let client = Some(client).filter(|client| *client != ShareKey::Unknown);
        let taken = client.is_none_or(|client| self.crowd.0.bodies.lock().take(client));
        taken.then(|| BodySeat { crowd: self.crowd.clone(), client })
    }
}

impl BodySeat {
    /// Whether others of the client are refused.
    pub(super) fn is_pressed(&self) -> bool {
        self.client.is_some_and(|client| self.crowd.0.bodies.lock().is_pressed(client))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.crowd.0.open.lock();
        open.total -= 1;
        if let Some(network) = self.peer {
            open.peers.give_back(network);
        }
    }
}

impl Drop for BodySeat {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            self.crowd.0.bodies.lock().give_back(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, Seat, ShareKey, TrustedProxies};
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

    #[test]
    fn the_bodies_of_one_client_have_an_eighth_and_must_hurry_when_more_are_refused() {
        let (crowd, eve, ada) = (crowd(64, 1), ShareKey::Account(1), ShareKey::Account(2));
        let seat = enter(&crowd, "10.0.0.7");
        let mut bodies: Vec<_> = (0..8).filter_map(|_| seat.begin_body(eve)).collect();
        assert_eq!(bodies.len(), 8);
        assert!(!bodies[0].is_pressed());
        assert!(seat.begin_body(eve).is_none());
        assert!(bodies[0].is_pressed());
        let other = seat.begin_body(ada);
        assert!(other.is_some_and(|other| !other.is_pressed()), "the same proxy's, and another client's");
        bodies.truncate(4);
        assert!(!bodies[0].is_pressed());
        assert!(seat.begin_body(eve).is_some());
        let unknown: Vec<_> = (0..64).filter_map(|_| seat.begin_body(ShareKey::Unknown)).collect();
        assert_eq!(unknown.len(), 64, "they are not one client");
    }
}
