//! Proving an archive, and filling an empty database from it.

use super::encryption::Identities;
use super::error::BackupError;
use super::lines::{Header, RowValues, TableHead};
use super::reader::{ArchiveReader, Item};
use super::source::BackupSource;
use crate::config::DatabaseUrl;
use crate::store::backup::{Coverage, Loading, load, occupied_tables};
use crate::store::events::{self, EventDetail, EventKind, NewEvent};
use crate::store::sessions::RevokeReason;
use crate::store::{last_backup, migrations, names};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// Rows that are inserted at once, and how long their text may get, bytes: a batch costs one round trip.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 1024 * 1024;
/// How many ids are left out after the restore of an older copy. What was given after the copy was made is not known any
/// more, and access tokens that name those ids are still about: nobody else may get them.
const ID_GAP: i64 = 1_000_000;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub header: Header,
    /// Table → number of rows.
    pub rows: BTreeMap<String, u64>,
}

impl std::fmt::Display for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Header { made_at, source, schema, .. } = &self.header;
        let made_at = made_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "made at {made_at} of a {source} database, schema {schema}")?;
        self.rows.iter().try_for_each(|(table, rows)| write!(f, "\n{rows:>12} {table}"))
    }
}

/// What is restored, and how.
#[derive(Debug)]
pub struct RestorePlan<'a> {
    pub database: &'a DatabaseUrl,
    pub coverage: &'a Coverage,
    pub identities: &'a Identities,
    /// The source was stopped and what it holds is the newest there is: sessions, links and mails go on.
    pub moving: bool,
    pub now: DateTime<Utc>,
}

/// Reads a backup to its end; blocks.
pub fn verify(source: &BackupSource, identities: &Identities, coverage: &Coverage) -> Result<Contents, BackupError> {
    let mut archive = ArchiveReader::open(source.open()?, identities, coverage)?;
    while archive.next()?.is_some() {}
    Ok(Contents { header: archive.header().clone(), rows: archive.into_rows() })
}

/// Fills an empty database; blocks.
///
/// The archive is read twice: proven to its end before anything is touched, then loaded, as one transaction that also
/// ends with the proof. Reading is cheap beside inserting, and neither memory nor disk is needed for it.
///
/// # Errors
/// [`BackupError`]; the database is as empty as before then.
pub fn restore(source: &BackupSource, plan: &RestorePlan<'_>) -> Result<Contents, BackupError> {
    must_be_empty(occupied_tables(plan.database, plan.coverage)?)?;
    verify(source, plan.identities, plan.coverage)?;
    migrations::migrate(plan.database, &plan.coverage.migrations)?;
    load(plan.database, plan.coverage, |loading| {
        must_be_empty(loading.occupied_tables()?)?;
        fill(plan, loading, ArchiveReader::open(source.open()?, plan.identities, plan.coverage)?)
    })
}

fn must_be_empty(occupied: Vec<String>) -> Result<(), BackupError> {
    if occupied.is_empty() { Ok(()) } else { Err(BackupError::NotEmpty(occupied)) }
}

fn fill(
    plan: &RestorePlan<'_>,
    loading: &mut Loading<'_>,
    mut archive: ArchiveReader<'_>,
) -> Result<Contents, BackupError> {
    let mut heads = Vec::new();
    let mut batch = RowBatch::default();
    while let Some(item) = archive.next()? {
        match item {
            Item::Table(head) => {
                batch.insert(loading)?;
                batch.table = Some(head.clone());
                heads.push(head);
            }
            Item::Row(row) => batch.add(loading, row, plan)?,
        }
    }
    batch.insert(loading)?;
    let contents = Contents { header: archive.header().clone(), rows: archive.into_rows() };
    finish(plan, loading, &heads, &contents.header)?;
    Ok(contents)
}

/// What follows when all rows are in.
fn finish(
    plan: &RestorePlan<'_>,
    loading: &mut Loading<'_>,
    heads: &[TableHead],
    header: &Header,
) -> Result<(), BackupError> {
    if header.schema.as_str() < migrations::NAME_FOLDING_MIGRATION {
        loading.write(names::fold_all)?;
    }
    for table in plan.coverage.tables.iter().filter(|table| table.is_numbered()) {
        let last_id = heads.iter().find(|head| head.table == table.name).and_then(|head| head.last_id).unwrap_or(0);
        loading.number_after(table, last_id.saturating_add(if plan.moving { 0 } else { ID_GAP }))?;
    }
    let event = NewEvent {
        user: None,
        kind: EventKind::Restored,
        at: plan.now,
        ip_address: None,
        user_agent: None,
        detail: EventDetail { made_at: Some(header.made_at), moving: Some(plan.moving), ..EventDetail::default() },
    };
    loading.write(|connection| {
        last_backup::delete(connection)?;
        events::insert_anonymous(connection, &event)
    })?;
    Ok(())
}

/// Rows of one table on their way into the database.
#[derive(Default)]
struct RowBatch {
    table: Option<TableHead>,
    /// A JSON array without its end.
    text: String,
    rows: usize,
}

impl RowBatch {
    fn add(&mut self, loading: &mut Loading<'_>, row: RowValues, plan: &RestorePlan<'_>) -> Result<(), BackupError> {
        let Some(head) = &self.table else { return Ok(()) };
        let Some(row) = (if plan.moving { Some(row) } else { aged(head, row, plan.now) }) else { return Ok(()) };
        self.text.push(if self.rows == 0 { '[' } else { ',' });
        self.text.push_str(&Value::from(row).to_string());
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.text.len() > BATCH_BYTES { self.insert(loading) } else { Ok(()) }
    }

    fn insert(&mut self, loading: &mut Loading<'_>) -> Result<(), BackupError> {
        if let Some(head) = self.table.as_ref().filter(|_| self.rows > 0) {
            self.text.push(']');
            loading.insert(&head.table, &head.columns, &self.text)?;
        }
        self.text.clear();
        self.rows = 0;
        Ok(())
    }
}

/// What becomes of a row of an older copy. Since it was made, a session may have been stolen and revoked, a link used, a
/// mail sent: sessions come back revoked; links, pending registrations and mails do not come back.
fn aged(head: &TableHead, mut row: RowValues, now: DateTime<Utc>) -> Option<RowValues> {
    match head.table.as_str() {
        "one_time_tokens" | "pending_registrations" | "mail_outbox" => None,
        "sessions" => {
            let place = |name| head.columns.iter().position(|column| column.name == name);
            let (at, reason) = (place("revoked_at")?, place("revoke_reason")?);
            if row.get(at)?.is_null() {
                row[at] = now.to_rfc3339_opts(SecondsFormat::Micros, true).into();
                row[reason] = RevokeReason::Restored.as_str().into();
            }
            Some(row)
        }
        _ => Some(row),
    }
}
