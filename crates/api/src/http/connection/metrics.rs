//! Counts of refused and displaced connections.

use crate::metrics::Metrics;
use prometheus_client::metrics::counter::Counter;

/// Connections that were refused or closed early.
#[derive(Debug, Default)]
pub struct ConnectionMetrics {
    /// Connections of one peer beyond its share.
    pub refused: Counter,
    /// Connections that waited for their clients and were closed to make room for new ones.
    pub displaced: Counter,
}

impl ConnectionMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("connections_refused", "Connections beyond their peer's share", registered.refused.clone());
        metrics.register("connections_displaced", "Connections ended for new ones", registered.displaced.clone());
        registered
    }
}
