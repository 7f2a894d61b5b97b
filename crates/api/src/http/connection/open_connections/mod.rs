//! The open connections of this process: how many there may be, which one makes room for a new one, how many one peer may
//! have, and how many may carry request bodies of one client at a time.

use super::client_waits::{ClientWaits, EndSignal, WaitEntry, WaitKind};
use super::metrics::ConnectionMetrics;
use crate::clock::Stopwatch;
use crate::config::TrustedProxies;
use crate::gate::{HolderQuotas, Rejections, RequesterId};
use crate::service::limits::Network;
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// One peer that is no trusted proxy gets at most one in this many of all connections; so do the bodies of one client,
/// whatever addresses it connects from.
const PEER_FRACTION: usize = 8;

/// All open connections; clones share them.
#[derive(Debug, Clone)]
pub struct OpenConnections(Arc<OpenConnectionsInner>);

#[derive(Debug)]
struct OpenConnectionsInner {
    /// Three quarters of the maximum. Each connection beyond it displaces another, so that there is always room to accept.
    bound: usize,
    /// These are not limited as peers: a proxy has many clients.
    proxies: TrustedProxies,
    open: Mutex<OpenCounts>,
    bodies: Mutex<HolderQuotas<RequesterId>>,
    rejections: Rejections,
    /// Connections that were closed to make room.
    displaced: Rejections,
}

#[derive(Debug)]
struct OpenCounts {
    total: usize,
    /// How many of these have been signalled to end.
    ending: usize,
    peers: HolderQuotas<Network>,
    waits: ClientWaits,
}

/// The slot of one connection, held until it is dropped.
#[derive(Debug)]
pub(in crate::http) struct ConnectionSlot {
    connections: OpenConnections,
    /// `None` for a trusted proxy, and for a connection that was refused.
    peer: Option<Network>,
    refused: bool,
    /// Set from the start for a refused connection.
    signal: Arc<EndSignal>,
}

/// A wait for the connection's client, until it is dropped. The connection may be displaced meanwhile.
#[derive(Debug)]
pub(in crate::http) struct ClientWait {
    connections: OpenConnections,
    entry: WaitEntry,
    since: Stopwatch,
}

/// The slot of a request body that is being received, held until it is dropped.
#[derive(Debug)]
pub(in crate::http) struct BodySlot {
    connections: OpenConnections,
    /// `None` for an unknown client: unknown clients together do not count as one.
    client: Option<RequesterId>,
    wait: ClientWait,
}

impl OpenCounts {
    /// Signals the connections that have waited the longest, as many as are beyond `bound`. The caller wakes them after it
    /// has released the lock.
    fn make_room(&mut self, bound: usize) -> Vec<Arc<EndSignal>> {
        let beyond = (self.total - self.ending).saturating_sub(bound);
        let signalled: Vec<_> = std::iter::from_fn(|| self.waits.end_oldest()).take(beyond).collect();
        self.ending += signalled.len();
        signalled
    }
}

impl OpenConnections {
    /// Allows at most `most` connections, and counts those that are refused or displaced.
    pub fn of_at_most(most: usize, proxies: TrustedProxies, metrics: &ConnectionMetrics) -> Self {
        let rejections = Rejections::of("connections", metrics.refused.clone());
        let displaced = Rejections::of("places", metrics.displaced.clone());
        let peers = HolderQuotas::of_at_most(most / PEER_FRACTION);
        let open = Mutex::new(OpenCounts { total: 0, ending: 0, peers, waits: ClientWaits::default() });
        let bodies = Mutex::new(HolderQuotas::of_at_most(most / PEER_FRACTION));
        Self(Arc::new(OpenConnectionsInner { bound: most - most / 4, proxies, open, bodies, rejections, displaced }))
    }

    /// Registers a connection. The slot of one beyond its peer's part is refused, and the connection must be closed at once.
    /// Any other is accepted: past three quarters, the one that has waited for its client the longest is displaced instead.
    pub(in crate::http) fn enter(&self, peer: Option<IpAddr>) -> ConnectionSlot {
        let counted = peer.map(|peer| peer.to_canonical()).filter(|peer| !self.0.proxies.is_trusted(*peer));
        let counted = counted.map(Network::from);
        let mut open = self.0.open.lock();
        let refused = counted.is_some_and(|network| !open.peers.take(network));
        open.total += 1;
        open.ending += usize::from(refused);
        let signalled = open.make_room(self.0.bound);
        drop(open);
        self.wake(signalled);
        let signal = Arc::<EndSignal>::default();
        if refused {
            self.0.rejections.record();
            signal.set();
        }
        ConnectionSlot { connections: self.clone(), peer: counted.filter(|_| !refused), refused, signal }
    }

    fn wake(&self, signalled: Vec<Arc<EndSignal>>) {
        for signal in signalled {
            self.0.displaced.record();
            signal.wake();
        }
    }
}

impl ConnectionSlot {
    pub(in crate::http) const fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether further connections of the peer are being refused: those that wait must make room for them.
    pub(in crate::http) fn must_make_room(&self) -> bool {
        self.peer.is_some_and(|network| self.connections.0.open.lock().peers.must_make_room(network))
    }

    /// Whether another connection, of this peer or any other, needs this one's slot.
    pub(in crate::http) fn connections_are_scarce(&self) -> bool {
        self.must_make_room() || self.connections.0.open.lock().total >= self.connections.0.bound
    }

    /// Starts a wait for the client. If no connection was waiting when the newest ones came, the excess is displaced now:
    /// otherwise every slot could be taken, and no new connection would get in.
    pub(in crate::http) fn wait(&self, kind: WaitKind) -> ClientWait {
        let mut open = self.connections.0.open.lock();
        let signalled = open.make_room(self.connections.0.bound);
        let entry = open.waits.begin(kind, &self.signal);
        drop(open);
        self.connections.wake(signalled);
        ClientWait { connections: self.connections.clone(), entry, since: Stopwatch::start() }
    }

    /// Ready when the connection must end.
    pub(in crate::http) fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        self.signal.poll(cx)
    }

    /// Registers a body of `client` on this connection, or returns `None` if too many of its bodies are being received.
    /// Behind a proxy nothing else bounds how many connections one client holds.
    pub(in crate::http) fn begin_body(&self, client: RequesterId) -> Option<BodySlot> {
        let client = Some(client).filter(|client| *client != RequesterId::UnknownClient);
        let taken = client.is_none_or(|client| self.connections.0.bodies.lock().take(client));
        taken.then(|| BodySlot { connections: self.connections.clone(), client, wait: self.wait(WaitKind::Request) })
    }
}

impl BodySlot {
    /// Whether further bodies of the client are being refused.
    pub(in crate::http) fn must_make_room(&self) -> bool {
        self.client.is_some_and(|client| self.connections.0.bodies.lock().must_make_room(client))
    }

    /// Resolves when the connection must end and the body's grace period is over.
    pub(in crate::http) async fn displaced(&self, grace: Duration) {
        std::future::poll_fn(|cx| self.wait.entry.signal.poll(cx)).await;
        let left = self.wait.left_of(grace);
        if !left.is_zero() {
            tokio::time::sleep(left).await;
        }
    }
}

impl ClientWait {
    /// What is left of the grace period that the client has in any case.
    pub(in crate::http) fn left_of(&self, grace: Duration) -> Duration {
        grace.saturating_sub(self.since.elapsed())
    }
}

impl Drop for ClientWait {
    fn drop(&mut self) {
        self.connections.0.open.lock().waits.end(&self.entry);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.connections.0.open.lock();
        open.total -= 1;
        // Set here at the latest: a wait that outlives the slot for a moment must not be signalled instead of a live one.
        open.ending -= usize::from(!self.signal.set());
        if let Some(network) = self.peer {
            open.peers.release(network);
        }
    }
}

impl Drop for BodySlot {
    fn drop(&mut self) {
        if let Some(client) = self.client {
            self.connections.0.bodies.lock().release(client);
        }
    }
}

#[cfg(test)]
mod tests;
