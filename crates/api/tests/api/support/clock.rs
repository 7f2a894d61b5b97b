//! A clock that stands still until a test moves it, or that runs at an offset from the machine's.

use api::clock::{Clock, SystemClock};
use chrono::{DateTime, Duration, Utc};
use std::sync::Mutex;

/// A clock that a test controls.
#[derive(Debug)]
pub struct ManualClock(Mutex<Shown>);

#[derive(Debug)]
enum Shown {
    Still(DateTime<Utc>),
    /// Ahead of the machine's clock, which is also the database's, by this much.
    Running(Duration),
}

impl ManualClock {
    /// Not a whole second, so that wrong rounding is noticed.
    pub const START: &str = "2026-03-04T05:06:07.25Z";

    pub fn new() -> Self {
        Self(Mutex::new(Shown::Still(Self::START.parse().unwrap())))
    }

    /// A clock that runs ahead of the databases' by this much.
    pub fn running(ahead: Duration) -> Self {
        Self(Mutex::new(Shown::Running(ahead)))
    }

    pub fn advance(&self, by: Duration) {
        match &mut *self.0.lock().unwrap() {
            Shown::Still(now) => *now += by,
            Shown::Running(ahead) => *ahead += by,
        }
    }

    /// From now on it stands still at this time.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap() = Shown::Still(to);
    }

    /// From now on it runs ahead of the databases' by this much.
    pub fn run(&self, ahead: Duration) {
        *self.0.lock().unwrap() = Shown::Running(ahead);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        match *self.0.lock().unwrap() {
            Shown::Still(now) => now,
            Shown::Running(ahead) => SystemClock.now() + ahead,
        }
    }
}
