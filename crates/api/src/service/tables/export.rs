//! A list of rows in an account's export: read page by page, each after the last row of the previous page.

use crate::config::Settings;
use crate::service::CurrentUser;
use crate::store::layouts::Column;
use crate::store::owned::{KeyRange, OwnedTable};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The user whose data is exported.
#[derive(Debug, Clone)]
pub struct ExportSubject {
    pub user: UserRow,
    pub(in crate::service) caller: CurrentUser,
    pub(in crate::service) settings: Arc<Settings>,
}

/// The row after which a list continues; only the list itself interprets it.
pub(in crate::service) type ListPosition = Value;

/// Rows as JSON, each with its position.
type Rows = Vec<(ListPosition, String)>;

type Read = dyn Fn(&mut AnyConnection, &ExportSubject, Option<&ListPosition>, i64) -> QueryResult<serde_json::Result<Rows>>
    + Send
    + Sync;

/// A list in the export file.
#[derive(Clone)]
pub(crate) struct ExportList {
    pub(crate) list: &'static str,
    read: Arc<Read>,
}

impl ExportList {
    /// A list that `read` reads: at most a given number of rows with their keys, after the key of the last row before.
    pub(super) fn by<K, R>(
        list: &'static str,
        read: impl Fn(&mut AnyConnection, &ExportSubject, Option<K>, i64) -> QueryResult<Vec<(K, R)>>
        + Send
        + Sync
        + 'static,
    ) -> Self
    where
        K: Serialize + DeserializeOwned,
        R: Serialize,
    {
        let read =
            move |connection: &mut AnyConnection, subject: &ExportSubject, after: Option<&ListPosition>, limit| {
                let after = match after.map(K::deserialize).transpose() {
                    Ok(after) => after,
                    Err(error) => return Ok(Err(error)),
                };
                let rows = read(connection, subject, after, limit)?;
                let written = |(key, row)| Ok((serde_json::to_value(key)?, serde_json::to_string(&row)?));
                Ok(rows.into_iter().map(written).collect())
            };
        Self { list, read: Arc::new(read) }
    }

    /// The rows of a table as they are stored.
    pub(super) fn of(list: &'static str, owned: OwnedTable, columns: Vec<Column>) -> Self {
        let read =
            move |connection: &mut AnyConnection, subject: &ExportSubject, after: Option<&ListPosition>, limit| {
                let range = KeyRange { after: after.and_then(Value::as_str), limit };
                let rows = owned.page(connection, &columns, subject.user.id, range)?;
                Ok(Ok(rows.into_iter().map(|row| (Value::from(row.key), row.json)).collect()))
            };
        Self { list, read: Arc::new(read) }
    }

    /// The next `limit` rows of the list, or the first ones.
    pub(in crate::service) fn page(
        &self,
        connection: &mut AnyConnection,
        subject: &ExportSubject,
        after: Option<&ListPosition>,
        limit: i64,
    ) -> QueryResult<serde_json::Result<Rows>> {
        (self.read)(connection, subject, after, limit)
    }
}

impl fmt::Debug for ExportList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportList").field("list", &self.list).finish_non_exhaustive()
    }
}
