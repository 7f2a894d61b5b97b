//! Starting: the schema is brought up to date and the revocation feed is read, as soon as the database responds.
//!
//! Until then the process is alive (`/healthz`), not ready (`/readyz`), and returns 503 to every request that needs an account.

use super::clocks::compare_clocks;
use crate::service::Services;
use crate::service::sessions::revocation_poll;
use crate::service::tables::MissingTable;
use crate::store::migrations::{self, MigrateError};
use crate::store::{self, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The pause after the first failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Why an attempt to start failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseStartError {
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Missing(#[from] MissingTable),
    #[error("the attempt was aborted: {0}")]
    Aborted(#[from] tokio::task::JoinError),
}

impl DatabaseStartError {
    /// Whether the next attempt may succeed without intervention.
    fn is_transient(&self) -> bool {
        match self {
            Self::Migrate(cause) => cause.is_transient(),
            Self::Missing(_) => false,
            Self::Store(_) | Self::Aborted(_) => true,
        }
    }
}

/// Returns when the process is ready to work; retries while the failure is transient.
///
/// # Errors
/// [`DatabaseStartError`], when an operator has to act first: a wrong password, a missing database, a failed migration.
pub async fn start(services: &Services) -> Result<(), DatabaseStartError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let Err(error) = attempt(services).await else { return Ok(()) };
        if !error.is_transient() {
            return Err(error);
        }
        log::warn!("start.waiting: {error}; trying again in {} ms", pause.as_millis());
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

async fn attempt(services: &Services) -> Result<(), DatabaseStartError> {
    let url = services.settings.database.url.clone();
    let dialect = store::dialect(&url);
    let schema = Arc::clone(&services.schema);
    let migrated = tokio::task::spawn_blocking(move || migrations::migrate(&url, &schema.migrations)).await??;
    services.store.run(migrations::check_encoding).await??;
    let schema = Arc::clone(&services.schema);
    services.store.run(move |connection| schema.check(connection)).await??;
    // Before the first request, and before anything depends on the time.
    compare_clocks(services).await?;
    // Before the first request: a token revoked while this process was down must not be accepted for a second.
    revocation_poll::poll(services).await?;
    // Before the first token is issued.
    revocation_poll::record_own_lifetime(services).await;
    log::info!("start.database: {dialect}, {} migrations run", migrated.len());
    Ok(())
}
