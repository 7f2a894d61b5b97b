//! Backups in the storage. Reading and writing them blocks a thread, while the storage is asynchronous.

use super::create::{BackupPlan, CreatedBackup, write_archive};
use super::error::BackupError;
use super::names::{BackupName, FOLDER, START};
use super::reader::Beginning;
use super::retention;
use super::stop::StopFlag;
use crate::clock::MAX_CLOCK_SKEW;
use crate::config::Keep;
use crate::files::{FileError, Files, OpenedFile, Upload};
use crate::store::database_identity::DatabaseId;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::{BoxStream, Fuse};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use tokio::runtime::Handle;

const CONTENT_TYPE: &str = "application/octet-stream";

/// A backup in the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredBackup {
    pub name: BackupName,
    pub size_bytes: u64,
}

fn path(name: BackupName) -> String {
    format!("{FOLDER}/{name}")
}

/// All backups in the storage, oldest first.
pub async fn list(files: &Files) -> Result<Vec<StoredBackup>, FileError> {
    let mut all: Vec<_> = files
        .list(FOLDER, START)
        .try_filter_map(async |file| {
            let name = file.name.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')?.parse().ok());
            Ok(name.map(|name| StoredBackup { name, size_bytes: file.size }))
        })
        .try_collect()
        .await?;
    all.sort_unstable();
    Ok(all)
}

/// The result of a scan, and the files that are named like backups but were skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanResult<T> {
    pub found: T,
    pub skipped: Vec<SkippedFile>,
}

/// A file that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    pub name: BackupName,
    /// For example "it is not a backup".
    pub why: String,
}

impl SkippedFile {
    /// `None` if the file is a backup. A file that cannot be read, because of its permissions or a lost key, is skipped, so that it does
    /// not block the others.
    fn unless_backup(name: BackupName, found: Result<bool, BackupError>) -> Option<Self> {
        let why = match found {
            Ok(true) => return None,
            Ok(false) => "it is not a backup".to_owned(),
            Err(error) => error.to_string(),
        };
        Some(Self { name, why })
    }
}

/// The newest backup, if there is one. Files that are named later than now, or are not backups, are skipped and reported. One that
/// cannot be read is an error, because an older one is not what was asked for. If several databases keep their backups here, the
/// newest one of `current` is meant. Old names, which name no database, may be of any.
///
/// # Errors
/// [`BackupError::Several`] if `current` is none of them, or if they are several and `current` is not known.
pub async fn latest(
    files: &Files,
    now: DateTime<Utc>,
    current: impl Future<Output = Option<DatabaseId>>,
) -> Result<ScanResult<Option<BackupName>>, BackupError> {
    let ScanResult { found: mut names, mut skipped } = named_until(files, now).await?;
    // The newest of each, by database.
    let newest: BTreeMap<_, _> = names.iter().map(|name| (name.database, *name)).collect();
    if newest.len() > 1 {
        match choose_database(newest.keys().copied(), current.await) {
            DatabaseChoice::All => {}
            DatabaseChoice::One(database) => {
                names.retain(|name| name.database == Some(database));
                skipped.retain(|file| file.name.database == Some(database));
            }
            DatabaseChoice::Undecided => return Err(BackupError::Several(newest.into_values().collect())),
        }
    }
    for name in names.into_iter().rev() {
        let Some(file) = SkippedFile::unless_backup(name, Ok(is_backup(files, name).await?)) else {
            return Ok(ScanResult { found: Some(name), skipped });
        };
        skipped.push(file);
    }
    Ok(ScanResult { found: None, skipped })
}

/// Which backups are meant, where some name different databases, or none.
#[derive(Debug, PartialEq, Eq)]
enum DatabaseChoice {
    All,
    One(DatabaseId),
    Undecided,
}

/// Chooses among the databases that the names of backups name. An old name is `None` and may be of any database.
fn choose_database(named: impl Iterator<Item = Option<DatabaseId>>, current: Option<DatabaseId>) -> DatabaseChoice {
    let databases: Vec<_> = named.flatten().collect();
    match (databases.as_slice(), current) {
        // One database, and old names: they are taken for its own, if nothing contradicts that.
        ([] | [_], None) => DatabaseChoice::All,
        ([only], Some(current)) if *only == current => DatabaseChoice::All,
        // Several databases: the current one's are meant.
        (several, Some(current)) if several.contains(&current) => DatabaseChoice::One(current),
        // The backups are all of other databases, or it is not known which one is meant.
        (_, Some(_)) | ([_, _, ..], None) => DatabaseChoice::Undecided,
    }
}

/// The result of [`delete_outdated`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedBackups {
    pub deleted: Vec<BackupName>,
    pub skipped: Vec<SkippedFile>,
    /// The number of backups that are not known to be of this database.
    pub others: usize,
}

/// Which backups [`delete_outdated`] deletes.
#[derive(Debug)]
pub struct PrunePlan {
    pub keep: Keep,
    /// The database whose backups these are.
    pub current: DatabaseId,
    /// When the newest backup was made.
    pub made_at: DateTime<Utc>,
    pub stop: StopFlag,
}

/// Deletes the backups of the database `current` that `keep` does not keep, after one was made at `made_at`. Files that are named later,
/// are not backups or cannot be read stay and do not count: otherwise they would fill their day instead of a backup. Backups from
/// about the same time stay, too: the new one, which a clock difference may order before an older one, and one for other recipients.
///
/// After a signal nothing more is deleted.
///
/// # Errors
/// If the storage fails; backups that were deleted by then stay deleted.
pub async fn delete_outdated(
    files: &Files,
    PrunePlan { keep, current, made_at, stop }: PrunePlan,
) -> Result<PrunedBackups, BackupError> {
    let ScanResult { found: mut names, mut skipped } = named_until(files, made_at).await?;
    let all = names.len();
    names.retain(|name| name.database == Some(current));
    skipped.retain(|file| file.name.database == Some(current));
    let others = all - names.len();
    let mut backups = Vec::new();
    for name in names {
        if stop.is_set() {
            break;
        }
        match SkippedFile::unless_backup(name, is_backup(files, name).await) {
            None => backups.push(name),
            Some(file) => skipped.push(file),
        }
    }
    let mut outdated = retention::outdated(&backups, keep);
    outdated.retain(|name| name.made_at < made_at - MAX_CLOCK_SKEW);
    let mut deleted = Vec::new();
    for name in outdated {
        if stop.is_set() {
            break;
        }
        files.delete(&path(name)).await?;
        deleted.push(name);
    }
    Ok(PrunedBackups { deleted, skipped, others })
}

/// The names that are not later than `now`, oldest first; the others are skipped.
async fn named_until(files: &Files, now: DateTime<Utc>) -> Result<ScanResult<Vec<BackupName>>, FileError> {
    let names = list(files).await?.into_iter().map(|stored| stored.name);
    let (ahead, found): (Vec<_>, Vec<_>) = names.partition(|name| name.is_ahead(now));
    let why = "it is named later than now";
    let skipped = ahead.into_iter().map(|name| SkippedFile { name, why: why.to_owned() }).collect();
    Ok(ScanResult { found, skipped })
}

/// Whether a file begins like a backup; the rest is not read. An encrypted file without the mark, from an earlier release, is
/// recognized by its name.
async fn is_backup(files: &Files, name: BackupName) -> Result<bool, BackupError> {
    let files = files.clone();
    let reading = tokio::task::spawn_blocking(move || match open(&files, name) {
        Ok(input) => Ok(match Beginning::of(input)? {
            Beginning::Plain | Beginning::Encrypted => true,
            Beginning::Unmarked => name.encrypted,
            Beginning::Foreign => false,
        }),
        Err(BackupError::Missing(_)) => Ok(false), // deleted since it was listed
        Err(error) => Err(error),
    });
    reading.await.map_err(io::Error::other)?
}

/// Writes a backup into the storage; blocks. The file appears under its name once it is complete; after a failure nothing is left.
pub fn create(files: &Files, plan: &BackupPlan, database: DatabaseId) -> Result<CreatedBackup, BackupError> {
    let name = BackupName { made_at: plan.made_at, database: Some(database), encrypted: !plan.recipients.is_empty() };
    let runtime = Handle::current();
    let mut output = Output { upload: files.upload(&path(name), CONTENT_TYPE), runtime, size_bytes: 0 };
    match write_archive(plan, &mut output) {
        Ok(rows) => {
            let Output { upload, runtime, size_bytes } = output;
            runtime.block_on(upload.finish())?;
            Ok(CreatedBackup { name: name.to_string(), made_at: plan.made_at, size_bytes, rows })
        }
        Err(error) => {
            output.runtime.block_on(output.upload.abort());
            Err(error)
        }
    }
}

/// A file in the storage that is being written.
struct Output {
    upload: Upload,
    runtime: Handle,
    size_bytes: u64,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(self.upload.write(Bytes::copy_from_slice(bytes))).map_err(io::Error::other)?;
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a backup in the storage; blocks.
pub(super) fn open(files: &Files, name: BackupName) -> Result<impl Read + use<>, BackupError> {
    let runtime = Handle::current();
    let found = runtime.block_on(files.find(&path(name)))?;
    let OpenedFile { content, .. } = found.ok_or_else(|| BackupError::Missing(name.to_string()))?;
    Ok(Input { content: content.fuse(), runtime, piece: Bytes::new() })
}

/// A file in the storage that is being read.
struct Input {
    /// Fused, because a reader may read again at the end of the file.
    content: Fuse<BoxStream<'static, Result<Bytes, FileError>>>,
    runtime: Handle,
    piece: Bytes,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.content.next()) {
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::{BackupError, BackupName, DatabaseChoice, SkippedFile, choose_database};
    use std::io::ErrorKind;

    #[test]
    fn the_current_databases_backups_are_chosen_and_old_names_count_as_the_only_ones() {
        let [Ok(first), Ok(second)] = ["111111111111", "222222222222"].map(str::parse) else {
            panic!("two identities")
        };
        let choose = |named: &[_], current| choose_database(named.iter().copied(), current);
        assert_eq!(choose(&[None, Some(first)], None), DatabaseChoice::All);
        assert_eq!(choose(&[None, Some(first)], Some(first)), DatabaseChoice::All);
        assert_eq!(choose(&[None, Some(first)], Some(second)), DatabaseChoice::Undecided);
        assert_eq!(choose(&[Some(first), Some(second)], Some(second)), DatabaseChoice::One(second));
        assert_eq!(choose(&[None, Some(first), Some(second)], Some(second)), DatabaseChoice::One(second));
        assert_eq!(choose(&[Some(first), Some(second)], None), DatabaseChoice::Undecided);
    }

    #[test]
    fn other_files_and_unreadable_files_are_skipped() {
        let name = BackupName { made_at: chrono::DateTime::UNIX_EPOCH, database: None, encrypted: false };
        assert_eq!(SkippedFile::unless_backup(name, Ok(true)), None);
        for found in [Ok(false), Err(BackupError::from(std::io::Error::from(ErrorKind::PermissionDenied)))] {
            let why = found.as_ref().map_or_else(ToString::to_string, |_| "it is not a backup".to_owned());
            assert_eq!(SkippedFile::unless_backup(name, found), Some(SkippedFile { name, why }));
        }
    }
}
