//! Metrics of exports.

use crate::metrics::{Metrics, Outcomes};
use prometheus_client::metrics::gauge::Gauge;
use strum::VariantArray;

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ExportOutcome {
    Completed,
    /// It failed before its end.
    Cut,
    /// Too many others were in progress.
    Refused,
}

impl ExportOutcome {
    const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Exports of what is stored about a user.
#[derive(Debug, Clone)]
pub struct ExportMetrics {
    outcomes: Outcomes,
    pub running: Gauge,
}

impl Default for ExportMetrics {
    fn default() -> Self {
        Self {
            outcomes: Outcomes::of(ExportOutcome::ALL.iter().copied().map(ExportOutcome::as_str)),
            running: Gauge::default(),
        }
    }
}

impl ExportMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("exports", "Exports of a user's data by their outcome", registered.outcomes.family());
        metrics.register("exports_running", "Exports of a user's data under way", registered.running.clone());
        registered
    }

    pub fn count(&self, outcome: ExportOutcome) {
        self.outcomes.count(outcome.as_str());
    }
}
