//! Metrics of the security events that this process has inserted.

use crate::metrics::Metrics;
use auth_types::EventKind;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Counts events by their kind.
#[derive(Debug, Clone)]
pub struct EventMetrics(Family<KindLabels, Counter>);

impl Default for EventMetrics {
    fn default() -> Self {
        let metrics = Self(Family::default());
        for kind in EventKind::ALL.iter().copied() {
            metrics.count(kind, 0);
        }
        metrics
    }
}

impl EventMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("events", "Security events recorded by their kind", registered.0.clone());
        registered
    }

    pub fn count(&self, kind: EventKind, inserted: usize) {
        let inserted = u64::try_from(inserted).unwrap_or_default();
        self.0.get_or_create(&KindLabels { kind: kind.as_str() }).inc_by(inserted);
    }
}
