//! Strays: files that no row names, because the storage is not part of a transaction. Each is noted in the database, so that
//! it is found without a look at all files, which another deployment's could be among.

use crate::files::FileError;
use crate::service::Services;
use crate::store::{StoreError, stray_files};
use chrono::{DateTime, Duration, Utc};

/// How long a stray is left alone: hours. Longer than any request that is about to give it to a row.
const GRACE_HOURS: i64 = 1;
/// Strays that are read at once.
const BATCH: i64 = 100;

/// Why strays are still there.
#[derive(Debug, thiserror::Error)]
enum StrayError {
    #[error(transparent)]
    Files(#[from] FileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes a file that was noted as a stray. Where that fails, [`prune`] does it later.
pub async fn delete(services: &Services, name: String) {
    if let Err(error) = try_delete(services, name).await {
        log::warn!("files.stray: {error}; it is tried again");
    }
}

/// Deletes what was left behind more than an hour before `now`; stops where the storage does not answer.
pub async fn prune(services: &Services, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = now - Duration::hours(GRACE_HOURS);
    loop {
        let strays = services.store.run(move |connection| stray_files::list(connection, before, BATCH)).await?;
        if strays.is_empty() {
            return Ok(());
        }
        for name in strays {
            match try_delete(services, name).await {
                Ok(()) => {}
                Err(StrayError::Store(error)) => return Err(error),
                Err(StrayError::Files(error)) => {
                    log::warn!("files.stray: {error}; it is tried again");
                    return Ok(());
                }
            }
        }
    }
}

async fn try_delete(services: &Services, name: String) -> Result<(), StrayError> {
    services.files.delete(&name).await?;
    services.store.write_statement(move |connection| stray_files::delete(connection, &name)).await?;
    Ok(())
}
