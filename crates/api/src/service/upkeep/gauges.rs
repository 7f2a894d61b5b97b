//! Gauges of the process's state, which are set for each scrape.

use crate::metrics::Metrics;
use crate::telemetry;
use chrono::TimeDelta;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Values that are measured on demand.
#[derive(Debug, Default)]
pub struct Gauges {
    hashing_jobs: Family<StateLabels, Gauge>,
    connections: Family<StateLabels, Gauge>,
    connections_max: Gauge,
    feed_age: Gauge<f64, AtomicU64>,
    clock_skew: Gauge<f64, AtomicU64>,
    limit_keys: Gauge,
    log_lines_dropped: Counter,
}

impl Gauges {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        metrics.register("limits_keys", "Names and clients counted in memory", registered.limit_keys.clone());
        metrics.register("hashing_jobs", "Password hashing jobs by their state", registered.hashing_jobs.clone());
        metrics.register(
            "database_connections",
            "Connections of the pool by their state",
            registered.connections.clone(),
        );
        metrics.register(
            "database_connections_max",
            "Connections that the pool may open",
            registered.connections_max.clone(),
        );
        metrics.register(
            "revocation_feed_age_seconds",
            "Since the last poll of revocations",
            registered.feed_age.clone(),
        );
        metrics.register(
            "clock_skew_seconds",
            "How far the clock is ahead of the database's",
            registered.clock_skew.clone(),
        );
        metrics.register(
            "log_lines_dropped",
            "Log lines dropped because they were not read in time",
            registered.log_lines_dropped.clone(),
        );
        registered
    }

    pub(in crate::service) fn set(&self, now: &Snapshot) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let set = |family: &Family<StateLabels, Gauge>, state, value| {
            family.get_or_create(&StateLabels { state }).set(value);
        };
        set(&self.hashing_jobs, "waiting", gauge(now.hashing_waiting));
        set(&self.hashing_jobs, "running", gauge(now.hashing_running));
        set(&self.connections, "idle", now.connections_idle.into());
        set(&self.connections, "used", now.connections_used.into());
        self.connections_max.set(now.connections_max.into());
        self.feed_age.set(now.feed_age.map_or(f64::INFINITY, TimeDelta::as_seconds_f64));
        self.clock_skew.set(now.clock_skew.as_seconds_f64());
        self.limit_keys.set(gauge(now.limit_keys));
        self.log_lines_dropped.inner().store(telemetry::lines_dropped(), Ordering::Relaxed);
    }
}

/// The state of the process at one moment.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Snapshot {
    pub(in crate::service) hashing_waiting: usize,
    pub(in crate::service) hashing_running: usize,
    pub(in crate::service) connections_idle: u32,
    pub(in crate::service) connections_used: u32,
    pub(in crate::service) connections_max: u32,
    /// Since the last poll of the revocation feed; `None` before the first.
    pub(in crate::service) feed_age: Option<TimeDelta>,
    /// How far the clock is ahead of the database's.
    pub(in crate::service) clock_skew: TimeDelta,
    pub(in crate::service) limit_keys: usize,
}
