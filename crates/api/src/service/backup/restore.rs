//! Verifying an archive, and restoring it into an empty database.

use super::encryption::Identities;
use super::error::{ArchiveError, BackupError};
use super::lines::{Header, RowValues, TableHead};
use super::reader::{ArchiveReader, Item};
use super::source::BackupSource;
use crate::config::DatabaseUrl;
use crate::store::backup::{Coverage, Loading, OldCopyRule, load, occupied_tables};
use crate::store::events::{self, EventDetail, EventKind, NewEvent};
use crate::store::sessions::RevokeReason;
use crate::store::{access_lifetimes, last_backup, migrations, names};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// Maximum number of rows in a batch, which takes one round trip, and of bytes in its text.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 1024 * 1024;
/// How many ids are skipped after the restore of an older copy. Ids that were assigned after the copy was made are unknown, but
/// access tokens that name them may still be valid, so they must not be assigned again.
const ID_GAP: i64 = 1_000_000;

/// The contents of an archive.
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
        write!(f, "made at {made_at} from a {source} database, schema {schema}")?;
        self.rows.iter().try_for_each(|(table, rows)| write!(f, "\n{rows:>12} {table}"))
    }
}

/// Where and how a backup is restored.
#[derive(Debug)]
pub struct RestorePlan<'a> {
    pub database: &'a DatabaseUrl,
    pub coverage: &'a Coverage,
    pub identities: &'a Identities,
    /// Whether the database moves: the source was stopped, and its data is the newest. Sessions, links and mails stay valid then.
    pub moving: bool,
    pub now: DateTime<Utc>,
}

/// Reads and validates a whole backup; blocks.
pub fn verify(source: &BackupSource, identities: &Identities, coverage: &Coverage) -> Result<Contents, BackupError> {
    let mut archive = ArchiveReader::open(source.open()?, identities, coverage)?;
    while archive.next()?.is_some() {}
    Ok(Contents { header: archive.header().clone(), rows: archive.into_rows() })
}

/// Restores a backup into an empty database; blocks.
///
/// The archive is read twice: it is validated to its end before anything is changed, then loaded in one transaction that validates it
/// again. Reading is cheap compared with inserting, and needs neither memory nor disk space.
///
/// # Errors
/// [`BackupError`]; the database is still empty then.
pub fn restore(source: &BackupSource, plan: &RestorePlan<'_>) -> Result<Contents, BackupError> {
    source.must_be_readable_twice()?;
    must_be_empty(occupied_tables(plan.database, plan.coverage)?)?;
    verify(source, plan.identities, plan.coverage)?;
    migrations::migrate(plan.database, &plan.coverage.migrations)?;
    load(plan.database, plan.coverage, |loading| {
        must_be_empty(loading.occupied_tables()?)?;
        loading.write(access_lifetimes::delete_all)?;
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
                batch.table = Some((head.clone(), RowAction::of(&head, plan)?));
                heads.push(head);
            }
            Item::Row(row) => batch.add(loading, row, plan.now)?,
        }
    }
    batch.insert(loading)?;
    let contents = Contents { header: archive.header().clone(), rows: archive.into_rows() };
    finish(plan, loading, &heads, &contents.header)?;
    Ok(contents)
}

/// The steps after all rows are inserted.
fn finish(
    plan: &RestorePlan<'_>,
    loading: &mut Loading<'_>,
    heads: &[TableHead],
    header: &Header,
) -> Result<(), BackupError> {
    if header.schema.as_str() < migrations::NAME_MIGRATION {
        loading.write(names::migrate_all)?;
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
        access_lifetimes::extend_all(connection, plan.now)?;
        events::insert_anonymous(connection, &event)
    })?;
    Ok(())
}

/// Rows of one table that are inserted together.
#[derive(Default)]
struct RowBatch {
    table: Option<(TableHead, RowAction)>,
    /// A JSON array without its closing bracket.
    text: String,
    rows: usize,
}

impl RowBatch {
    fn add(&mut self, loading: &mut Loading<'_>, row: RowValues, now: DateTime<Utc>) -> Result<(), BackupError> {
        let Some((_, action)) = &self.table else { return Ok(()) };
        let Some(row) = action.adapt(row, now) else { return Ok(()) };
        self.text.push(if self.rows == 0 { '[' } else { ',' });
        self.text.push_str(&Value::from(row).to_string());
        self.rows += 1;
        if self.rows == BATCH_ROWS || self.text.len() > BATCH_BYTES { self.insert(loading) } else { Ok(()) }
    }

    fn insert(&mut self, loading: &mut Loading<'_>) -> Result<(), BackupError> {
        if let Some((head, _)) = self.table.as_ref().filter(|_| self.rows > 0) {
            self.text.push(']');
            loading.insert(&head.table, &head.columns, &self.text)?;
        }
        self.text.clear();
        self.rows = 0;
        Ok(())
    }
}

/// What is done with the rows of one table.
enum RowAction {
    Insert,
    Skip,
    /// With the indexes of the columns that revoke a session.
    Revoke {
        at: usize,
        reason: usize,
    },
}

impl RowAction {
    /// The action by the table's own rule, if the copy is older than the data that it replaces.
    fn of(head: &TableHead, plan: &RestorePlan<'_>) -> Result<Self, ArchiveError> {
        let damaged = |what: String| ArchiveError::Damaged(what);
        let table = head.table.as_str();
        if plan.moving {
            return Ok(Self::Insert);
        }
        let rule = plan.coverage.old_copy_rules.get(table);
        let index_of = |name: &str| {
            let index = head.columns.iter().position(|column| column.name == name);
            index.ok_or_else(|| damaged(format!("its table {table} has no column {name}")))
        };
        Ok(match rule.ok_or_else(|| damaged(format!("it has an unknown table, {table}")))? {
            OldCopyRule::Keep => Self::Insert,
            OldCopyRule::Skip => Self::Skip,
            OldCopyRule::Revoke => Self::Revoke { at: index_of("revoked_at")?, reason: index_of("revoke_reason")? },
        })
    }

    /// The row to insert, if it is restored.
    fn adapt(&self, mut row: RowValues, now: DateTime<Utc>) -> Option<RowValues> {
        match *self {
            Self::Insert => Some(row),
            Self::Skip => None,
            Self::Revoke { at, reason } => {
                if row[at].is_null() {
                    row[at] = now.to_rfc3339_opts(SecondsFormat::Micros, true).into();
                    row[reason] = RevokeReason::Restored.as_str().into();
                }
                Some(row)
            }
        }
    }
}
