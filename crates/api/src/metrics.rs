//! What an operator's Prometheus reads at `/metrics`.
//!
//! Labels are words that the program itself knows: nothing that a client sends becomes one, and nothing about a person.
//! What is counted starts at 0, so that the first time shows as a rise.

mod backup;
mod classic;
mod events;
mod http;
mod limits;
mod process;
mod snapshot;
mod work;

pub use backup::BackupMetrics;
pub use classic::classic;
pub use events::EventMetrics;
pub use http::HttpMetrics;
pub use limits::LimitMetrics;
pub use snapshot::Snapshot;
pub use work::{ExportMetrics, ExportOutcome, GateMetrics, MailMetrics, MailOutcome, MailStep};

use crate::gate::Resource;
use chrono::{DateTime, Utc};
use process::Process;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use snapshot::State;

/// Upper bounds of durations, seconds: from a token check to a sign-in that waits for the hashing pool.
const DURATIONS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// How often something came to which end.
#[derive(Debug, Clone, Default)]
struct Outcomes(Family<OutcomeLabels, Counter>);

impl Outcomes {
    fn of(words: &[&'static str]) -> Self {
        let outcomes = Self::default();
        for outcome in words {
            drop(outcomes.0.get_or_create(&OutcomeLabels { outcome }));
        }
        outcomes
    }

    fn count(&self, outcome: &'static str) {
        self.count_many(outcome, 1);
    }

    fn count_many(&self, outcome: &'static str, times: u64) {
        self.0.get_or_create(&OutcomeLabels { outcome }).inc_by(times);
    }
}

/// Counts of the use cases and requests, and the registry that they are read from.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub http: HttpMetrics,
    pub events: EventMetrics,
    pub limits: LimitMetrics,
    pub hashing: GateMetrics,
    pub pictures: GateMetrics,
    pub database: GateMetrics,
    /// Connections of one peer beyond its share.
    pub connections_refused: Counter,
    /// Connections that waited for their clients and made room for new ones.
    pub connections_displaced: Counter,
    /// Bodies for which their share was used up: of the memory, or of the bodies on their way.
    pub bodies_refused: Counter,
    pub mail: MailMetrics,
    pub exports: ExportMetrics,
    pub backup: BackupMetrics,
    sign_ins: Outcomes,
    refreshes: Outcomes,
    state: State,
}

impl Metrics {
    /// Of a process that started at `started_at`.
    #[must_use]
    pub fn since(started_at: DateTime<Utc>) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            http: HttpMetrics::default(),
            events: EventMetrics::default(),
            limits: LimitMetrics::default(),
            hashing: GateMetrics::default(),
            pictures: GateMetrics::default(),
            database: GateMetrics::default(),
            connections_refused: Counter::default(),
            connections_displaced: Counter::default(),
            bodies_refused: Counter::default(),
            mail: MailMetrics::default(),
            exports: ExportMetrics::default(),
            backup: BackupMetrics::default(),
            sign_ins: Outcomes::of(&["succeeded", "refused", "throttled", "busy", "malformed", "failed"]),
            refreshes: Outcomes::of(&["rotated", "repeated", "leeway", "refused", "reused", "ahead", "contended"]),
            state: State::default(),
        };
        metrics.register(started_at);
        metrics
    }

    fn register(&mut self, started_at: DateTime<Utc>) {
        let process = Process { started_at };
        self.registry.sub_registry_with_prefix("process").register_collector(Box::new(process));
        let r = self.registry.sub_registry_with_prefix("latchkey");
        let build = [
            ("version", env!("CARGO_PKG_VERSION")),
            ("revision", env!("LATCHKEY_REVISION")),
            ("rustc", env!("LATCHKEY_RUSTC")),
        ];
        r.register("build", "This program", Info::new(build));
        self.http.register(r);
        r.register("sign_ins", "Sign-ins with a password by their outcome", self.sign_ins.0.clone());
        r.register("refreshes", "Refreshes by their outcome", self.refreshes.0.clone());
        self.events.register(r);
        self.limits.register(r);
        self.hashing.register(Resource::Hashing, r);
        self.pictures.register(Resource::Pictures, r);
        self.database.register(Resource::Database, r);
        r.register("connections_refused", "Connections beyond their peer's share", self.connections_refused.clone());
        r.register("connections_displaced", "Connections ended for new ones", self.connections_displaced.clone());
        r.register("bodies_refused", "Bodies beyond their client's share", self.bodies_refused.clone());
        self.mail.register(r);
        self.exports.register(r);
        self.backup.register(r);
        self.state.register(r);
    }

    pub fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.count(outcome);
    }

    pub fn refresh(&self, outcome: &'static str) {
        self.refreshes.count(outcome);
    }

    /// Everything as text.
    ///
    /// # Errors
    /// Never, as long as memory lasts.
    pub fn render(&self, now: &Snapshot) -> Result<String, std::fmt::Error> {
        self.state.set(now);
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
