//! Exports, counted.

use crate::metrics::{Metrics, Outcomes};
use prometheus_client::metrics::gauge::Gauge;

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportOutcome {
    Completed,
    /// It failed on the way.
    Cut,
    /// Others were under way.
    Refused,
}

impl ExportOutcome {
    const ALL: [Self; 3] = [Self::Completed, Self::Cut, Self::Refused];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cut => "cut",
            Self::Refused => "refused",
        }
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
        Self { outcomes: Outcomes::of(&ExportOutcome::ALL.map(ExportOutcome::as_str)), running: Gauge::default() }
    }
}

impl ExportMetrics {
    #[must_use]
    pub fn registered(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register("exports", "Exports of a user's data by their outcome", own.outcomes.family());
        metrics.register("exports_running", "Exports of a user's data under way", own.running.clone());
        own
    }

    pub fn count(&self, outcome: ExportOutcome) {
        self.outcomes.count(outcome.as_str());
    }
}
