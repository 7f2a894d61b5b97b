//! Backups: the whole database in one file, and back into an empty database of either kind. `docs/BACKUPS.md` describes
//! the file.

mod create;
mod encryption;
mod lines;
mod local;
mod names;
mod reader;
mod restore;
mod retention;
mod seal;
mod stored;
mod writer;

pub use create::{Plan, write};
pub use encryption::Identities;
pub use lines::Header;
pub use local::create_file;
pub use names::{BackupName, FOLDER};
pub use reader::ArchiveError;
pub use restore::{Contents, Order, restore, verify};
pub use retention::outdated;
pub use stored::{Stored, create, delete_outdated, latest, list};

use super::Services;
use crate::config::DatabaseUrl;
use crate::files::{FileError, Files};
use crate::store::backup::SnapshotError;
use crate::store::last_backup::LastBackup;
use crate::store::migrations::MigrateError;
use crate::store::state::StateError;
use crate::store::{StoreError, backup, last_backup};
use chrono::{DateTime, Utc};
use names::is_ahead;
use std::io::Read;
use std::path::PathBuf;

/// How often the API looks when the last backup was made, seconds.
pub const POLL_SECONDS: u64 = 60;

/// Why a backup was not made, proven or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0}")]
    Snapshot(#[from] SnapshotError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    #[error("{0}")]
    Storage(#[from] FileError),
    #[error("the backup cannot be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("{0} is a device, a pipe, a link or a folder, which is not replaced; name a file")]
    NoFile(PathBuf),
    #[error("{0} exists and is no backup; name another file")]
    Precious(PathBuf),
    #[error("{0} is a file of the database itself; name another file")]
    OfDatabase(PathBuf),
    #[error("{0} cannot be opened: {1}")]
    Open(PathBuf, std::io::Error),
    #[error("there is no backup {0} in the storage")]
    Missing(String),
    #[error("the database is not empty, there are rows in {}; a backup is restored into an empty one", .0.join(", "))]
    NotEmpty(Vec<String>),
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its name in the storage, or the file.
    pub name: String,
    /// The moment that it shows.
    pub made_at: DateTime<Utc>,
    pub size_bytes: u64,
    pub rows: u64,
}

/// Where a backup is.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a file of this machine.
    File(PathBuf),
    Stored(Box<Files>, BackupName),
}

impl Source {
    fn open(&self) -> Result<Box<dyn Read>, BackupError> {
        Ok(match self {
            Self::File(file) => Box::new(local::open(file)?),
            Self::Stored(files, name) => Box::new(stored::open(files, *name)?),
        })
    }
}

/// Notes a backup of the storage in the database that it was made of, where the API reads it; blocks.
///
/// # Errors
/// When the database does not answer.
pub fn record(database: &DatabaseUrl, made: &Made) -> Result<(), StoreError> {
    let size_bytes = i64::try_from(made.size_bytes).unwrap_or(i64::MAX);
    let last = LastBackup { name: made.name.clone(), made_at: made.made_at, size_bytes };
    backup::write_once(database, |connection| last_backup::replace(connection, &last))
}

/// Reads when the last backup was made, for the metrics. A clock that was ahead must not keep an old backup fresh: how old it
/// is nobody knows, so it counts as none.
///
/// # Errors
/// When the database does not answer.
pub async fn observe(services: &Services) -> Result<(), StoreError> {
    if let Some(last) = services.store.run(last_backup::find).await? {
        let made_at = if is_ahead(last.made_at, services.now()) { DateTime::UNIX_EPOCH } else { last.made_at };
        services.metrics.backup.set(made_at, last.size_bytes);
    }
    Ok(())
}
