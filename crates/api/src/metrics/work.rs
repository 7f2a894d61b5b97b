//! Where requests wait, and the work that is done beside them: hashing, the database, mail.

use super::{DURATIONS, Outcomes};
use crate::gate::Resource;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The queue before a gate.
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
    pub(super) fn register(&self, resource: Resource, r: &mut Registry) {
        let name = resource.name();
        r.register(format!("{name}_refused"), "Work for which too much other work waited", self.refused.clone());
        r.register(format!("{name}_wait_seconds"), "How long work waited for its turn", self.waits.clone());
    }
}

/// What became of a mail that a worker had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailOutcome {
    Sent,
    /// Nobody is there to write to.
    Dropped,
    /// A link more than its address gets: dropped.
    OverAmount,
    /// A notice more than its address gets: it waits.
    Deferred,
    Postponed,
    /// It will never be sent.
    GivenUp,
}

impl MailOutcome {
    const ALL: [Self; 6] =
        [Self::Sent, Self::Dropped, Self::OverAmount, Self::Deferred, Self::Postponed, Self::GivenUp];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::OverAmount => "over_amount",
            Self::Deferred => "deferred",
            Self::Postponed => "postponed",
            Self::GivenUp => "given_up",
        }
    }
}

/// A step of the conversation with a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStep {
    /// The connection, its greeting and `EHLO`.
    Connect,
    StartTls,
    Auth,
    /// `MAIL`: the sender.
    Mail,
    /// `RCPT`: the recipient.
    Rcpt,
    Data,
    /// After the mail's last line.
    Message,
}

impl MailStep {
    const ALL: [Self; 7] =
        [Self::Connect, Self::StartTls, Self::Auth, Self::Mail, Self::Rcpt, Self::Data, Self::Message];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Message => "message",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
}

/// Mail on its way out.
#[derive(Debug, Clone)]
pub struct MailMetrics {
    outcomes: Outcomes,
    refusals: Family<StepLabels, Counter>,
    /// 1 while the mail server refuses us, by its last response.
    pub server_refuses: Gauge,
    /// In the outbox at the worker's last look.
    pub waiting: Gauge,
    /// Of the oldest of these; 0 when there is none.
    pub oldest_age: Gauge,
}

impl Default for MailMetrics {
    fn default() -> Self {
        let outcomes = Outcomes::of(&MailOutcome::ALL.map(MailOutcome::as_str));
        let refusals = Family::default();
        for step in MailStep::ALL {
            drop(refusals.get_or_create(&StepLabels { step: step.as_str() }));
        }
        let [server_refuses, waiting, oldest_age] = [(); 3].map(|()| Gauge::default());
        Self { outcomes, refusals, server_refuses, waiting, oldest_age }
    }
}

impl MailMetrics {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("mails", "Tries to send a mail by their outcome", self.outcomes.0.clone());
        r.register("mail_refusals", "Refusals of us or of a mail by their step", self.refusals.clone());
        r.register("mail_server_refuses", "1 while the mail server refuses us", self.server_refuses.clone());
        r.register("mail_waiting", "Mails in the outbox", self.waiting.clone());
        r.register(
            "mail_oldest_age_seconds",
            "Since the oldest mail of the outbox was written",
            self.oldest_age.clone(),
        );
    }

    pub fn count(&self, outcome: MailOutcome, mails: usize) {
        self.outcomes.count_many(outcome.as_str(), mails as u64);
    }

    pub fn count_refusal(&self, step: MailStep) {
        self.refusals.get_or_create(&StepLabels { step: step.as_str() }).inc();
    }
}

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
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("exports", "Exports of a user's data by their outcome", self.outcomes.0.clone());
        r.register("exports_running", "Exports of a user's data under way", self.running.clone());
    }

    pub fn count(&self, outcome: ExportOutcome) {
        self.outcomes.count(outcome.as_str());
    }
}
