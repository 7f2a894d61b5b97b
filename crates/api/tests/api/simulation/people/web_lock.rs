//! The Web Lock that tabs share, if the browser supports it.

use std::collections::VecDeque;

#[derive(Debug)]
pub struct WebLock {
    exists: bool,
    queue: VecDeque<u64>,
}

impl WebLock {
    pub fn new(exists: bool) -> Self {
        Self { exists, queue: VecDeque::new() }
    }

    /// Requests the lock, after all earlier requests.
    pub fn request(&mut self, task: u64) {
        if self.exists && !self.queue.contains(&task) {
            self.queue.push_back(task);
        }
    }

    /// Whether this task has the lock, or has not requested it.
    pub fn is_free_for(&self, task: u64) -> bool {
        !self.queue.contains(&task) || self.queue.front() == Some(&task)
    }

    /// Releases the lock, or withdraws the request.
    pub fn release(&mut self, task: u64) {
        self.queue.retain(|waiting| *waiting != task);
    }
}
