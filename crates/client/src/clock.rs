//! The only module that reads a clock or draws a random number.

use crate::policy::Now;
use leptos::prelude::window;

/// Both clocks, now.
pub fn now() -> Now {
    let steady = window().performance().map_or(0.0, |performance| performance.now());
    Now { wall_ms: whole(js_sys::Date::now()), steady_ms: whole(steady) }
}

/// A random number from 0 to 1, for waits that should not coincide. Not for secrets.
pub fn jitter() -> f64 {
    js_sys::Math::random()
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and milliseconds have no use for a fraction")]
const fn whole(milliseconds: f64) -> i64 {
    milliseconds as i64
}
