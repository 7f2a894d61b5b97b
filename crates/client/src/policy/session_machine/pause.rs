//! The time that a failed refresh keeps the next one away.

use crate::policy::backoff::wait;
use crate::policy::response::TransientError;
use crate::policy::time::Now;
use std::time::Duration;

/// A pause after failures in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    since: Now,
    failures: u32,
    /// What is wrong.
    pub(super) error: TransientError,
    /// How long it lasts.
    pub(super) wait: Duration,
    /// Whether the server itself asked for it.
    pub(super) asked: bool,
}

/// A failure: what is wrong, and what the server asked for.
pub(super) type Cause = (TransientError, Option<Duration>);

impl Pause {
    /// The pause after another failure.
    pub(super) fn after(earlier: Option<Self>, (error, asked): Cause, now: Now, jitter: f64) -> Self {
        let failures = earlier.map_or(0, |pause| pause.failures).saturating_add(1);
        Self { since: now, failures, error, wait: wait(failures, asked, jitter), asked: asked.is_some() }
    }

    /// What is left of it, if anything is.
    pub(super) fn remaining(self, now: Now) -> Option<Duration> {
        let passed = Duration::from_millis(now.since(self.since).unsigned_abs());
        Some(self.wait.saturating_sub(passed)).filter(|remaining| !remaining.is_zero())
    }
}
