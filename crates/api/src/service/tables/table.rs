//! One table of the product.

use super::erasure::Erasure;
use super::export::{ExportList, ExportSubject};
use crate::config::Settings;
use crate::service::mail::MailRegistry;
use crate::store::backup::OldCopyRule;
use crate::store::layouts::{DeclaredColumn, DeclaredTable, Layout};
use crate::store::owned::{Keyed, OwnedTable, OwnerOf};
use crate::store::{AnyConnection, QueryResult};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

type Prune = dyn Fn(&mut AnyConnection, &PruneInput, i64) -> QueryResult<usize> + Send + Sync;

/// The time and the settings that decide which rows are over.
#[derive(Debug, Clone)]
pub struct PruneInput {
    pub now: DateTime<Utc>,
    pub settings: Arc<Settings>,
    pub(in crate::service) mails: Arc<MailRegistry>,
}

/// A table, and what is done with its rows. The constructor declares whose they are: [`Table::personal`],
/// [`Table::dependent`] or [`Table::impersonal`].
#[derive(Clone)]
pub struct Table {
    pub(crate) layout: Layout,
    pub(crate) is_backed_up: bool,
    /// Whether a database with rows in it is not empty.
    pub(crate) is_content: bool,
    pub(super) old_copy_rule: OldCopyRule,
    pub(crate) export: Option<ExportList>,
    pub(in crate::service) erasure: Option<Erasure>,
    pub(in crate::service) prunes: Vec<Arc<Prune>>,
    /// The source of the export, if it contains the rows as they are stored.
    owned: Option<OwnedTable>,
}

impl Table {
    /// A table whose rows each belong to the user whose id is in the column `owner`. They are in that user's export, in a list
    /// named after the table, and are deleted with the account. `name` is the table's name in the database. An index on the
    /// owner and the primary key makes both fast.
    pub fn personal<T: Keyed, O: OwnerOf<T>>(name: &'static str, _table: T, _owner: O) -> Self {
        let layout = Layout::of::<T>(name);
        let owned = OwnedTable::by::<T, O>(name);
        let export = ExportList::of(name, owned.clone(), layout.columns.clone());
        let erasure = Some(Erasure::of(owned.clone()));
        Self { export: Some(export), erasure, owned: Some(owned), ..Self::of(layout, OldCopyRule::Keep) }
    }

    /// A table whose rows belong to rows of another one and are deleted with them (`ON DELETE CASCADE`). `read` returns at most
    /// a given number of a user's rows after the key of the last one before, for a list named after the table in the export.
    pub fn dependent<T, K, R>(
        name: &'static str,
        _table: T,
        read: impl Fn(&mut AnyConnection, &ExportSubject, Option<K>, i64) -> QueryResult<Vec<(K, R)>>
        + Send
        + Sync
        + 'static,
    ) -> Self
    where
        T: DeclaredTable,
        K: Serialize + DeserializeOwned,
        R: Serialize,
    {
        Self { export: Some(ExportList::by(name, read)), ..Self::of(Layout::of::<T>(name), OldCopyRule::Keep) }
    }

    /// A table without personal data.
    pub fn impersonal<T: DeclaredTable>(name: &'static str, _table: T) -> Self {
        Self::of(Layout::of::<T>(name), OldCopyRule::Keep)
    }

    /// The rule has no default here: what is used up once, such as a token, must not come back to life from an old copy.
    pub(super) const fn of(layout: Layout, old_copy_rule: OldCopyRule) -> Self {
        Self {
            layout,
            is_backed_up: true,
            is_content: true,
            old_copy_rule,
            export: None,
            erasure: None,
            prunes: Vec::new(),
            owned: None,
        }
    }

    /// Omits a column of a personal table from exports, such as a credential.
    #[must_use]
    pub fn hiding<C: DeclaredColumn>(mut self, _column: C) -> Self {
        if let (Some(export), Some(owned)) = (&self.export, &self.owned) {
            let shown = self.layout.columns.iter().filter(|column| !column.is::<C>()).cloned().collect();
            self.export = Some(ExportList::of(export.list, owned.clone(), shown));
        }
        self
    }

    /// Deletes rows once an hour. `delete` receives a [`PruneInput`], deletes at most a given number of rows and returns how many it
    /// deleted; it is called again until that is less than the maximum.
    #[must_use]
    pub fn pruned(
        mut self,
        delete: impl Fn(&mut AnyConnection, &PruneInput, i64) -> QueryResult<usize> + Send + Sync + 'static,
    ) -> Self {
        self.prunes.push(Arc::new(delete));
        self
    }

    /// Omits the table from backups, because a restored database has no use for its rows: they describe the database that was backed up,
    /// or are made again.
    #[must_use]
    pub const fn not_backed_up(mut self) -> Self {
        self.is_backed_up = false;
        self.is_content = false;
        self
    }

    /// Each process writes the table at its start. A restore replaces such rows.
    pub(super) const fn written_at_start(mut self) -> Self {
        self.is_content = false;
        self
    }

    /// Skips the rows when a copy is restored that is older than the data it replaces, because they can be used only once, such as
    /// invitations. Since the copy was made, they may have been used. When a database moves, they are restored.
    #[must_use]
    pub const fn not_restored_from_old_copies(mut self) -> Self {
        self.old_copy_rule = OldCopyRule::Skip;
        self
    }

    pub(super) fn exported(mut self, export: ExportList) -> Self {
        self.export = Some(export);
        self
    }

    pub(super) fn erased(mut self, erasure: Erasure) -> Self {
        self.erasure = Some(erasure);
        self
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("name", &self.layout.name).finish_non_exhaustive()
    }
}
