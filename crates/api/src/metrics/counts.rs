//! Types that several metrics use.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// Upper bounds of durations, seconds: from a token check to a sign-in that waits for the hashing pool.
pub const DURATIONS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    outcome: &'static str,
}

/// A counter by outcome.
#[derive(Debug, Clone, Default)]
pub struct Outcomes(Family<OutcomeLabels, Counter>);

impl Outcomes {
    /// A counter with all of these outcomes at 0.
    pub fn of(outcomes: impl IntoIterator<Item = &'static str>) -> Self {
        let counts = Self::default();
        for outcome in outcomes {
            drop(counts.0.get_or_create(&OutcomeLabels { outcome }));
        }
        counts
    }

    /// The metric to register.
    pub fn family(&self) -> Family<OutcomeLabels, Counter> {
        self.0.clone()
    }

    pub fn count(&self, outcome: &'static str) {
        self.count_many(outcome, 1);
    }

    pub fn count_many(&self, outcome: &'static str, times: u64) {
        self.0.get_or_create(&OutcomeLabels { outcome }).inc_by(times);
    }
}
