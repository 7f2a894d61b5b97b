//! Metrics of the last backup, which another process has made.

use crate::metrics::Metrics;
use chrono::{DateTime, Utc};
use prometheus_client::metrics::gauge::Gauge;
use std::sync::atomic::AtomicU64;

/// The time and the size of the last backup.
#[derive(Debug, Default)]
pub struct BackupMetrics {
    made_at: Gauge<f64, AtomicU64>,
    size: Gauge,
}

impl BackupMetrics {
    pub fn registered(metrics: &Metrics) -> Self {
        let registered = Self::default();
        let made_at = registered.made_at.clone();
        metrics.register(
            "backup_last_success_timestamp_seconds",
            "When the last backup was made, 0 for never",
            made_at,
        );
        metrics.register("backup_last_size_bytes", "Size of the last backup", registered.size.clone());
        registered
    }

    pub fn set(&self, made_at: DateTime<Utc>, size_bytes: i64) {
        self.made_at.set((made_at - DateTime::UNIX_EPOCH).as_seconds_f64());
        self.size.set(size_bytes);
    }
}
