//! Measures what the gauges show.

use super::gauges::Snapshot;
use crate::service::Services;

/// Sets the gauges to the current state.
pub fn measure(services: &Services) {
    let (hashing_waiting, hashing_running) = services.hashing.load();
    let (connections_idle, connections_used) = services.store.connections();
    services.gauges.set(&Snapshot {
        hashing_waiting,
        hashing_running,
        connections_idle,
        connections_used,
        connections_max: services.settings.database.pool_size,
        feed_age: services.feed.polled_at().map(|at| (services.shared_now().get() - at.get()).abs()),
        clock_skew: services.clock.skew(),
        limit_keys: services.limits.keys_in_memory(),
    });
}
