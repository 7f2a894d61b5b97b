//! The queue in front of a gate.

use super::resource::Resource;
use crate::metrics::{DURATIONS, Metrics};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

/// How many were refused, and how long the others waited.
#[derive(Debug, Clone)]
pub struct GateMetrics {
    pub refused: Counter,
    pub waits: Histogram,
}

impl Default for GateMetrics {
    fn default() -> Self {
        Self { refused: Counter::default(), waits: Histogram::new(DURATIONS) }
    }
}

impl GateMetrics {
    /// The metrics of the gate in front of `resource`, registered.
    pub fn registered(metrics: &Metrics, resource: Resource) -> Self {
        let registered = Self::default();
        let name = resource.name();
        metrics.register(
            format!("{name}_refused"),
            "Work for which too much other work waited",
            registered.refused.clone(),
        );
        metrics.register(format!("{name}_wait_seconds"), "How long work waited for its turn", registered.waits.clone());
        registered
    }
}
