//! Whole databases, row by row, in a form that both kinds share: what backups are made of and restored from.
//!
//! The databases themselves write and read the rows as JSON, so there is one way for all tables.

mod load;
mod snapshot;
mod tables;

pub use load::{Loading, load, occupied_tables, write_once};
pub use snapshot::{Snapshot, SnapshotError, snapshot};
pub use tables::{Column, Kind, LEFT_OUT, Table, tables};

use super::StoreError;
use diesel::result::Error;

/// Why a transaction is rolled back: the database's reason, or that of the work in it.
enum Cut<E> {
    Database(Error),
    Work(E),
}

impl<E> From<Error> for Cut<E> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl<E: From<StoreError>> Cut<E> {
    fn into_error(self) -> E {
        match self {
            Self::Database(error) => StoreError::from_query(error).into(),
            Self::Work(error) => error,
        }
    }
}
