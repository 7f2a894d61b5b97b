//! Backups in files of this machine.

use super::create::{BackupPlan, CreatedBackup, write};
use super::error::BackupError;
use super::names::BackupName;
use super::reader::Beginning;
use crate::config::{DatabaseUrl, folder_of};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, IntoInnerError};
use std::path::Path;
use uuid::Uuid;

/// Writes a backup into a file; blocks. It is there as a whole or not at all.
/// Of several at once, each is whole, and the last one stays.
pub fn create_file(plan: &BackupPlan, file: &Path) -> Result<CreatedBackup, BackupError> {
    if file == Path::new("-") {
        return Err(BackupError::StandardOutput);
    }
    must_not_be_of(&plan.database, file)?;
    must_be_replaceable(file)?;
    // Of one length, whatever the file is called, and nobody else's.
    let unfinished = folder_of(file).join(format!(".latchkey-{}.part", Uuid::new_v4().simple()));
    let output = File::create_new(&unfinished)?;
    let made = write_and_rename(plan, output, (&unfinished, file));
    if made.is_err() {
        _ = std::fs::remove_file(&unfinished);
    }
    made
}

/// A device, a pipe or a link is not what somebody who names it wants to have replaced by a file. Of files, only a backup
/// is: a slip of the hand must not cost the database, a key or an `.env`.
fn must_be_replaceable(file: &Path) -> Result<(), BackupError> {
    match std::fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => Err(BackupError::NoFile(file.to_owned())),
        Ok(_) => match Beginning::of(open(file)?)? {
            Beginning::Backup => Ok(()),
            Beginning::Encrypted if is_named_as_encrypted(file) => Ok(()),
            Beginning::Encrypted => Err(BackupError::Unmarked(file.to_owned())),
            Beginning::Foreign => Err(BackupError::Precious(file.to_owned())),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a file has a name that the storage gives to encrypted backups and to nothing else.
fn is_named_as_encrypted(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<BackupName>().ok());
    name.is_some_and(|name| name.encrypted)
}

/// SQLite takes files of these names for its own and deletes what it finds there.
fn must_not_be_of(database: &DatabaseUrl, file: &Path) -> Result<(), BackupError> {
    let DatabaseUrl::Sqlite(database) = database else { return Ok(()) };
    let (Some(name), Some(of_database)) = (file.file_name(), database.file_name()) else { return Ok(()) };
    let same_folder = match (folder_of(file).canonicalize(), folder_of(database).canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let is_taken = ["", "-wal", "-shm", "-journal"].into_iter().any(|end| {
        let mut taken = of_database.to_owned();
        taken.push(end);
        taken == name
    });
    if same_folder && is_taken { Err(BackupError::OfDatabase(file.to_owned())) } else { Ok(()) }
}

fn write_and_rename(
    plan: &BackupPlan,
    output: File,
    (unfinished, file): (&Path, &Path),
) -> Result<CreatedBackup, BackupError> {
    let mut output = BufWriter::new(output);
    let rows = write(plan, &mut output)?;
    let output = output.into_inner().map_err(IntoInnerError::into_error)?;
    output.sync_all()?;
    must_be_replaceable(file)?;
    std::fs::rename(unfinished, file)?;
    // The name, too, must outlive a power cut.
    File::open(folder_of(file))?.sync_all()?;
    let size_bytes = output.metadata()?.len();
    Ok(CreatedBackup { name: file.display().to_string(), made_at: plan.made_at, size_bytes, rows })
}

pub(super) fn open(file: &Path) -> Result<File, BackupError> {
    File::open(file).map_err(|error| BackupError::Open(file.to_owned(), error))
}
