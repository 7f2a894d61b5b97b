//! Backups: a first byte, then an archive (0), or the lines of one, which are compressed here, with a checksum.

use api::config::DatabaseUrl;
use api::service::backup::{BackupError, BackupSource, Identities, RestorePlan, restore, verify};
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};

/// The current time, in Unix seconds.
const NOW: i64 = 1_772_600_767;

/// An archive is verified or refused. A verified one has the rows that it claims, and its restore fills a database or leaves
/// it empty.
pub fn run(data: &[u8]) {
    let Some((first, content)) = data.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backup");
    let archive = if *first == 0 { content.to_vec() } else { with_checksum(content) };
    std::fs::write(&file, archive).expect("a file");
    let source = BackupSource::File(file);
    let identities = Identities::read(None).expect("no keys");
    let coverage = api::App::new().assemble().expect("Latchkey alone").schema.coverage();
    let Ok(verified) = verify(&source, &identities, &coverage) else { return };
    if *first != 0 {
        let rows = content.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"[")).count();
        assert_eq!(verified.rows.values().sum::<u64>(), rows as u64, "the number of rows changed");
    }
    let restored_into = |name: &str, moving| {
        let database = DatabaseUrl::Sqlite(folder.path().join(name));
        let now = DateTime::<Utc>::from_timestamp(NOW, 0).expect("a time");
        restore(
            &source,
            &RestorePlan { database: &database, coverage: &coverage, identities: &identities, moving, now },
        )
    };
    for moving in [false, true] {
        let name = if moving { "moved" } else { "restored" };
        match restored_into(name, moving) {
            Ok(restored) => {
                assert_eq!(restored, verified);
                assert!(matches!(restored_into(name, moving), Err(BackupError::NotEmpty(_))), "filled twice");
            }
            // The second attempt is refused for the same reason, not for rows that the first one left behind.
            Err(_) => {
                assert!(!matches!(restored_into(name, moving), Err(BackupError::NotEmpty(_))), "left half filled");
            }
        }
    }
}

fn with_checksum(lines: &[u8]) -> Vec<u8> {
    let packed = zstd::encode_all(lines, 1).expect("packs");
    let head = [0x5C, 0x2A, 0x4D, 0x18, 32, 0, 0, 0];
    let sum = digest(&SHA256, &packed);
    [&packed, head.as_slice(), sum.as_ref()].concat()
}
