//! The work that waits for the writer.

use super::job::Job;
use crate::gate::{FairQueue, GateCapacity};
use parking_lot::{Condvar, Mutex, MutexGuard};

/// Jobs in the order of their requesters. The gate in front of the database bounds their number.
#[derive(Debug)]
pub(super) struct WriteQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Debug)]
struct QueueState {
    waiting: FairQueue<Box<dyn Job>>,
    is_closed: bool,
}

impl WriteQueue {
    pub(super) fn new() -> Self {
        let capacity = GateCapacity { permits: 1, permits_per_requester: 1, waiting: usize::MAX };
        let state = QueueState { waiting: FairQueue::new(capacity), is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn push(&self, job: Box<dyn Job>) {
        // Without a bound of its own the queue neither refuses nor evicts.
        drop(self.state.lock().waiting.push(job.requester(), job));
        self.changed.notify_one();
    }

    /// Waits for the next job. Returns `None` once the queue is closed and empty.
    pub(super) fn wait(&self) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = take(&mut state) {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// The next job, if one waits.
    pub(super) fn next(&self) -> Option<Box<dyn Job>> {
        take(&mut self.state.lock())
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.state.lock().waiting.load().0
    }

    /// Lets the writer end after the jobs that wait.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_one();
    }
}

fn take(state: &mut MutexGuard<'_, QueueState>) -> Option<Box<dyn Job>> {
    let (requester, job) = state.waiting.next()?;
    state.waiting.leave(requester);
    Some(job)
}
