//! What the process looks like at the moment of a scrape.

use super::StateLabels;
use crate::telemetry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is known only when it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    pub hashing_waiting: usize,
    pub hashing_running: usize,
    pub connections_idle: u32,
    pub connections_used: u32,
    pub connections_max: u32,
    /// Since the revoked-session feed last heard from the database.
    pub feed_age_seconds: f64,
    pub limit_keys: usize,
}

/// Where a [`Snapshot`] is read from.
#[derive(Debug, Default)]
pub(super) struct State {
    hashing_jobs: Family<StateLabels, Gauge>,
    connections: Family<StateLabels, Gauge>,
    connections_max: Gauge,
    feed_age: Gauge<f64, AtomicU64>,
    limit_keys: Gauge,
    log_lines_dropped: Counter,
}

impl State {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register("limits_keys", "Names and clients counted in memory", self.limit_keys.clone());
        r.register("hashing_jobs", "Password hashing jobs by their state", self.hashing_jobs.clone());
        r.register("database_connections", "Connections of the pool by their state", self.connections.clone());
        r.register("database_connections_max", "Connections that the pool may open", self.connections_max.clone());
        r.register("revocation_feed_age_seconds", "Since the last poll of revocations", self.feed_age.clone());
        r.register("log_lines_dropped", "Log lines that nobody read in time", self.log_lines_dropped.clone());
    }

    pub(super) fn set(&self, now: &Snapshot) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let set = |family: &Family<StateLabels, Gauge>, state, value: usize| {
            family.get_or_create(&StateLabels { state }).set(gauge(value));
        };
        set(&self.hashing_jobs, "waiting", now.hashing_waiting);
        set(&self.hashing_jobs, "running", now.hashing_running);
        set(&self.connections, "idle", now.connections_idle as usize);
        set(&self.connections, "used", now.connections_used as usize);
        self.connections_max.set(i64::from(now.connections_max));
        self.feed_age.set(now.feed_age_seconds);
        self.limit_keys.set(gauge(now.limit_keys));
        self.log_lines_dropped.inner().store(telemetry::lines_dropped(), Ordering::Relaxed);
    }
}
