//! The Web Lock that tabs share, if the browser has such things.

use std::collections::VecDeque;

#[derive(Debug)]
pub struct Turns {
    exists: bool,
    queue: VecDeque<u64>,
}

impl Turns {
    pub fn new(exists: bool) -> Self {
        Self { exists, queue: VecDeque::new() }
    }

    /// Asks for a turn, after all who have.
    pub fn queue_up(&mut self, task: u64) {
        if self.exists && !self.queue.contains(&task) {
            self.queue.push_back(task);
        }
    }

    /// Whether it is this one's turn, or nobody counts.
    pub fn has(&self, task: u64) -> bool {
        !self.queue.contains(&task) || self.queue.front() == Some(&task)
    }

    pub fn give_back(&mut self, task: u64) {
        self.queue.retain(|waiting| *waiting != task);
    }
}
