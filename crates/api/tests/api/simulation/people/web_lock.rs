//! The Web Locks that tabs share, if the browser supports them. A task that gets the lock proceeds in the same moment; in a
//! browser a few milliseconds pass.

use std::collections::VecDeque;

#[derive(Debug)]
pub struct WebLock {
    exists: bool,
    queue: VecDeque<u64>,
    /// The sign-outs whose responses have not arrived; the next task of the queue waits for them.
    sign_outs: Vec<u64>,
}

impl WebLock {
    pub fn new(exists: bool) -> Self {
        Self { exists, queue: VecDeque::new(), sign_outs: Vec::new() }
    }

    /// Requests the lock, after all earlier requests.
    pub fn request(&mut self, task: u64) {
        if self.exists && !self.queue.contains(&task) {
            self.queue.push_back(task);
        }
    }

    /// Announces a sign-out, which is sent without waiting.
    pub fn announce_sign_out(&mut self, task: u64) {
        if self.exists {
            self.sign_outs.push(task);
        }
    }

    /// Whether this task can have the lock, or has not requested it.
    pub fn is_free_for(&self, task: u64) -> bool {
        !self.queue.contains(&task) || (self.queue.front() == Some(&task) && self.sign_outs.is_empty())
    }

    /// Releases the lock, or withdraws the request or the announcement.
    pub fn release(&mut self, task: u64) {
        self.queue.retain(|waiting| *waiting != task);
        self.sign_outs.retain(|sent| *sent != task);
    }
}
