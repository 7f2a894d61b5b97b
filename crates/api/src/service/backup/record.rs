//! The record of the last backup, in the database that it was made from.

use super::create::CreatedBackup;
use super::error::BackupError;
use super::names::is_ahead;
use crate::config::DatabaseUrl;
use crate::service::Services;
use crate::store::last_backup::LastBackup;
use crate::store::{StoreError, backup, last_backup};
use chrono::DateTime;

/// How often the API reads when the last backup was made, seconds.
pub const POLL_SECONDS: u64 = 60;

/// Records a backup in the database that it was made from, where the API reads it; blocks.
pub fn record(database: &DatabaseUrl, made: &CreatedBackup) -> Result<(), BackupError> {
    let size_bytes = i64::try_from(made.size_bytes).unwrap_or(i64::MAX);
    let last = LastBackup { name: made.name.clone(), made_at: made.made_at, size_bytes };
    backup::write_once(database, |connection| last_backup::replace(connection, &last)).map_err(BackupError::Record)
}

/// Reads when the last backup was made, for the metrics. A backup from the future, made by a clock that ran ahead, counts as none:
/// its age is unknown, and an old backup must not look recent.
pub async fn observe(services: &Services) -> Result<(), StoreError> {
    if let Some(last) = services.store.run(last_backup::find).await? {
        let made_at =
            if is_ahead(last.made_at, services.shared_now().get()) { DateTime::UNIX_EPOCH } else { last.made_at };
        services.backup_metrics.set(made_at, last.size_bytes);
    }
    Ok(())
}
