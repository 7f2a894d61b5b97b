//! Backups in files on this machine.

use super::create::{BackupPlan, CreatedBackup, write_archive};
use super::error::BackupError;
use super::names::BackupName;
use super::reader::Beginning;
use crate::config::{DatabaseUrl, folder_of};
use std::ffi::OsStr;
use std::fs::{File, Metadata, Permissions};
use std::io::{BufWriter, ErrorKind, IntoInnerError};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;
use uuid::Uuid;

/// Writes a backup into a file; blocks. The file is complete or does not exist. Of several concurrent calls, each writes a complete
/// file, and the last one stays.
pub fn create_file(plan: &BackupPlan, file: &Path) -> Result<CreatedBackup, BackupError> {
    if file == Path::new("-") {
        return Err(BackupError::StandardOutput);
    }
    must_not_be_database_file(&plan.database, file)?;
    must_be_replaceable(file)?;
    // A unique name of a fixed length, however long the file's name is.
    let unfinished = folder_of(file).join(format!(".latchkey-{}.part", Uuid::new_v4().simple()));
    let output = File::create_new(&unfinished)?;
    let made = write_and_rename(plan, output, &unfinished, file);
    if made.is_err() {
        _ = std::fs::remove_file(&unfinished);
    }
    made
}

/// A user who names a device, a pipe or a link does not want it replaced by a file. Of existing files only backups are replaced: a
/// typing error must not overwrite the database, a key or an `.env`. Returns the existing file's metadata.
fn must_be_replaceable(file: &Path) -> Result<Option<(Metadata, Beginning)>, BackupError> {
    match std::fs::symlink_metadata(file) {
        Ok(existing) if !existing.is_file() => Err(BackupError::NotAFile(file.to_owned())),
        Ok(existing) => match Beginning::of(open(file)?)? {
            beginning @ (Beginning::Plain | Beginning::Encrypted) => Ok(Some((existing, beginning))),
            Beginning::Unmarked if is_named_as_encrypted(file) => Ok(Some((existing, Beginning::Encrypted))),
            Beginning::Unmarked => Err(BackupError::Unmarked(file.to_owned())),
            Beginning::Foreign => Err(BackupError::NotABackup(file.to_owned())),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a file has a name that the storage uses for encrypted backups only.
fn is_named_as_encrypted(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<BackupName>().ok());
    name.is_some_and(|name| name.encrypted)
}

/// SQLite uses files of these names as its own and deletes their content.
fn must_not_be_database_file(database: &DatabaseUrl, file: &Path) -> Result<(), BackupError> {
    let DatabaseUrl::Sqlite(database) = database else { return Ok(()) };
    let (Some(name), Some(of_database)) = (file.file_name(), database.file_name()) else { return Ok(()) };
    let same_folder = match (folder_of(file).canonicalize(), folder_of(database).canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let is_used = ["", "-wal", "-shm", "-journal"].into_iter().any(|suffix| {
        let mut used = of_database.to_owned();
        used.push(suffix);
        used == name
    });
    if same_folder && is_used { Err(BackupError::DatabaseFile(file.to_owned())) } else { Ok(()) }
}

fn write_and_rename(
    plan: &BackupPlan,
    output: File,
    unfinished: &Path,
    file: &Path,
) -> Result<CreatedBackup, BackupError> {
    let mut output = BufWriter::new(output);
    let rows = write_archive(plan, &mut output)?;
    let output = output.into_inner().map_err(IntoInnerError::into_error)?;
    let existing = must_be_replaceable(file)?;
    // Whoever may read an encrypted backup may not be meant to read password hashes.
    if let Some((existing, beginning)) = existing
        && (beginning == Beginning::Plain || !plan.recipients.is_empty())
    {
        keep_rights(&output, &existing, &std::fs::metadata(folder_of(file))?)?;
    }
    output.sync_all()?;
    std::fs::rename(unfinished, file)?;
    flush_folder(file).map_err(|error| BackupError::Unflushed(file.to_owned(), error))?;
    let size_bytes = output.metadata()?.len();
    Ok(CreatedBackup { name: file.display().to_string(), made_at: plan.made_at, size_bytes, rows })
}

/// The new name must survive a power failure, too. Only a folder that may be read can be flushed; in another one this is left to
/// the system.
fn flush_folder(file: &Path) -> std::io::Result<()> {
    match File::open(folder_of(file)) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives the file the owner, the group and the mode of the one that it replaces: whoever collects backups may read by them. Where
/// the group must not be given, its rights are not given to another group. In a folder that others may write to, another user may
/// have put the file there: its rights count only if it belongs to us or to the owner of the folder.
fn keep_rights(output: &File, existing: &Metadata, folder: &Metadata) -> std::io::Result<()> {
    let is_trusted = [output.metadata()?.uid(), folder.uid()].contains(&existing.uid());
    if !is_trusted && folder.mode() & 0o022 != 0 {
        return Ok(());
    }
    let of_group = if fchown(output, None, Some(existing.gid())).is_ok() { 0o070 } else { 0 };
    // Only root may give a file to another user.
    _ = fchown(output, Some(existing.uid()), None);
    output.set_permissions(Permissions::from_mode(existing.mode() & (0o707 | of_group)))
}

/// A pipe, with a name or without one such as `/dev/stdin` behind another command, is at its end once it was read.
pub(super) fn is_read_once(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

pub(super) fn open(file: &Path) -> Result<File, BackupError> {
    File::open(file).map_err(|error| BackupError::Open(file.to_owned(), error))
}
