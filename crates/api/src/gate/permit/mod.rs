//! The gate and its permits.

use super::metrics::GateMetrics;
use super::queue::{FairQueue, GateCapacity, Pushed};
use super::rejections::Rejections;
use super::requester::{Requester, current_requester};
use super::resource::{Busy, Resource};
use crate::clock::Stopwatch;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What a waiter receives.
type PermitResult = Result<Permit, Busy>;

/// A gate; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<GateInner>);

struct GateInner {
    queue: Mutex<FairQueue<oneshot::Sender<PermitResult>>>,
    rejections: Rejections,
    metrics: GateMetrics,
}

/// The right to use what is behind the gate, until it is dropped.
pub struct Permit {
    gate: Gate,
    requester: Requester,
}

/// A slot in the queue. Dropping it removes a caller that stopped waiting.
struct QueuedWaiter<'g> {
    gate: &'g Gate,
    requester: Requester,
    ticket: u64,
}

impl Gate {
    pub fn new(resource: Resource, capacity: GateCapacity, metrics: GateMetrics) -> Self {
        let queue = Mutex::new(FairQueue::new(capacity));
        let rejections = Rejections::of(resource.name(), metrics.refused.clone());
        Self(Arc::new(GateInner { queue, rejections, metrics }))
    }

    /// Waits for a permit, for the requester that this task serves.
    pub async fn enter(&self) -> Result<Permit, Busy> {
        let requester = current_requester();
        let waited = Stopwatch::start();
        let (granted, result) = oneshot::channel();
        let pushed = self.0.queue.lock().push(requester, granted);
        let ticket = match pushed {
            Pushed::Waits { ticket, evicted } => {
                if let Some(evicted) = evicted {
                    self.record_rejection();
                    // The evicted caller may have stopped waiting.
                    drop(evicted.send(Err(Busy)));
                }
                ticket
            }
            Pushed::Refused => {
                self.record_rejection();
                return Err(Busy);
            }
        };
        let _waiting = QueuedWaiter { gate: self, requester, ticket };
        self.admit();
        let permit = result.await.map_err(|_| Busy)?;
        if permit.is_ok() {
            self.0.metrics.waits.observe(waited.elapsed().as_secs_f64());
        }
        permit
    }

    /// How many callers wait, and how many hold a permit.
    pub fn load(&self) -> (usize, usize) {
        self.0.queue.lock().load()
    }

    /// Counts and logs a rejection, also that of a caller that gives up after waiting too long.
    pub fn record_rejection(&self) {
        self.0.rejections.record();
    }

    /// Admits the next callers while permits are free.
    fn admit(&self) {
        loop {
            let next = self.0.queue.lock().next();
            let Some((requester, granted)) = next else { return };
            // If the receiver has disconnected, the permit is dropped here, and the next caller gets it.
            drop(granted.send(Ok(Permit { gate: self.clone(), requester })));
        }
    }
}

impl std::fmt::Debug for GateInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("load", &self.queue.lock().load()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").field("requester", &self.requester).finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.0.queue.lock().leave(self.requester);
        self.gate.admit();
    }
}

impl Drop for QueuedWaiter<'_> {
    fn drop(&mut self) {
        // Drop it outside the lock: the channel may already hold a permit, whose drop takes the lock.
        let removed = self.gate.0.queue.lock().remove(self.requester, self.ticket);
        drop(removed);
    }
}

#[cfg(test)]
mod tests;
