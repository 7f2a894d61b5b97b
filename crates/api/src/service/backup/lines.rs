//! The lines of an archive, before they are compressed: JSON, one value a line. `docs/operations/backups.md` describes them.

use crate::store::layouts::{Column, ColumnKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The value of `format` in the first line.
pub(super) const FORMAT: &str = "latchkey-backup";
/// The version of the form of the lines. The program reads no other version.
pub(super) const FORMAT_VERSION: u32 = 1;
/// Maximum length of a line, bytes. No row comes near it, so a file with a longer line is not a backup.
pub(super) const LINE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u32,
    /// The version of the database's newest migration.
    pub schema: String,
    /// Feature → version of its newest migration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, String>,
    /// The point in time of the backup's data.
    pub made_at: DateTime<Utc>,
    /// The kind of the source database, for people.
    pub source: String,
}

/// The line before a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableHead {
    pub(super) table: String,
    /// The last id that the database has assigned, if the table is numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_id: Option<i64>,
    pub(super) columns: Vec<Column>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    /// Table → number of its rows.
    pub(super) rows: BTreeMap<String, u64>,
}

/// A line that is not a row.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ArchiveLine {
    Table(TableHead),
    Trailer(Trailer),
}

/// A row's values, in the order of the table's columns.
pub(super) type RowValues = Vec<Value>;

/// Parses a row and checks the type of each value against its column.
pub(super) fn parse_row(text: &[u8], columns: &[Column]) -> Result<RowValues, String> {
    let row: RowValues = serde_json::from_slice(text).map_err(|error| format!("a row cannot be parsed: {error}"))?;
    if row.len() != columns.len() {
        return Err(format!("a row has {} values for {} columns", row.len(), columns.len()));
    }
    match row.iter().zip(columns).find(|(value, column)| !fits(value, column.kind)) {
        Some((_, column)) => Err(format!("a value of the column {} has the wrong type", column.name)),
        None => Ok(row),
    }
}

fn fits(value: &Value, kind: ColumnKind) -> bool {
    let text = |fits: fn(&str) -> bool| value.as_str().is_some_and(fits);
    value.is_null()
        || match kind {
            ColumnKind::Integer => value.is_i64(),
            ColumnKind::Boolean => value.is_boolean(),
            ColumnKind::Text => value.is_string(),
            ColumnKind::Instant => text(is_instant),
            ColumnKind::Uuid => text(|text| uuid::Uuid::try_parse(text).is_ok()),
            ColumnKind::Bytes => text(|text| text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit())),
        }
}

/// `2026-11-25T02:20:28.123456Z`: the one form that both databases read.
fn is_instant(text: &str) -> bool {
    const LENGTH: usize = "2026-11-25T02:20:28.123456Z".len();
    text.len() == LENGTH && text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok()
}
