//! Orphaned files: files that no row names, because the storage is not part of a transaction. Each is recorded in the
//! database, so that none has to be found by listing a storage that another deployment may share.

use crate::files::FileError;
use crate::service::Services;
use crate::store::{StoreError, stray_files};
use chrono::{DateTime, Duration, Utc};

/// How long an orphaned file is kept, hours: longer than any request that is about to store its name in a row.
const GRACE_HOURS: i64 = 1;
/// Orphaned files that are read at once.
const BATCH: i64 = 100;

/// Why an orphaned file was not deleted.
#[derive(Debug, thiserror::Error)]
enum OrphanError {
    #[error(transparent)]
    Files(#[from] FileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes a file that is recorded as orphaned. If that fails, [`prune`] deletes it later.
pub async fn delete(services: &Services, name: String) {
    if let Err(error) = try_delete(services, name).await {
        log::warn!("files.stray: {error}; it is retried later");
    }
}

/// Deletes the files that were recorded more than an hour before `now`; stops when the storage does not respond.
pub async fn prune(services: &Services, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = now - Duration::hours(GRACE_HOURS);
    loop {
        let names = services.store.run(move |connection| stray_files::list(connection, before, BATCH)).await?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            match try_delete(services, name).await {
                Ok(()) => {}
                Err(OrphanError::Store(error)) => return Err(error),
                Err(OrphanError::Files(error)) => {
                    log::warn!("files.stray: {error}; it is retried later");
                    return Ok(());
                }
            }
        }
    }
}

async fn try_delete(services: &Services, name: String) -> Result<(), OrphanError> {
    services.files.delete(&name).await?;
    services.store.write_statement(move |connection| stray_files::delete(connection, &name)).await?;
    Ok(())
}
