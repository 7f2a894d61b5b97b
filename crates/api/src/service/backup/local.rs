//! Backups in files of this machine.

use super::create::{Plan, write};
use super::{BackupError, Made};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IntoInnerError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a backup into a file; blocks. It is there as a whole or not at all, and nobody else on this machine may read it.
///
/// # Errors
/// [`BackupError`].
pub fn create_file(plan: &Plan, file: &Path) -> Result<Made, BackupError> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let made = write_and_rename(plan, Path::new(&unfinished), file);
    if made.is_err() {
        _ = std::fs::remove_file(&unfinished);
    }
    made
}

fn write_and_rename(plan: &Plan, unfinished: &Path, file: &Path) -> Result<Made, BackupError> {
    let output = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
    let mut output = BufWriter::new(output);
    let rows = write(plan, &mut output)?;
    let output = output.into_inner().map_err(IntoInnerError::into_error)?;
    output.sync_all()?;
    std::fs::rename(unfinished, file)?;
    // The name, too, must outlive a power cut.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    let size_bytes = output.metadata()?.len();
    Ok(Made { name: file.display().to_string(), made_at: plan.made_at, size_bytes, rows })
}

pub(super) fn open(file: &Path) -> Result<File, BackupError> {
    File::open(file).map_err(|error| BackupError::Open(file.to_owned(), error))
}
