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
    /// Right for `before` more readings, then ahead by this much for `during` readings, and then right again.
    Jumping {
        before: u32,
        during: u32,
        ahead: Duration,
        has_jumped: bool,
    },
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
            Shown::Running(ahead) | Shown::Jumping { ahead, .. } => *ahead += by,
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

    /// From now on it is right, except that after `before` readings it is ahead by this much for `during` readings.
    pub fn jump_between(&self, before: u32, during: u32, ahead: Duration) {
        *self.0.lock().unwrap() = Shown::Jumping { before, during, ahead, has_jumped: false };
    }

    /// Whether it has shown a time after the jump.
    pub fn has_jumped(&self) -> bool {
        matches!(*self.0.lock().unwrap(), Shown::Jumping { has_jumped: true, .. })
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        let mut shown = self.0.lock().unwrap();
        match &mut *shown {
            Shown::Still(now) => *now,
            Shown::Running(ahead) => SystemClock.now() + *ahead,
            Shown::Jumping { before: 0, during: 0, .. } => SystemClock.now(),
            Shown::Jumping { before: 0, during, ahead, has_jumped } => {
                *during -= 1;
                *has_jumped = true;
                SystemClock.now() + *ahead
            }
            Shown::Jumping { before, .. } => {
                *before -= 1;
                SystemClock.now()
            }
        }
    }
}
