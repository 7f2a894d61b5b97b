//! SQLite's file, its log and the log's index. A connection keeps using the files that it has opened, even if other files are at
//! their paths by now: what is written into a deleted file is lost, and nothing else would show it. Processes that do not share one
//! index overwrite each other's pages in the log.
//!
//! Only metadata is read. Opening and closing the file outside SQLite would release SQLite's locks (a process has one set of locks
//! per file). So a copy that is written over the file in place is noticed only if it is shorter.

use crate::config::{DatabaseUrl, folder_of};
use parking_lot::Mutex;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why nothing is done with a file that [`DatabaseFile::is_lost`].
pub(super) const LOST: &str = "its file was deleted, replaced or cut short";

/// Device and inode: they distinguish a file from another one that has its path later.
type FileId = (u64, u64);

/// The database's file; `None` if the database is on a server. Clones share their state.
#[derive(Debug, Clone)]
pub(super) struct DatabaseFile(Option<Arc<Watched>>);

/// The suffixes of the files that SQLite keeps next to its file while it is open: the write-ahead log, and the index through which
/// processes share it.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    companions: [PathBuf; COMPANIONS.len()],
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    /// The file when it was first seen.
    opened: Option<FileId>,
    /// The largest size that was seen, bytes. Only `VACUUM` shrinks the file, and that is for a stopped process.
    size: u64,
    connections: usize,
    /// The log and index of these connections. SQLite deletes them with the last one.
    companions: [Option<FileId>; COMPANIONS.len()],
    is_lost: bool,
}

/// Counts one open connection until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(DatabaseFile);

impl DatabaseFile {
    pub(super) fn of(url: &DatabaseUrl) -> Self {
        Self(match url {
            DatabaseUrl::Postgres(_) => None,
            DatabaseUrl::Sqlite(path) => {
                let watched = Watched { path: path.clone(), companions: companions_of(path), state: Mutex::default() };
                Some(Arc::new(watched))
            }
        })
    }

    /// Counts a connection that was just opened and has read once: by then the log and index exist.
    pub(super) fn connected(&self) -> OpenConnection {
        if let Some(Watched { companions, state, .. }) = self.0.as_deref() {
            let mut state = state.lock();
            if state.connections == 0 {
                state.companions = ids_of(companions).unwrap_or_default();
            }
            state.connections += 1;
        }
        OpenConnection(self.clone())
    }

    /// Whether the file, its log and index can be written, or created in their folder. Each commit needs them.
    pub(super) fn accepts_writes(&self) -> bool {
        let Some(Watched { path, companions, .. }) = self.0.as_deref() else { return true };
        let folder = folder_of(path);
        let may_add = || may_write(folder, Access::WRITE_OK | Access::EXEC_OK);
        may_write(path, Access::WRITE_OK) != Some(false)
            && companions.iter().all(|one| may_write(one, Access::WRITE_OK).or_else(may_add) == Some(true))
    }

    /// Whether the file, its log or index was deleted, replaced or truncated while it was open. The first time is logged, and a lost
    /// file stays lost: one that is put back, or is as long as before, is not what the connections have written.
    pub(super) fn is_lost(&self) -> bool {
        let Some(watched) = self.0.as_deref() else { return false };
        let mut state = watched.state.lock();
        // A file whose metadata cannot be read does not count as lost.
        if !state.is_lost && watched.finds_loss(&mut state).unwrap_or(false) {
            state.is_lost = true;
            log::error!(
                "store.file: the database's file, its log or the log's index was deleted, replaced or cut short while it was open; restart the process"
            );
        }
        state.is_lost
    }
}

impl Watched {
    fn finds_loss(&self, state: &mut FileState) -> std::io::Result<bool> {
        let found = find(&self.path)?;
        let id = found.as_ref().map(file_id);
        let Some(opened) = state.opened.or(id) else { return Ok(false) };
        state.opened = Some(opened);
        let size = found.map_or(0, |file| file.len());
        let is_truncated = size < state.size;
        state.size = state.size.max(size);
        let companions = ids_of(&self.companions)?;
        let lacks_companions =
            state.companions.iter().zip(companions).any(|(noted, now)| noted.is_some() && *noted != now);
        Ok(id != Some(opened) || is_truncated || lacks_companions)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(Watched { state, .. }) = self.0.0.as_deref() {
            let mut state = state.lock();
            state.connections -= 1;
            if state.connections == 0 {
                state.companions = Default::default();
            }
        }
    }
}

/// Whether this process may write to `path`, without opening it; `None` if it does not exist.
fn may_write(path: &Path, how: Access) -> Option<bool> {
    match access(path, how) {
        Err(Errno::NOENT) => None,
        result => Some(result.is_ok()),
    }
}

fn file_id(file: &Metadata) -> FileId {
    (file.dev(), file.ino())
}

/// The metadata of `path`; `None` if it does not exist.
fn find(path: &Path) -> std::io::Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

fn ids_of(paths: &[PathBuf; COMPANIONS.len()]) -> std::io::Result<[Option<FileId>; COMPANIONS.len()]> {
    let [log, index] = paths;
    Ok([find(log)?.as_ref().map(file_id), find(index)?.as_ref().map(file_id)])
}

/// The paths of SQLite's log and the log's index.
pub(super) fn companions_of(path: &Path) -> [PathBuf; COMPANIONS.len()] {
    COMPANIONS.map(|suffix| {
        let mut companion = path.as_os_str().to_owned();
        companion.push(suffix);
        companion.into()
    })
}

#[cfg(test)]
mod tests {
    use super::super::connection::Manager;
    use super::*;
    use diesel::r2d2::ManageConnection;

    #[test]
    fn a_log_that_sqlite_deletes_with_the_last_connection_is_not_lost() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("test.sqlite3");
        let url = DatabaseUrl::Sqlite(path.clone());
        let file = DatabaseFile::of(&url);
        let pool = Manager::new(url, file.clone());
        for _ in 0..3 {
            let first = pool.connect()?;
            let second = pool.connect()?;
            assert!(companions_of(&path).iter().all(|companion| companion.exists()));
            assert!(!file.is_lost());
            drop(first);
            assert!(!file.is_lost());
            drop(second);
            assert!(!companions_of(&path).iter().any(|companion| companion.exists()));
            assert!(!file.is_lost());
        }
        Ok(())
    }
}
