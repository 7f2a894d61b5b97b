//! The file of SQLite, and its log. Connections go on with the files that they have opened, whatever is at their paths by now: what
//! is written into a deleted file is lost, and nothing else would show it.
//!
//! Only names and sizes are looked at. To open the file besides SQLite would end its locks (a process has one set of them for a
//! file), so a copy that somebody writes over it is noticed when it is shorter.

use crate::config::DatabaseUrl;
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

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// The write-ahead log's.
    log_path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// As it was when there was one at first.
    opened: Option<FileId>,
    /// The most that it was seen to have, bytes. Only `VACUUM` makes it shorter, which is for a stopped process.
    size: u64,
    connections: usize,
    /// The log of these connections. SQLite deletes it with the last one.
    log: Option<FileId>,
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
                let (path, log_path) = (path.clone(), log_of(path, "-wal"));
                Some(Arc::new(Watched { path, log_path, state: Mutex::default() }))
            }
        })
    }

    /// Counts a connection that was just opened.
    pub(super) fn connected(&self) -> OpenConnection {
        if let Some(Watched { log_path, state, .. }) = self.0.as_deref() {
            let mut state = state.lock();
            if state.connections == 0 {
                state.log = std::fs::metadata(log_path).ok().as_ref().map(file_id);
            }
            state.connections += 1;
        }
        OpenConnection(self.clone())
    }

    /// Whether it can be written: it and its log, or the folder that a log is to be made in. Each commit goes to the log.
    pub(super) fn takes_writes(&self) -> bool {
        let Some(Watched { path, log_path, .. }) = self.0.as_deref() else { return true };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let may_add = || may_write(folder, Access::WRITE_OK | Access::EXEC_OK);
        let log = may_write(log_path, Access::WRITE_OK).or_else(may_add);
        may_write(path, Access::WRITE_OK) != Some(false) && log == Some(true)
    }

    /// Whether it, or its log, was deleted, replaced or cut short while it was open. It is logged when that is found.
    pub(super) fn is_lost(&self) -> bool {
        let Some(Watched { path, log_path, state }) = self.0.as_deref() else { return false };
        let mut state = state.lock();
        let found = std::fs::metadata(path).ok();
        let id = found.as_ref().map(file_id);
        let Some(opened) = state.opened.or(id) else { return false };
        state.opened = Some(opened);
        let size = found.map_or(0, |file| file.len());
        let is_cut = size < state.size;
        state.size = state.size.max(size);
        let log_is_lost =
            state.log.is_some_and(|log| std::fs::metadata(log_path).ok().as_ref().map(file_id) != Some(log));
        let was_lost = std::mem::replace(&mut state.is_lost, id != Some(opened) || is_cut || log_is_lost);
        if state.is_lost && !was_lost {
            log::error!(
                "store.file: the database's file or its log was deleted, replaced or cut short while it was open; restart the process"
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
                state.log = None;
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

/// What SQLite keeps next to its file: `-wal` or `-shm`.
pub(super) fn log_of(path: &Path, suffix: &str) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push(suffix);
    log.into()
}
