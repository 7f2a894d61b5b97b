//! Why a transaction is rolled back.

use crate::store::StoreError;
use diesel::result::Error;

/// An error of the database, or of the work in the transaction.
pub(super) enum Rollback<E> {
    Database(Error),
    Work(E),
}

impl<E> From<Error> for Rollback<E> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl<E: From<StoreError>> Rollback<E> {
    pub(super) fn into_error(self) -> E {
        match self {
            Self::Database(error) => StoreError::from_query(error).into(),
            Self::Work(error) => error,
        }
    }
}
