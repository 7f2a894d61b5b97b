//! Periodic jobs.

use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Runs `job` at once, and again after each `period`. A run that takes longer delays the next one.
pub async fn every(period: Duration, mut job: impl AsyncFnMut()) -> Infallible {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        job().await;
    }
}
