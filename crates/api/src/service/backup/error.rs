//! Why a backup could not be created, verified or restored.

use super::names::BackupName;
use crate::files::FileError;
use crate::store::StoreError;
use crate::store::backup::SnapshotError;
use crate::store::migrations::MigrateError;
use crate::store::state::StateError;
use std::io::Error;
use std::path::PathBuf;

/// Why a backup could not be created, verified or restored.
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
    Write(#[from] Error),
    #[error("stopped by a signal; no backup is made")]
    Stopped,
    #[error("a signal stopped the command")]
    StoppedLater,
    #[error("cannot be recorded in the database, where metrics and alerts read it: {0}")]
    Record(#[source] StoreError),
    #[error("{0} is stored, but its folder cannot be flushed, so a power failure may undo it: {1}")]
    Unflushed(PathBuf, Error),
    #[error("{0} is a device, a pipe, a link or a folder, which is not replaced; name a file")]
    NotAFile(PathBuf),
    #[error("{0} exists and is not a backup; name another file")]
    NotABackup(PathBuf),
    #[error("{0} exists and is encrypted, and may not be a backup; remove it, or name another file")]
    Unmarked(PathBuf),
    #[error(
        "- stands for standard output, and backups are not written there; name a file, or ./- for a file of that name"
    )]
    StandardOutput,
    #[error("{0} is a file of the database itself; name another file")]
    DatabaseFile(PathBuf),
    #[error("{0} cannot be opened: {1}")]
    Open(PathBuf, Error),
    #[error("{0} is a pipe or a device, and a restore reads the backup twice; write it to a file and name that")]
    ReadOnce(PathBuf),
    #[error("there is no backup {0} in the storage; a file of this name is ./{0}")]
    Missing(String),
    #[error("the backups in the storage are of several databases; name one, such as {}", Names(.0))]
    Several(Vec<BackupName>),
    #[error("the database is not empty, there are rows in {}; a backup can only be restored into an empty one", .0.join(", "))]
    NotEmpty(Vec<String>),
}

struct Names<'a>(&'a [BackupName]);

impl std::fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
    }
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("this is not a backup of Latchkey")]
    Foreign,
    #[error("the backup is encrypted; name the file of the key that opens it with --identity")]
    Encrypted,
    #[error("the backup is encrypted, and none of the keys of --identity opens it")]
    WrongIdentity,
    #[error("the backup was made by a newer release ({0}); use that one")]
    Newer(String),
    #[error("the backup is damaged, cut short or cannot be read: {0}")]
    Damaged(String),
}

impl From<Error> for ArchiveError {
    fn from(error: Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
