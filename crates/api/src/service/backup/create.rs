//! Making an archive of the database as it is now.

use super::BackupError;
use super::archive::Writer;
use super::lines::{FORMAT, FORMAT_VERSION, Header};
use crate::clock::SharedClock;
use crate::config::DatabaseUrl;
use crate::store::backup::{Snapshot, snapshot, tables};
use crate::store::{self, state};
use age::x25519::Recipient;
use chrono::{DateTime, Utc};
use std::io::Write;

/// What an archive is made of, and for whom.
#[derive(Debug, Clone)]
pub struct Plan {
    pub database: DatabaseUrl,
    pub recipients: Vec<Recipient>,
    pub clock: SharedClock,
}

/// An archive that was written.
#[derive(Debug)]
pub struct Written<W> {
    pub output: W,
    /// The moment that it shows.
    pub made_at: DateTime<Utc>,
    pub rows: u64,
}

/// Writes the whole database as it is at this moment to what `output` opens for that moment; blocks.
///
/// # Errors
/// [`BackupError`].
pub fn write<W: Write>(
    plan: &Plan,
    output: impl FnOnce(DateTime<Utc>) -> std::io::Result<W>,
) -> Result<Written<W>, BackupError> {
    snapshot(&plan.database, |snapshot| {
        let made_at = plan.clock.now();
        let header = Header {
            format: FORMAT.to_owned(),
            version: FORMAT_VERSION,
            schema: state::newest_version(),
            made_at,
            source: store::dialect(&plan.database).to_owned(),
        };
        let mut archive = Writer::new(output(made_at)?, &plan.recipients, &header)?;
        write_tables(snapshot, &mut archive)?;
        let (output, rows) = archive.finish()?;
        Ok(Written { output, made_at, rows })
    })
}

fn write_tables(snapshot: &mut Snapshot<'_>, archive: &mut Writer<impl Write>) -> Result<(), BackupError> {
    for table in &tables() {
        let last_id = if table.is_numbered() { Some(snapshot.last_id(table)?) } else { None };
        archive.table(table, last_id)?;
        snapshot.each_row(table, |json| archive.row(table, json).map_err(BackupError::from))?;
    }
    Ok(())
}
