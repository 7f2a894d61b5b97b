//! Writing an archive of the current database.

use super::error::BackupError;
use super::lines::{FORMAT, FORMAT_VERSION, Header};
use super::stop::StopFlag;
use super::writer::ArchiveWriter;
use crate::config::DatabaseUrl;
use crate::store;
use crate::store::backup::{Coverage, DatabaseSnapshot, snapshot};
use crate::store::migrations::newest_version;
use age::x25519::Recipient;
use chrono::{DateTime, Utc};
use std::io::Write;

/// What is backed up, and for which recipients.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    pub database: DatabaseUrl,
    pub coverage: Coverage,
    /// The backup is encrypted to these keys; if there are none, it is not encrypted.
    pub recipients: Vec<Recipient>,
    /// The current time.
    pub made_at: DateTime<Utc>,
    pub stop: StopFlag,
}

/// A backup that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedBackup {
    /// Its name in the storage, or its path.
    pub name: String,
    /// The point in time of its data.
    pub made_at: DateTime<Utc>,
    pub size_bytes: u64,
    pub rows: u64,
}

/// Writes a snapshot of the whole database and returns the number of rows; blocks. After a signal the result is
/// [`BackupError::Stopped`], even if all rows have been written.
pub fn write_archive(plan: &BackupPlan, output: impl Write) -> Result<u64, BackupError> {
    let header = Header {
        format: FORMAT.to_owned(),
        version: FORMAT_VERSION,
        schema: newest_version(),
        features: plan.coverage.migrations.newest_of_features(),
        made_at: plan.made_at,
        source: store::dialect(&plan.database).to_owned(),
    };
    snapshot(&plan.database, &plan.coverage, |snapshot| {
        let mut archive = ArchiveWriter::new(output, &plan.recipients, &header)?;
        write_tables(snapshot, plan, &mut archive)?;
        let rows = archive.finish()?;
        // The last moment to stop: next, the backup gets its name.
        plan.stop.check()?;
        Ok(rows)
    })
}

fn write_tables(
    snapshot: &mut DatabaseSnapshot<'_>,
    plan: &BackupPlan,
    archive: &mut ArchiveWriter<impl Write>,
) -> Result<(), BackupError> {
    for table in &plan.coverage.tables {
        plan.stop.check()?;
        let last_id = if table.is_numbered() { Some(snapshot.last_id(table)?) } else { None };
        archive.table(table, last_id)?;
        snapshot.each_row(table, |json| {
            plan.stop.check()?;
            archive.row(table, json).map_err(BackupError::from)
        })?;
    }
    Ok(())
}
