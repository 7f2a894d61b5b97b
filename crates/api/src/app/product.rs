//! Assembles features into a product, and a product's services.

use super::collisions::{self, Collision};
use super::feature::{BackgroundJob, Feature, MakeState};
use crate::clock::{ComparedClock, SharedClock};
use crate::config::Settings;
use crate::files::{Files, OpenError, RetryPolicy};
use crate::gate::{BodyMemory, GateMetrics, Resource};
use crate::http::ProductEndpoints;
use crate::metrics::Metrics;
use crate::service::Services;
use crate::service::accounts::export::{ExportMetrics, ExportSlots};
use crate::service::backup::BackupMetrics;
use crate::service::hashed_key::KeyHasher;
use crate::service::leases::Leases;
use crate::service::limits::RateLimiter;
use crate::service::mail::{MailMetrics, MailRegistry, Mailer, MailerError};
use crate::service::pool::WorkPool;
use crate::service::redis_connection::RedisConnection;
use crate::service::sessions::SessionMetrics;
use crate::service::sessions::csrf_keys::CsrfKeys;
use crate::service::sessions::revocation_feed::RevocationFeed;
use crate::service::steps::StepKeys;
use crate::service::tables::Schema;
use crate::service::tokens::TokenAuthority;
use crate::service::upkeep::gauges::Gauges;
use crate::service::upkeep::readiness_cache::ReadinessCache;
use crate::store::Store;
use crate::store::migrations::{FeatureMigrations, Migrations};
use std::sync::Arc;

/// Why the services could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
    #[error("cannot hash: {0}")]
    Hash(#[from] bcrypt::BcryptError),
    #[error("{0}")]
    Mailer(#[from] MailerError),
    #[error("{0}")]
    Files(#[from] OpenError),
    #[error("REDIS_URL: cannot be used: {0}; write redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/NUMBER")]
    Redis(#[from] redis::RedisError),
}

/// The parts of a program: Latchkey, and the features of a product on top.
#[derive(Debug, Clone)]
pub struct App(Vec<Feature>);

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// Latchkey alone.
    pub fn new() -> Self {
        Self(vec![Feature::builtin()])
    }

    /// Adds a feature.
    #[must_use]
    pub fn feature(mut self, feature: Feature) -> Self {
        self.0.push(feature);
        self
    }

    /// Assembles the features into a product.
    pub fn assemble(self) -> Result<Product, Collision> {
        collisions::find(&self.0)?;
        let namespaces = self.0.iter().filter(|feature| !feature.changes.is_empty());
        let namespaces =
            namespaces.map(|feature| FeatureMigrations { namespace: feature.name, changes: feature.changes });
        let migrations = Migrations::with(namespaces.collect());
        let mut product = Product {
            schema: Arc::default(),
            endpoints: ProductEndpoints(Vec::new()),
            states: Vec::new(),
            jobs: Vec::new(),
            mails: Arc::default(),
        };
        let mut tables = Vec::new();
        let mut mails = Vec::new();
        for feature in self.0 {
            tables.extend(feature.tables);
            product.endpoints.0.extend(feature.endpoints);
            product.states.extend(feature.states);
            product.jobs.extend(feature.jobs);
            mails.extend(feature.mails);
        }
        product.mails = Arc::new(MailRegistry::of(mails));
        product.schema = Arc::new(Schema { tables, migrations });
        Ok(product)
    }
}

/// Features that have been checked and assembled.
#[derive(Clone)]
pub struct Product {
    /// The tables and migrations.
    pub schema: Arc<Schema>,
    /// All endpoints.
    pub endpoints: ProductEndpoints,
    pub(super) states: Vec<MakeState>,
    pub(super) jobs: Vec<BackgroundJob>,
    mails: Arc<MailRegistry>,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Product").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Product {
    /// Creates the services.
    pub fn services(&self, settings: Settings, clock: SharedClock) -> Result<Services, ServicesError> {
        let metrics = Metrics::since(clock.now());
        let gate = |resource| GateMetrics::registered(&metrics, resource);
        let clock = ComparedClock::new(clock);
        let redis = RedisConnection::configured(&settings.limits, &metrics)?;
        let keys = KeyHasher::of(&settings.keys);
        Ok(Services {
            schema: Arc::clone(&self.schema),
            store: Store::new(&settings.database, settings.timeouts, &metrics),
            tokens: TokenAuthority::new(&settings.keys, &settings.lifetimes, clock.clone()),
            csrf: CsrfKeys::new(&settings.keys),
            steps: StepKeys::new(&settings.keys),
            hashing: WorkPool::for_hashing(gate(Resource::Hashing))?,
            pictures: WorkPool::for_pictures(gate(Resource::Pictures))?,
            exports: ExportSlots::new(settings.database.pool_size, ExportMetrics::registered(&metrics)),
            files: Files::open(&settings.storage, RetryPolicy::Few, settings.timeouts)?,
            feed: RevocationFeed::default(),
            readiness: ReadinessCache::default(),
            bodies: BodyMemory::for_bodies(&metrics),
            mailer: Mailer::new(
                &settings.mail,
                settings.environment,
                settings.timeouts.mail,
                MailMetrics::registered(&metrics),
            )?,
            mails: Arc::clone(&self.mails),
            limits: RateLimiter::new(&settings.limits, keys.clone(), clock.clone(), &metrics).shared_in(redis.clone()),
            leases: Leases::new(redis.clone(), keys),
            redis,
            session_metrics: SessionMetrics::registered(&metrics),
            backup_metrics: BackupMetrics::registered(&metrics),
            gauges: Gauges::registered(&metrics),
            metrics,
            settings: Arc::new(settings),
            clock,
        })
    }
}
