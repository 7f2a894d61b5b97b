//! Gives a program a wrong system clock. Needs Linux and a C compiler, which the project's build needs, too.

use super::faulty_disk::preloaded;
use chrono::Duration;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;

static LIBRARY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| preloaded("shifted_clock"));

/// A program started with its [`variables`](Self::variables) has this clock.
#[derive(Debug)]
pub struct ShiftedClock {
    variables: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl ShiftedClock {
    pub fn ahead(by: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let control = folder.path().join("control").display().to_string();
        let variables = vec![("LD_PRELOAD", LIBRARY.1.display().to_string()), ("SHIFTED_CONTROL", control)];
        let clock = Self { variables, folder };
        clock.set(by);
        clock
    }

    pub fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// Jumps, so that the clock is ahead by `ahead` from now on.
    pub fn set(&self, ahead: Duration) {
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.path().join("control"))
            .and_then(|control| control.write_all_at(&ahead.num_seconds().to_ne_bytes(), 0))
            .unwrap();
    }
}
