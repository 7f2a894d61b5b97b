//! Elapsed time.

use std::time::{Duration, Instant};

/// Measures elapsed time independently of changes to the machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// A stopwatch that was started `ago`.
    #[cfg(test)]
    pub(super) fn started_ago(ago: Duration) -> Self {
        let mut stopwatch = Self::start();
        if let Some(then) = stopwatch.0.checked_sub(ago) {
            stopwatch.0 = then;
        }
        stopwatch
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
