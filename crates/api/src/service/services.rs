//! What every use case works with.

use super::accounts::export::ExportSlots;
use super::backup::BackupMetrics;
use super::leases::Leases;
use super::limits::RateLimiter;
use super::mail::{MailRegistry, Mailer};
use super::pool::WorkPool;
use super::redis_connection::RedisConnection;
use super::sessions::SessionMetrics;
use super::sessions::csrf_keys::CsrfKeys;
use super::sessions::revocation_feed::RevocationFeed;
use super::steps::StepKeys;
use super::tables::Schema;
use super::tokens::TokenAuthority;
use super::upkeep::gauges::Gauges;
use super::upkeep::readiness_cache::ReadinessCache;
use crate::clock::{ComparedClock, SharedTime};
use crate::config::Settings;
use crate::files::Files;
use crate::gate::BodyMemory;
use crate::metrics::Metrics;
use crate::store::Store;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What every use case works with.
#[derive(Debug)]
pub struct Services {
    pub settings: Arc<Settings>,
    pub clock: ComparedClock,
    pub store: Store,
    /// All tables, and what is done with their rows.
    pub schema: Arc<Schema>,
    pub tokens: TokenAuthority,
    pub csrf: CsrfKeys,
    pub steps: StepKeys,
    pub hashing: WorkPool,
    pub pictures: WorkPool,
    pub files: Files,
    pub exports: ExportSlots,
    pub feed: RevocationFeed,
    pub readiness: ReadinessCache,
    /// Memory for request bodies that are arriving.
    pub bodies: BodyMemory,
    pub mailer: Mailer,
    /// The kinds of mail that this program can send.
    pub mails: Arc<MailRegistry>,
    /// `None` without `REDIS_URL`.
    pub redis: Option<Arc<RedisConnection>>,
    pub limits: RateLimiter,
    pub leases: Leases,
    pub session_metrics: SessionMetrics,
    pub backup_metrics: BackupMetrics,
    pub gauges: Gauges,
    pub metrics: Metrics,
}

impl Services {
    /// The current time, by the clock that was passed in.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Connects to Redis, if it is configured and not connected. Returns whether the state is as configured.
    pub async fn connect_to_redis(&self) -> bool {
        match &self.redis {
            Some(redis) => redis.connect().await,
            None => true,
        }
    }

    /// The current time, for what other processes compare with their own.
    pub fn shared_now(&self) -> SharedTime {
        self.clock.shared_now()
    }
}
