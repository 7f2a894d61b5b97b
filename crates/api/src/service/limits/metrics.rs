//! Metrics of the limits: what they refused, and what was counted in memory alone.

use super::budgets::Budget;
use crate::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BudgetLabels {
    budget: &'static str,
}

/// Counts of the limits.
#[derive(Debug, Clone)]
pub struct LimitMetrics {
    refused: Family<BudgetLabels, Counter>,
    /// Decisions made from memory because Redis was unavailable.
    pub fallbacks: Counter,
    pub unknown_clients: Counter,
}

impl Default for LimitMetrics {
    fn default() -> Self {
        let metrics =
            Self { refused: Family::default(), fallbacks: Counter::default(), unknown_clients: Counter::default() };
        for budget in Budget::ALL {
            drop(metrics.refused.get_or_create(&BudgetLabels { budget: budget.rule().name }));
        }
        metrics
    }
}

impl LimitMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("limits_refused", "Attempts refused by the budget that was spent", registered.refused.clone());
        metrics.register(
            "limits_fallbacks",
            "Attempts counted in memory because Redis was unavailable",
            registered.fallbacks.clone(),
        );
        metrics.register("unknown_clients", "Requests whose client is unknown", registered.unknown_clients.clone());
        registered
    }

    pub fn count_rejection(&self, budget: Budget) {
        self.refused.get_or_create(&BudgetLabels { budget: budget.rule().name }).inc();
    }
}
