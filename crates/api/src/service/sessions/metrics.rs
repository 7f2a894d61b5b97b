//! Metrics of sign-ins and refreshes.

use crate::metrics::{Metrics, Outcomes};

/// Sign-ins and refreshes by their outcome.
#[derive(Debug)]
pub struct SessionMetrics {
    sign_ins: Outcomes,
    refreshes: Outcomes,
}

impl SessionMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let sign_ins = Outcomes::of(["succeeded", "refused", "throttled", "busy", "malformed", "failed"]);
        let refreshes = Outcomes::of(["rotated", "repeated", "leeway", "refused", "reused", "ahead", "contended"]);
        metrics.register("sign_ins", "Sign-ins with a password by their outcome", sign_ins.family());
        metrics.register("refreshes", "Refreshes by their outcome", refreshes.family());
        Self { sign_ins, refreshes }
    }

    pub fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.count(outcome);
    }

    pub fn refresh(&self, outcome: &'static str) {
        self.refreshes.count(outcome);
    }
}
