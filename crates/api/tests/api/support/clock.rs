//! A clock that stands still until a test moves it.

use api::clock::Clock;
use chrono::{DateTime, Duration, Utc};
use std::sync::Mutex;

/// Tells the time it was last set to.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// Not a whole second: whoever rounds must round as the contract says.
    pub const START: &str = "2026-03-04T05:06:07.25Z";

    pub fn new() -> Self {
        Self(Mutex::new(Self::START.parse().unwrap()))
    }

    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
