//! Backups: the whole database in one file, and back into an empty database of either kind. `docs/BACKUPS.md` describes
//! the file.

mod archive;
mod create;
mod encryption;
mod lines;
mod names;
mod restore;
mod retention;
mod seal;

pub use archive::ArchiveError;
pub use create::{Plan, Written, write};
pub use encryption::Identities;
pub use lines::Header;
pub use names::{BackupName, FOLDER};
pub use restore::{Contents, Order};
pub use retention::outdated;

use crate::store::StoreError;
use crate::store::backup::SnapshotError;
use crate::store::migrations::MigrateError;
use crate::store::state::StateError;
use chrono::{DateTime, Utc};
use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

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
    #[error("the backup cannot be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("{0} cannot be opened: {1}")]
    Open(PathBuf, std::io::Error),
    #[error("the database is not empty, there are rows in {}; a backup is restored into an empty one", .0.join(", "))]
    NotEmpty(Vec<String>),
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where it is.
    pub name: String,
    /// The moment that it shows.
    pub made_at: DateTime<Utc>,
    pub size_bytes: u64,
    pub rows: u64,
}

/// Writes a backup into a file of this machine; blocks. The file is there as a whole or not at all.
///
/// # Errors
/// [`BackupError`].
pub fn create_file(plan: &Plan, file: &Path) -> Result<Made, BackupError> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let written = write(plan, |_| private_file(Path::new(&unfinished)).map(BufWriter::new))
        .and_then(|written| {
            Ok((
                written.output.into_inner().map_err(std::io::IntoInnerError::into_error)?,
                written.made_at,
                written.rows,
            ))
        })
        .and_then(|(output, made_at, rows)| {
            output.sync_all()?;
            std::fs::rename(&unfinished, file)?;
            Ok(Made { name: file.display().to_string(), made_at, size_bytes: output.metadata()?.len(), rows })
        });
    if written.is_err() {
        _ = std::fs::remove_file(&unfinished);
    }
    written
}

/// A new file that nobody else on this machine may read.
fn private_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn open_file(file: &Path) -> Result<File, BackupError> {
    File::open(file).map_err(|error| BackupError::Open(file.to_owned(), error))
}

/// Reads a file of this machine to its end; blocks.
///
/// # Errors
/// [`BackupError`].
pub fn verify_file(file: &Path, identities: &Identities) -> Result<Contents, BackupError> {
    Ok(restore::verify(open_file(file)?, identities)?)
}

/// Fills an empty database from a file of this machine; blocks.
///
/// # Errors
/// [`BackupError`]; the database is as empty as before then.
pub fn restore_file(file: &Path, order: &Order<'_>) -> Result<Contents, BackupError> {
    restore::restore(order, || open_file(file))
}
