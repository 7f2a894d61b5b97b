//! Finishes deletions of accounts: a deletion itself takes only one batch of each table's rows, so that its time is bounded.

use super::batches::{BATCH, in_batches};
use crate::service::Services;
use crate::service::tables::Erasure;
use crate::store::StoreError;
use chrono::{DateTime, Duration, Utc};

/// How far back [`finish_recent`] searches, hours. `prune` finishes all deletions.
const RECENT_HOURS: i64 = 2;

/// Deletes what is left of recently deleted accounts.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub async fn finish_recent(services: &Services) -> Result<(), StoreError> {
    finish(services, services.shared_now().get() - Duration::hours(RECENT_HOURS)).await
}

/// Deletes what is left of all deleted accounts.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
pub(super) async fn finish_all(services: &Services) -> Result<(), StoreError> {
    finish(services, DateTime::<Utc>::UNIX_EPOCH).await
}

/// Deletes what is left of accounts that were deleted at or after `since`.
///
/// # Errors
/// [`StoreError`]; what was deleted stays deleted.
async fn finish(services: &Services, since: DateTime<Utc>) -> Result<(), StoreError> {
    for table in services.schema.tables.iter().rev() {
        let Some(Erasure::InBatches { batch, left, .. }) = table.erasure.clone() else { continue };
        loop {
            let left = left.clone();
            let users = services.store.run(move |connection| left(connection, since, BATCH)).await?;
            if users.is_empty() {
                break;
            }
            for user in users {
                let batch = batch.clone();
                in_batches(services, move |connection, most| batch(connection, user, most)).await?;
            }
        }
    }
    Ok(())
}
