//! What a request has left of its budgets, for the `RateLimit` headers. It belongs to the task that serves the request.

use super::budgets::BudgetRule;
use parking_lot::Mutex;
use std::sync::Arc;

tokio::task_local! {
    static METER: Meter;
}

/// The state of one budget. Seconds are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub rule: BudgetRule,
    pub remaining: u32,
    /// Until the next charge is possible.
    pub reset_seconds: u32,
}

/// The readings of one request; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Reading>>>);

impl Meter {
    /// Does the work of a request; this meter records its charges.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> T {
        METER.scope(self.clone(), work).await
    }

    /// The meter of the request that this task serves; outside of a request its readings are dropped.
    pub(super) fn current() -> Self {
        METER.try_with(Self::clone).unwrap_or_default()
    }

    pub fn readings(&self) -> Vec<Reading> {
        self.0.lock().clone()
    }

    /// Adds the reading of a budget that is reported. A name's budget is not: by comparing, two callers could find out which
    /// networks its account knows.
    pub(super) fn record(&self, reading: Reading) {
        if reading.rule.per.is_reported() {
            self.0.lock().push(reading);
        }
    }

    /// Takes a refund of `rule` into account.
    pub(super) fn record_refund(&self, rule: BudgetRule) {
        if let Some(reading) = self.0.lock().iter_mut().find(|reading| reading.rule == rule) {
            reading.remaining = (reading.remaining + 1).min(rule.quota);
        }
    }
}
