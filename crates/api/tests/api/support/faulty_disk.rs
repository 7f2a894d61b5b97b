//! A disk that fails on demand, for a program that uses SQLite. Needs Linux and a C compiler, which the project's build
//! needs, too.

use super::TestDb;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// How writing fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// `ENOSPC`: the file system is full.
    Full,
    /// `EDQUOT`: the user's quota is used up.
    Quota,
    /// `EIO`: the device fails.
    Broken,
}

impl DiskError {
    const fn number(self) -> i64 {
        match self {
            Self::Full => 28,
            Self::Quota => 122,
            Self::Broken => 5,
        }
    }
}

/// The compiled `faulty_disk.c`.
static LIBRARY: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| preloaded("faulty_disk"));

/// Compiles a library for `LD_PRELOAD`, whose functions override those of the C library.
pub(super) fn preloaded(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join(name).with_extension("so");
    let source = format!("{}/tests/api/support/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.expect("a C compiler, as the build needs it").success());
    (folder, library)
}

/// The disk of a database's files. It fails for a program that is started with its [`variables`](Self::variables).
#[derive(Debug)]
pub struct FaultyDisk {
    variables: Vec<(&'static str, String)>,
    control: File,
    _folder: TempDir,
}

impl FaultyDisk {
    pub fn of(db: &TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        std::fs::write(&path, [0; 24]).unwrap();
        let control = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let variables = vec![
            ("LD_PRELOAD", LIBRARY.1.display().to_string()),
            ("FAULTY_FILES", db.file().canonicalize().unwrap().display().to_string()),
            ("FAULTY_CONTROL", path.display().to_string()),
        ];
        Self { variables, control, _folder: folder }
    }

    pub fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// From now on `passing` calls that write, lengthen or flush a file succeed, and all that follow fail.
    pub fn fail_after(&self, passing: i64, error: DiskError) {
        self.set(1, passing);
        self.set(2, 0);
        self.set(0, error.number());
    }

    /// Lets all calls succeed again, and returns how many there were since the last `fail_after`.
    pub fn recover(&self) -> i64 {
        self.set(0, 0);
        let mut number = [0; 8];
        self.control.read_exact_at(&mut number, 16).unwrap();
        i64::from_ne_bytes(number)
    }

    fn set(&self, index: u64, number: i64) {
        self.control.write_all_at(&number.to_ne_bytes(), index * 8).unwrap();
    }
}
