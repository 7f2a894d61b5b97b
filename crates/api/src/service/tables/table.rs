//! One table of the product.

use super::erasure::Erasure;
use super::export::{ExportList, Subject};
use crate::config::Settings;
use crate::store::layouts::{DeclaredColumn, DeclaredTable, Layout};
use crate::store::owned::{Keyed, Owned, OwnerOf};
use crate::store::{AnyConnection, QueryResult};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

type Prune = dyn Fn(&mut AnyConnection, &Due, i64) -> QueryResult<usize> + Send + Sync;

/// What a table is pruned by.
#[derive(Debug, Clone)]
pub struct Due {
    pub now: DateTime<Utc>,
    pub settings: Arc<Settings>,
}

/// A table, and what is done with its rows. Whoever declares one says whose its rows are: [`Table::personal`],
/// [`Table::dependent`] or [`Table::impersonal`].
#[derive(Clone)]
pub struct Table {
    pub(crate) layout: Layout,
    pub(crate) is_backed_up: bool,
    pub(crate) export: Option<ExportList>,
    pub(in crate::service) erasure: Option<Erasure>,
    pub(in crate::service) prunes: Vec<Arc<Prune>>,
    /// What the export is made of, where the rows stand in it as they are.
    owned: Option<Owned>,
}

impl Table {
    /// A table whose rows belong to a user each, the one whose id the column `owner` holds: all of them are in that user's
    /// export, in a list of the table's name, and go with their account. `name` is the table's in the database. An index on
    /// the owner and the primary key keeps both quick.
    pub fn personal<T: Keyed, O: OwnerOf<T>>(name: &'static str, _table: T, _owner: O) -> Self {
        let (layout, owned) = (Layout::of::<T>(name), Owned::by::<T, O>(name));
        let export = ExportList::of(name, owned.clone(), layout.columns.clone());
        let erasure = Some(Erasure::of(owned.clone()));
        Self { export: Some(export), erasure, owned: Some(owned), ..Self::of(layout) }
    }

    /// A table whose rows belong to rows of another one, which take them along when they are deleted (`ON DELETE CASCADE`).
    /// `read` returns at most so many rows about somebody after the key of the last one before, for a list of the table's
    /// name in their export.
    pub fn dependent<T, K, R>(
        name: &'static str,
        _table: T,
        read: impl Fn(&mut AnyConnection, &Subject, Option<K>, i64) -> QueryResult<Vec<(K, R)>> + Send + Sync + 'static,
    ) -> Self
    where
        T: DeclaredTable,
        K: Serialize + DeserializeOwned,
        R: Serialize,
    {
        Self { export: Some(ExportList::by(name, read)), ..Self::of(Layout::of::<T>(name)) }
    }

    /// A table that says nothing about anybody.
    pub fn impersonal<T: DeclaredTable>(name: &'static str, _table: T) -> Self {
        Self::of(Layout::of::<T>(name))
    }

    pub(super) const fn of(layout: Layout) -> Self {
        Self { layout, is_backed_up: true, export: None, erasure: None, prunes: Vec::new(), owned: None }
    }

    /// Leaves a column of a personal table out of exports: what only proves who somebody is.
    #[must_use]
    pub fn hiding<C: DeclaredColumn>(mut self, _column: C) -> Self {
        if let (Some(export), Some(owned)) = (&self.export, &self.owned) {
            let shown = self.layout.columns.iter().filter(|column| !column.is::<C>()).cloned().collect();
            self.export = Some(ExportList::of(export.list, owned.clone(), shown));
        }
        self
    }

    /// Deletes rows once an hour. `delete` is told the time, deletes at most so many rows and returns how many there were; it is
    /// called again until there are fewer.
    #[must_use]
    pub fn pruned(
        mut self,
        delete: impl Fn(&mut AnyConnection, &Due, i64) -> QueryResult<usize> + Send + Sync + 'static,
    ) -> Self {
        self.prunes.push(Arc::new(delete));
        self
    }

    /// Leaves the table out of backups: what a restored database makes anew.
    #[must_use]
    pub const fn not_backed_up(mut self) -> Self {
        self.is_backed_up = false;
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
