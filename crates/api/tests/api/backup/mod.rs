//! Backups: made while others write, proven without a database, restored into an empty one of either kind.

mod drill;
mod refusals;
mod rows;

use crate::support::{Database, ManualClock, TestDb};
use age::x25519::{Identity, Recipient};
use api::service::backup::{
    BackupError, Contents, Identities, Made, Order, Plan, create_file, restore_file, verify_file,
};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];

/// A backup in a file, in a folder of its own.
struct Backup {
    folder: TempDir,
    made: Made,
}

impl Backup {
    fn of(db: &TestDb) -> Self {
        Self::encrypted_to(db, Vec::new())
    }

    fn encrypted_to(db: &TestDb, recipients: Vec<Recipient>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { database: db.parsed_url(), recipients, clock: Arc::new(ManualClock::new()) };
        let made = create_file(&plan, &folder.path().join("backup")).unwrap();
        Self { folder, made }
    }

    /// What a file of these bytes would be.
    fn from_bytes(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("backup"), bytes).unwrap();
        let made = Made {
            name: String::new(),
            made_at: ManualClock::START.parse().unwrap(),
            size_bytes: bytes.len() as u64,
            rows: 0,
        };
        Self { folder, made }
    }

    /// What a file of these lines would be.
    fn from_lines(lines: &[String]) -> Self {
        let mut packed = zstd::Encoder::new(Vec::new(), 3).unwrap();
        writeln!(packed, "{}", lines.join("\n")).unwrap();
        let mut bytes = packed.finish().unwrap();
        let seal = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        bytes.extend([0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0]);
        bytes.extend(seal.as_ref());
        Self::from_bytes(&bytes)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// The lines inside, as `zstd -d` gives them.
    fn lines(&self) -> Vec<String> {
        let mut text = String::new();
        zstd::Decoder::new(self.bytes().as_slice()).unwrap().read_to_string(&mut text).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn verify(&self) -> Result<Contents, BackupError> {
        verify_file(&self.file(), &Identities::read(None).unwrap())
    }

    fn restore(&self, db: &TestDb) -> Result<Contents, BackupError> {
        self.restore_as(db, false)
    }

    /// With the source stopped.
    fn move_to(&self, db: &TestDb) -> Result<Contents, BackupError> {
        self.restore_as(db, true)
    }

    fn restore_as(&self, db: &TestDb, moving: bool) -> Result<Contents, BackupError> {
        let now = ManualClock::START.parse().unwrap();
        let (database, identities) = (db.parsed_url(), Identities::read(None).unwrap());
        restore_file(&self.file(), &Order { database: &database, identities: &identities, moving, now })
    }
}

/// A new key of age, and the file that `age-keygen` would have made.
fn key(folder: &Path) -> (Recipient, PathBuf) {
    use age::secrecy::ExposeSecret;
    let key = Identity::generate();
    let file = folder.join(format!("key-{}.txt", uuid::Uuid::new_v4()));
    std::fs::write(&file, format!("# a comment\n{}\n", key.to_string().expose_secret())).unwrap();
    (key.to_public(), file)
}
