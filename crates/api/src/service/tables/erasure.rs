//! How a user's rows in a table are deleted with the account.

use crate::store::owned::OwnedTable;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

type DeleteAll = dyn Fn(&mut AnyConnection, &UserRow) -> QueryResult<()> + Send + Sync;
type DeleteBatch = dyn Fn(&mut AnyConnection, UserId, i64) -> QueryResult<usize> + Send + Sync;
type FindLeft = dyn Fn(&mut AnyConnection, DateTime<Utc>, i64) -> QueryResult<Vec<UserId>> + Send + Sync;

/// How rows are deleted. The transaction that deletes the account has no time for an unbounded number of them.
#[derive(Clone)]
pub(in crate::service) enum Erasure {
    /// All in the transaction that deletes the account, because there are few.
    Whole {
        all: Arc<DeleteAll>,
        /// Whether rows can still be added until the account's own row has changed.
        after_the_account: bool,
    },
    /// A batch in that transaction, and the rest within seconds.
    InBatches {
        batch: Arc<DeleteBatch>,
        /// Users who were erased since a given time and still have rows.
        left: Arc<FindLeft>,
        /// Whether rows can still be added until the account's own row has changed.
        after_the_account: bool,
    },
}

impl Erasure {
    pub(super) fn whole(
        delete: impl Fn(&mut AnyConnection, &UserRow) -> QueryResult<()> + Send + Sync + 'static,
    ) -> Self {
        Self::Whole { all: Arc::new(delete), after_the_account: false }
    }

    pub(super) fn in_batches(
        batch: impl Fn(&mut AnyConnection, UserId, i64) -> QueryResult<usize> + Send + Sync + 'static,
        left: impl Fn(&mut AnyConnection, DateTime<Utc>, i64) -> QueryResult<Vec<UserId>> + Send + Sync + 'static,
    ) -> Self {
        Self::InBatches { batch: Arc::new(batch), left: Arc::new(left), after_the_account: false }
    }

    pub(super) fn of(owned: OwnedTable) -> Self {
        let all = owned.clone();
        Self::in_batches(
            move |connection, user, batch| all.delete(connection, user, batch),
            move |connection, since, batch| owned.erased_users(connection, since, batch),
        )
    }

    /// The same, after the account's own row was erased.
    pub(super) fn after_the_account(mut self) -> Self {
        let (Self::Whole { after_the_account, .. } | Self::InBatches { after_the_account, .. }) = &mut self;
        *after_the_account = true;
        self
    }

    pub(in crate::service) const fn is_after_the_account(&self) -> bool {
        let (Self::Whole { after_the_account, .. } | Self::InBatches { after_the_account, .. }) = self;
        *after_the_account
    }

    /// Deletes all rows about a user, or a batch of them.
    pub(in crate::service) fn begin(
        &self,
        connection: &mut AnyConnection,
        user: &UserRow,
        most: i64,
    ) -> QueryResult<()> {
        match self {
            Self::Whole { all, .. } => all(connection, user),
            Self::InBatches { batch, .. } => batch(connection, user.id, most).map(|_| ()),
        }
    }
}

impl fmt::Debug for Erasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole { .. } => "Erasure::Whole",
            Self::InBatches { .. } => "Erasure::InBatches",
        })
    }
}
