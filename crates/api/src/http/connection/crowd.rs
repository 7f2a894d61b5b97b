//! The connections that are open in this process: how many there may be, who makes room for a new one, how many of them
//! one peer may have, and on how many of them the bodies of one client may be on their way.

use super::metrics::ConnectionMetrics;
use super::waits::{EndSignal, Line, Place, Waits};
use crate::clock::Stopwatch;
use crate::config::TrustedProxies;
use crate::gate::{Parts, Refusals, ShareKey};

use crate::service::limits::Network;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// One peer has at most this part of all connections, unless it is a trusted proxy; and one client's bodies, wherever it
/// connects from.
const PART: usize = 8;

/// All open connections; clones share them.
#[derive(Debug, Clone)]
pub struct Crowd(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Three quarters of all. A connection beyond them makes another one end, so that there is always room to accept more.
    bound: usize,
    /// A proxy has many clients.
    proxies: TrustedProxies,
    open: Mutex<Open>,
    bodies: Mutex<Parts<ShareKey>>,
    refusals: Refusals,
    /// Those that made room.
    displaced: Refusals,
}

#[derive(Debug)]
struct Open {
    total: usize,
    /// Of these, those that were told to end.
    ending: usize,
    peers: Parts<Network>,
    waits: Waits,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Seat {
    crowd: Crowd,
    /// `None` for a trusted proxy, and for a connection that was refused.
    peer: Option<Network>,
    refused: bool,
    /// Given to a refused one from the start.
    signal: Arc<EndSignal>,
}

/// A wait for the connection's client, until it is dropped. The connection may be told to end meanwhile.
#[derive(Debug)]
pub(in crate::http) struct Wait {
    crowd: Crowd,
    place: Place,
    since: Stopwatch,
}

/// The place of a body that is on its way, until it is dropped.
#[derive(Debug)]
pub(in crate::http) struct BodySeat {
    crowd: Crowd,
    /// `None` for an unknown client: all of those together are not one.
    client: Option<ShareKey>,
    wait: Wait,
}

impl Open {
    /// Tells those to end that have waited the longest, as many as are beyond `bound`. Without the lock they are woken.
    fn make_room(&mut self, bound: usize) -> Vec<Arc<EndSignal>> {
        let beyond = (self.total - self.ending).saturating_sub(bound);
        let told: Vec<_> = std::iter::from_fn(|| self.waits.end_oldest()).take(beyond).collect();
        self.ending += told.len();
        told
    }
}

impl Crowd {
    /// At most `most` connections; those that are refused or displaced are counted.
    pub fn of_at_most(most: usize, proxies: TrustedProxies, metrics: &ConnectionMetrics) -> Self {
        let refusals = Refusals::of("connections", metrics.refused.clone());
        let displaced = Refusals::of("places", metrics.displaced.clone());
        let peers = Parts::of_at_most(most / PART);
        let open = Mutex::new(Open { total: 0, ending: 0, peers, waits: Waits::default() });
        let bodies = Mutex::new(Parts::of_at_most(most / PART));
        Self(Arc::new(Shared { bound: most - most / 4, proxies, open, bodies, refusals, displaced }))
    }

    /// Notes a connection. One that is over its peer's part has a seat that says so, and must be closed at once. Any other
    /// one is let in: past three quarters of all, the one that has waited for its client the longest ends instead.
    pub(in crate::http) fn enter(&self, peer: Option<IpAddr>) -> Seat {
        let counted = peer.map(|peer| peer.to_canonical()).filter(|peer| !self.0.proxies.is_trusted(*peer));
        let counted = counted.map(Network::from);
        let mut open = self.0.open.lock();
        let refused = counted.is_some_and(|network| !open.peers.take(network));
        open.total += 1;
        open.ending += usize::from(refused);
        let told = open.make_room(self.0.bound);
        drop(open);
        self.wake(told);
        let signal = Arc::<EndSignal>::default();
        if refused {
            self.0.refusals.note();
            signal.give();
        }
        Seat { crowd: self.clone(), peer: counted.filter(|_| !refused), refused, signal }
    }

    fn wake(&self, told: Vec<Arc<EndSignal>>) {
        for signal in told {
            self.0.displaced.note();
            signal.wake();
        }
    }
}

impl Seat {
    pub(in crate::http) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether others of the peer are refused: those that wait must make room for them.
    pub(in crate::http) fn is_pressed(&self) -> bool {
        self.peer.is_some_and(|network| self.crowd.0.open.lock().peers.is_pressed(network))
    }

    /// Whether another connection, of the peer or of anybody, needs this one's place.
    pub(in crate::http) fn is_dense(&self) -> bool {
        self.is_pressed() || self.crowd.0.open.lock().total >= self.crowd.0.bound
    }

    /// Notes that the connection waits for its client from now on. When nobody waited as the newest came, those that were
    /// too many make room now: were all places taken, nobody would come any more.
    pub(in crate::http) fn wait(&self, line: Line) -> Wait {
        let mut open = self.crowd.0.open.lock();
        let told = open.make_room(self.crowd.0.bound);
        let place = open.waits.begin(line, &self.signal);
        drop(open);
        self.crowd.wake(told);
        Wait { crowd: self.crowd.clone(), place, since: Stopwatch::start() }
    }

    /// Ready when the connection must end.
    pub(in crate::http) fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        self.signal.poll(cx)
    }

    /// Notes a body of `client` on this connection, unless too many of its bodies are on their way. Behind a proxy this is
    /// all that bounds how many connections one client holds.
    pub(in crate::http) fn begin_body(&self, client: ShareKey) -> Option<BodySeat> {
        let client = Some(client).filter(|client| *client != ShareKey::Unknown);
        let taken = client.is_none_or(|client| self.crowd.0.bodies.lock().take(client));
        taken.then(|| BodySeat { crowd: self.crowd.clone(), client, wait: self.wait(Line::Request) })
    }
}

impl BodySeat {
    /// Whether others of the client are refused.
    pub(in crate::http) fn is_pressed(&self) -> bool {
        self.client.is_some_and(|client| self.crowd.0.bodies.lock().is_pressed(client))
    }

    /// Resolves when the connection must end, and the body has had its chance.
    pub(in crate::http) async fn displaced(&self, chance: Duration) {
        std::future::poll_fn(|cx| self.wait.place.signal.poll(cx)).await;
        let left = self.wait.left_of(chance);
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
    }
}

impl Wait {
    /// What is left of the time that its client has in any case.
    pub(in crate::http) fn left_of(&self, chance: Duration) -> Duration {
        chance.saturating_sub(self.since.elapsed())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.crowd.0.open.lock().waits.end(&self.place);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.crowd.0.open.lock();
        open.total -= 1;
        // Given now at the latest: a wait that ends a moment later must not be told in place of another one.
        open.ending -= usize::from(!self.signal.give());
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
mod tests;
