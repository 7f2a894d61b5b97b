//! The file of SQLite. Connections go on with the one that they have opened, whatever is at its path by now: what is written
//! into a deleted file is lost, and nothing else would show it.

use crate::config::DatabaseUrl;
use parking_lot::Mutex;
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// As it was when there was one at first.
    opened: Option<FileId>,
    is_lost: bool,
}

impl DatabaseFile {
    pub(super) fn of(url: &DatabaseUrl) -> Self {
        Self(match url {
            DatabaseUrl::Postgres(_) => None,
            DatabaseUrl::Sqlite(path) => Some(Arc::new(Watched { path: path.clone(), state: Mutex::default() })),
        })
    }

    /// Whether it was deleted or replaced while it was open. It is logged when that is found.
    pub(super) fn is_lost(&self) -> bool {
        let Some(Watched { path, state }) = self.0.as_deref() else { return false };
        let found = file_id(path);
        let mut state = state.lock();
        let Some(opened) = state.opened.or(found) else { return false };
        state.opened = Some(opened);
        let was_lost = std::mem::replace(&mut state.is_lost, found != Some(opened));
        if state.is_lost && !was_lost {
            log::error!(
                "store.file: the database's file was deleted or replaced while it was open; restart the process"
            );
        }
        state.is_lost
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
