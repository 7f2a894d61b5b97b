//! Backups: created during concurrent writes, verified without a database, restored into an empty one of either kind.

mod destination;
mod drill;
mod program;
mod refusals;
mod retention;
mod rows;
mod stored;

use crate::support::{Database, ManualClock, TestDb, coverage, write_backup_key};
use age::x25519::Recipient;
use api::service::backup::{
    BackupError, BackupPlan, BackupSource, Contents, Identities, RestorePlan, StopFlag, create_file, restore, verify,
};
use api::store::database_identity::DatabaseId;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];

/// The plan for a backup of `db`.
fn plan(db: &TestDb, recipients: Vec<Recipient>) -> BackupPlan {
    BackupPlan {
        database: db.parsed_url(),
        coverage: coverage(),
        recipients,
        made_at: ManualClock::START.parse().unwrap(),
        stop: StopFlag::default(),
    }
}

/// The identity of `db`.
fn id(db: &TestDb) -> DatabaseId {
    db.value("SELECT id FROM database_identity").unwrap().parse().unwrap()
}

/// No decryption key.
fn no_identities() -> Identities {
    Identities::read(None).unwrap()
}

fn restore_from(source: &BackupSource, db: &TestDb, moving: bool) -> Result<Contents, BackupError> {
    let now = ManualClock::START.parse().unwrap();
    restore(
        source,
        &RestorePlan { database: &db.parsed_url(), coverage: &coverage(), identities: &no_identities(), moving, now },
    )
}

/// A backup in a file, in its own folder.
struct Backup(TempDir);

impl Backup {
    fn of(db: &TestDb) -> Self {
        Self::encrypted_to(db, Vec::new())
    }

    fn encrypted_to(db: &TestDb, recipients: Vec<Recipient>) -> Self {
        let backup = Self(tempfile::tempdir().unwrap());
        create_file(&plan(db, recipients), &backup.file()).unwrap();
        backup
    }

    /// A file with these bytes.
    fn from_bytes(bytes: &[u8]) -> Self {
        let backup = Self(tempfile::tempdir().unwrap());
        std::fs::write(backup.file(), bytes).unwrap();
        backup
    }

    /// A file with these lines, compressed, with its checksum.
    fn from_lines(lines: &[String]) -> Self {
        let mut packed = zstd::Encoder::new(Vec::new(), 3).unwrap();
        writeln!(packed, "{}", lines.join("\n")).unwrap();
        let mut bytes = packed.finish().unwrap();
        let checksum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        bytes.extend([0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0]);
        bytes.extend(checksum.as_ref());
        Self::from_bytes(&bytes)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("backup")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// The lines inside, as `zstd -d` prints them.
    fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        zstd::Decoder::new(self.bytes().as_slice()).unwrap().read_to_string(&mut text).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn source(&self) -> BackupSource {
        BackupSource::File(self.file())
    }

    fn verify(&self) -> Result<Contents, BackupError> {
        verify(&self.source(), &no_identities(), &coverage())
    }

    fn restore(&self, db: &TestDb) -> Result<Contents, BackupError> {
        restore_from(&self.source(), db, false)
    }

    /// Restores with `--moving`, for a source that is stopped.
    fn move_to(&self, db: &TestDb) -> Result<Contents, BackupError> {
        restore_from(&self.source(), db, true)
    }
}

/// A new age key, and its file as `age-keygen` would write it.
fn key(folder: &Path) -> (Recipient, PathBuf) {
    let file = folder.join(format!("key-{}.txt", uuid::Uuid::new_v4()));
    (write_backup_key(&file), file)
}
