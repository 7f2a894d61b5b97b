//! The file of SQLite, its log and the log's index. Connections go on with the files that they have opened, whatever is at their
//! paths by now: what is written into a deleted file is lost, and nothing else would show it. Processes that do not share one index
//! write over each other's pages in the log.
//!
//! Only names and sizes are looked at. To open the file besides SQLite would end its locks (a process has one set of them for a
//! file), so a copy that somebody writes over it is noticed when it is shorter.

use crate::config::{DatabaseUrl, folder_of};
use parking_lot::Mutex;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What tells a file from another one that has its path later: device and inode.
type FileId = (u64, u64);

/// The database's file, unless it is on a server; clones share what is known of it.
#[derive(Debug, Clone)]
pub(super) struct DatabaseFile(Option<Arc<Watched>>);

/// How the names end of what SQLite keeps next to its file while it is open: the write-ahead log, and its index, by which processes
/// share it.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    companions: [PathBuf; COMPANIONS.len()],
    state: Mutex<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    /// As it was when there was one at first.
    opened: Option<FileId>,
    /// The most that it was seen to have, bytes. Only `VACUUM` makes it shorter, which is for a stopped process.
    size: u64,
    connections: usize,
    /// What is kept for these connections. SQLite deletes it with the last one.
    companions: [Option<FileId>; COMPANIONS.len()],
    is_lost: bool,
}

/// A connection that is open, until this is dropped.
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

    /// Counts a connection that was just opened, and that has read: what is kept next to the file is there by then.
    pub(super) fn connected(&self) -> OpenConnection {
        if let Some(Watched { companions, state, .. }) = self.0.as_deref() {
            let mut state = state.lock();
            if state.connections == 0 {
                state.companions = ids_of(companions);
            }
            state.connections += 1;
        }
        OpenConnection(self.clone())
    }

    /// Whether it can be written: it and what is kept next to it, or the folder that this is to be made in. Each commit goes there.
    pub(super) fn takes_writes(&self) -> bool {
        let Some(Watched { path, companions, .. }) = self.0.as_deref() else { return true };
        let folder = folder_of(path);
        let may_add = || may_write(folder, Access::WRITE_OK | Access::EXEC_OK);
        may_write(path, Access::WRITE_OK) != Some(false)
            && companions.iter().all(|one| may_write(one, Access::WRITE_OK).or_else(may_add) == Some(true))
    }

    /// Whether it, or what is kept next to it, was deleted, replaced or cut short while it was open. It is logged when that is found.
    pub(super) fn is_lost(&self) -> bool {
        let Some(Watched { path, companions, state }) = self.0.as_deref() else { return false };
        let mut state = state.lock();
        let found = std::fs::metadata(path).ok();
        let id = found.as_ref().map(file_id);
        let Some(opened) = state.opened.or(id) else { return false };
        state.opened = Some(opened);
        let size = found.map_or(0, |file| file.len());
        let is_cut = size < state.size;
        state.size = state.size.max(size);
        let is_alone =
            state.companions.iter().zip(ids_of(companions)).any(|(noted, now)| noted.is_some() && *noted != now);
        let was_lost = std::mem::replace(&mut state.is_lost, id != Some(opened) || is_cut || is_alone);
        if state.is_lost && !was_lost {
            log::error!(
                "store.file: the database's file, its log or the log's index was deleted, replaced or cut short while it was open; restart the process"
            );
        }
        state.is_lost
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

/// Whether the system lets us write to `path`; `None` where there is nothing. It is not opened, and root is asked for what root may.
fn may_write(path: &Path, how: Access) -> Option<bool> {
    match access(path, how) {
        Err(Errno::NOENT) => None,
        asked => Some(asked.is_ok()),
    }
}

fn file_id(file: &Metadata) -> FileId {
    (file.dev(), file.ino())
}

fn ids_of(paths: &[PathBuf; COMPANIONS.len()]) -> [Option<FileId>; COMPANIONS.len()] {
    std::array::from_fn(|at| std::fs::metadata(&paths[at]).ok().as_ref().map(file_id))
}

/// Where SQLite keeps its log and the log's index.
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
    fn what_sqlite_deletes_with_the_last_connection_is_not_lost() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("test.sqlite3");
        let url = DatabaseUrl::Sqlite(path.clone());
        let file = DatabaseFile::of(&url);
        let pool = Manager::new(url, file.clone());
        for _ in 0..3 {
            let (first, second) = (pool.connect()?, pool.connect()?);
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
