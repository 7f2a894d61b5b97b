//! Durations as browsers take them.

use std::time::Duration;

/// A duration for the browser's timers.
pub(crate) fn milliseconds(duration: Duration) -> u32 {
    duration.as_millis().try_into().unwrap_or(i32::MAX.unsigned_abs())
}
