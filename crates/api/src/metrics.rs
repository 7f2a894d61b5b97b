//! What an operator's Prometheus reads at `/metrics`.
//!
//! Labels are words that the program itself knows: nothing that a client sends becomes one, and nothing about a person.

use crate::service::limits::Budget;
use auth_types::Reason;
use chrono::{DateTime, Utc};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// Upper bounds of the durations, seconds: from a token check to a sign-in that waits for the hashing pool.
const DURATIONS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    /// The route's pattern, or `unmatched`.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// A failure as the client was told it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    route: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BudgetLabels {
    budget: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// What the process looks like at the moment of a scrape.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    pub hashing_waiting: usize,
    pub hashing_running: usize,
    pub connections_idle: u32,
    pub connections_used: u32,
    /// Since the revoked-session feed last heard from the database.
    pub feed_age_seconds: f64,
    pub limit_keys: usize,
}

/// Counts of the limits.
#[derive(Debug, Clone, Default)]
pub struct LimitMetrics {
    refused: Family<BudgetLabels, Counter>,
    /// Decisions that Redis should have made and memory made instead.
    pub fallbacks: Counter,
    pub unknown_clients: Counter,
    pub redis_up: Gauge,
    pub redis_connections: Counter,
}

impl LimitMetrics {
    /// From 0, so that the first refusal shows as a rise.
    fn start(&self) {
        for budget in Budget::ALL {
            drop(self.refused.get_or_create(&BudgetLabels { budget: budget.rule().name }));
        }
    }

    pub fn refuse(&self, budget: Budget) {
        self.refused.get_or_create(&BudgetLabels { budget: budget.rule().name }).inc();
    }
}

/// Counts of the use cases and requests, and the registry that they are read from.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    failures: Family<FailureLabels, Counter>,
    sign_ins: Family<OutcomeLabels, Counter>,
    refreshes: Family<OutcomeLabels, Counter>,
    pub limits: LimitMetrics,
    hashing_jobs: Family<StateLabels, Gauge>,
    connections: Family<StateLabels, Gauge>,
    feed_age: Gauge<f64, AtomicU64>,
    limit_keys: Gauge,
    backup_made_at: Gauge<f64, AtomicU64>,
    backup_size: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("latchkey"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            failures: Family::default(),
            sign_ins: Family::default(),
            refreshes: Family::default(),
            limits: LimitMetrics::default(),
            hashing_jobs: Family::default(),
            connections: Family::default(),
            feed_age: Gauge::default(),
            limit_keys: Gauge::default(),
            backup_made_at: Gauge::default(),
            backup_size: Gauge::default(),
        };
        metrics.register();
        metrics.limits.start();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let r = &mut self.registry;
        r.register("build", "This program", version);
        r.register("http_requests", "Requests answered", self.requests.clone());
        r.register("http_request_duration_seconds", "From the head to the answer", self.durations.clone());
        r.register("http_failures", "Failures by the reason that the client was told", self.failures.clone());
        r.register("sign_ins", "Sign-ins with a password by their outcome", self.sign_ins.clone());
        r.register("refreshes", "Refreshes by their outcome", self.refreshes.clone());
        let limits = &self.limits;
        r.register("limits_refused", "Tries refused by the budget that was spent", limits.refused.clone());
        r.register("limits_redis_up", "1 while processes count together in Redis", limits.redis_up.clone());
        r.register("limits_redis_connections", "Connections opened to Redis", limits.redis_connections.clone());
        r.register("limits_fallbacks", "Tries counted in memory because Redis was away", limits.fallbacks.clone());
        r.register("limits_unknown_clients", "Requests without a known address", limits.unknown_clients.clone());
        r.register("limits_keys", "Names and clients counted in memory", self.limit_keys.clone());
        r.register("hashing_jobs", "Password hashing jobs by their state", self.hashing_jobs.clone());
        r.register("database_connections", "Connections of the pool by their state", self.connections.clone());
        r.register("revocation_feed_age_seconds", "Since the last poll of revocations", self.feed_age.clone());
        let made_at = self.backup_made_at.clone();
        r.register("backup_last_success_timestamp_seconds", "When the last backup was made, 0 for never", made_at);
        r.register("backup_last_size_bytes", "Size of the last backup", self.backup_size.clone());
    }

    /// Counts a request that was answered.
    pub fn answer(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let route = route.to_owned();
        self.durations.get_or_create(&RouteLabels { route: route.clone() }).observe(seconds);
        self.requests.get_or_create(&RequestLabels { method: known_method(method), route, status }).inc();
    }

    /// Counts a failure.
    pub fn fail(&self, route: &str, reason: Reason) {
        let reason = serde_json::to_value(reason).ok().and_then(|word| word.as_str().map(str::to_owned));
        let labels = FailureLabels { route: route.to_owned(), reason: reason.unwrap_or_default() };
        self.failures.get_or_create(&labels).inc();
    }

    pub fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    pub fn refresh(&self, outcome: &'static str) {
        self.refreshes.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Notes the last backup.
    pub fn backup(&self, made_at: DateTime<Utc>, size_bytes: i64) {
        self.backup_made_at.set((made_at - DateTime::UNIX_EPOCH).as_seconds_f64());
        self.backup_size.set(size_bytes);
    }

    /// Everything as text.
    ///
    /// # Errors
    /// Never, as long as memory lasts.
    pub fn render(&self, now: &Snapshot) -> Result<String, std::fmt::Error> {
        let set = |family: &Family<StateLabels, Gauge>, state, value: usize| {
            family.get_or_create(&StateLabels { state }).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.hashing_jobs, "waiting", now.hashing_waiting);
        set(&self.hashing_jobs, "running", now.hashing_running);
        set(&self.connections, "idle", now.connections_idle as usize);
        set(&self.connections, "used", now.connections_used as usize);
        self.feed_age.set(now.feed_age_seconds);
        self.limit_keys.set(i64::try_from(now.limit_keys).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A method that anyone may invent is no label.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}
