//! What is done by the clock.

use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Does `job` at once, and again each `period` after that. A run that takes longer puts the next one off.
pub async fn every(period: Duration, mut job: impl AsyncFnMut()) -> Infallible {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        job().await;
    }
}
