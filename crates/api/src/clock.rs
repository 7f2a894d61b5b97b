//! The time, as a parameter: the one place that reads it.

mod compared;

pub use compared::{CLOCK_TOLERANCE_SECONDS, ComparedClock, SharedTime, WrongClock};

use chrono::{DateTime, SubsecRound, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, in UTC, to the microsecond: that is what both databases keep.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that many parts of the program share.
pub type SharedClock = Arc<dyn Clock>;

/// Measures how long something takes, whatever happens to the machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// One that was started so long ago.
    #[cfg(test)]
    fn started_ago(ago: Duration) -> Self {
        let mut stopwatch = Self::start();
        if let Some(then) = stopwatch.0.checked_sub(ago) {
            stopwatch.0 = then;
        }
        stopwatch
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
