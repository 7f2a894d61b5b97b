//! Gates: the one mechanism before everything that is bounded and shared, which is hashing, pictures, and database
//! connections.
//!
//! A gate lets so many in at once. The others wait in a queue that serves the shares in turn and not the requests in the
//! order they came, so that one client with a thousand requests delays another with one request by one turn. Any layer
//! may hold a gate; a gate knows nothing of what is done behind it.

mod line;
mod parts;
mod queue;
mod refusals;
mod room;
mod share;
#[cfg(test)]
mod tests;

pub use parts::Parts;
pub use queue::Capacity;
pub use refusals::Refusals;
pub use room::{Hold, Room};
pub use share::{Class, Share, ShareKey, current, prove, within};

use crate::clock::Stopwatch;
use crate::metrics::GateMetrics;
use parking_lot::Mutex;
use queue::{FairQueue, Pushed};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What is behind a gate; every route declares which of these it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Database,
    Hashing,
    Pictures,
}

impl Resource {
    /// In metrics, logs and docs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Hashing => "hashing",
            Self::Pictures => "pictures",
        }
    }
}

/// The queue is full, and the caller's share holds most of it; try again in a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait")]
pub struct Busy;

/// The answer to a waiter.
type Granted = Result<Permit, Busy>;

/// A gate; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    queue: Mutex<FairQueue<oneshot::Sender<Granted>>>,
    refusals: Refusals,
    metrics: GateMetrics,
}

/// The right to be behind the gate, until it is dropped.
pub struct Permit {
    gate: Gate,
    share: Share,
}

/// A place in the queue, which a caller that stops waiting leaves.
struct Waiting<'g> {
    gate: &'g Gate,
    share: Share,
    ticket: u64,
}

impl Gate {
    #[must_use]
    pub fn new(resource: Resource, capacity: Capacity, metrics: GateMetrics) -> Self {
        let queue = Mutex::new(FairQueue::new(capacity));
        let refusals = Refusals::of(resource.name(), metrics.refused.clone());
        Self(Arc::new(Inner { queue, refusals, metrics }))
    }

    /// Waits for a permit, on the share of the request that this task answers.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn enter(&self) -> Result<Permit, Busy> {
        let (share, waited) = (current(), Stopwatch::start());
        let (granted, answer) = oneshot::channel();
        let pushed = self.0.queue.lock().push(share, granted);
        let ticket = match pushed {
            Pushed::Waits { ticket, evicted } => {
                if let Some(evicted) = evicted {
                    self.refuse();
                    // Who has stopped waiting needs no answer.
                    drop(evicted.send(Err(Busy)));
                }
                ticket
            }
            Pushed::Refused => {
                self.refuse();
                return Err(Busy);
            }
        };
        let _waiting = Waiting { gate: self, share, ticket };
        self.let_in();
        let permit = answer.await.map_err(|_| Busy)?;
        if permit.is_ok() {
            self.0.metrics.waits.observe(waited.elapsed().as_secs_f64());
        }
        permit
    }

    /// How many wait, and how many are in.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        self.0.queue.lock().load()
    }

    /// Counts and logs a refusal; also one that a caller decides, who has waited for too long.
    pub fn refuse(&self) {
        self.0.refusals.note();
    }

    /// Lets in whoever's turn it is, while there is room.
    fn let_in(&self) {
        loop {
            let next = self.0.queue.lock().next();
            let Some((share, granted)) = next else { return };
            // When nobody takes the permit, it comes back dropped, and the next in turn gets it.
            drop(granted.send(Ok(Permit { gate: self.clone(), share })));
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("load", &self.queue.lock().load()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").field("share", &self.share).finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.0.queue.lock().leave(self.share);
        self.gate.let_in();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Outside of the lock: a permit that was on its way may be in there.
        let removed = self.gate.0.queue.lock().remove(self.share, self.ticket);
        drop(removed);
    }
}
