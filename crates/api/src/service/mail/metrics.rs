//! Metrics of outgoing mail.

use super::smtp::MailStep;
use crate::metrics::{Metrics, Outcomes};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use strum::VariantArray;

/// The outcome of a delivery attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum MailOutcome {
    Sent,
    /// There is no recipient, or nothing to say any more.
    Dropped,
    /// A link exceeded its address's quota and was dropped.
    #[strum(serialize = "over_amount")]
    OverQuota,
    /// A notice or a feature's mail exceeded its address's quota and waits.
    Deferred,
    Postponed,
    /// It may have been sent, and is sent again later.
    Unacknowledged,
    /// It will never be sent.
    GivenUp,
}

impl MailOutcome {
    const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
}

/// Metrics of outgoing mail.
#[derive(Debug, Clone)]
pub struct MailMetrics {
    outcomes: Outcomes,
    refusals: Family<StepLabels, Counter>,
    /// 1 while the mail server refuses us, according to its last reply.
    pub server_refuses: Gauge,
    /// Mails in the outbox when it was last measured.
    pub queued: Gauge,
    /// The age of the oldest of these, seconds; 0 if there is none.
    pub oldest_age: Gauge,
}

impl Default for MailMetrics {
    fn default() -> Self {
        let outcomes = Outcomes::of(MailOutcome::ALL.iter().copied().map(MailOutcome::as_str));
        let refusals = Family::default();
        for step in MailStep::ALL.iter().copied() {
            drop(refusals.get_or_create(&StepLabels { step: step.as_str() }));
        }
        let [server_refuses, queued, oldest_age] = [(); 3].map(|()| Gauge::default());
        Self { outcomes, refusals, server_refuses, queued, oldest_age }
    }
}

impl MailMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("mails", "Attempts to send a mail by outcome", registered.outcomes.family());
        metrics.register("mail_refusals", "Refusals of us or of a mail by step", registered.refusals.clone());
        metrics.register(
            "mail_server_refuses",
            "1 while the mail server refuses us",
            registered.server_refuses.clone(),
        );
        metrics.register("mail_waiting", "Mails in the outbox", registered.queued.clone());
        metrics.register(
            "mail_oldest_age_seconds",
            "Age of the oldest mail in the outbox",
            registered.oldest_age.clone(),
        );
        registered
    }

    pub fn count(&self, outcome: MailOutcome, mails: usize) {
        self.outcomes.count_many(outcome.as_str(), mails as u64);
    }

    pub fn count_refusal(&self, step: MailStep) {
        self.refusals.get_or_create(&StepLabels { step: step.as_str() }).inc();
    }
}
