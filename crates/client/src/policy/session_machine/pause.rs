//! How long refreshing pauses after a failure.

use crate::policy::backoff::backoff_delay;
use crate::policy::response::TransientError;
use crate::policy::time::Now;
use std::time::Duration;

/// A pause after one or more consecutive failures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    since: Now,
    failures: u32,
    /// Why the session waits.
    pub(super) error: TransientError,
    /// How long it lasts.
    pub(super) wait: Duration,
    /// Whether the server itself asked for it.
    pub(super) is_by_server: bool,
}

/// A failed refresh.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefreshFailure {
    pub(super) error: TransientError,
    /// The `Retry-After` of the response.
    pub(super) retry_after: Option<Duration>,
}

impl Pause {
    /// The pause after another failure.
    pub(super) fn after(earlier: Option<Self>, failure: RefreshFailure, now: Now, jitter: f64) -> Self {
        let RefreshFailure { error, retry_after } = failure;
        let failures = earlier.map_or(0, |pause| pause.failures).saturating_add(1);
        Self {
            since: now,
            failures,
            error,
            wait: backoff_delay(failures, retry_after, jitter),
            is_by_server: retry_after.is_some(),
        }
    }

    /// The time left, or `None` when the pause is over.
    pub(super) fn remaining(self, now: Now) -> Option<Duration> {
        let passed = Duration::from_millis(now.since(self.since).unsigned_abs());
        Some(self.wait.saturating_sub(passed)).filter(|remaining| !remaining.is_zero())
    }
}
