//! How database operations fail.

use crate::gate::Busy;
use diesel::result::{DatabaseErrorKind, Error};

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, no response, no disk space, no lock: the same request may succeed later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Too many requests are waiting for a connection.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Another row has this value of a unique column.
    #[error("a unique value is taken: {0}")]
    Taken(String),
    /// A defect of this program or of the data.
    #[error("the database refused: {0}")]
    Defect(#[source] Error),
}

/// The error of a statement that a feature cannot even make; it counts as [`StoreError::Defect`].
pub(crate) fn defect(what: &'static str) -> Error {
    Error::QueryBuilderError(what.into())
}

/// Messages of PostgreSQL and SQLite about a value that its column cannot hold: the same request fails again. PostgreSQL's error
/// code (class 22) is not available here; if its messages are not in English, such an error counts as unavailability.
const DATA_ERRORS: [&str; 9] = [
    "has no equivalent in encoding",
    "invalid byte sequence for encoding",
    "value too long for type",
    "out of range",
    "invalid input",
    "division by zero",
    "datatype mismatch",
    "string or blob too big",
    "integer overflow",
];

fn is_data_error(message: &str) -> bool {
    DATA_ERRORS.iter().any(|text| message.contains(text))
}

impl StoreError {
    /// diesel reports errors that it has no kind for as `Unknown`: the state of the server (time-out, shutdown, full disk,
    /// locked file) or a value that it cannot store.
    pub(super) fn from_query(error: Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Self::Taken(info.message().to_owned()),
            Error::DatabaseError(DatabaseErrorKind::Unknown, info) if is_data_error(info.message()) => {
                Self::Defect(Error::DatabaseError(DatabaseErrorKind::Unknown, info))
            }
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction
                | DatabaseErrorKind::Unknown,
                info,
            ) => Self::Unavailable(info.message().to_owned()),
            Error::BrokenTransactionManager => Self::Unavailable("a transaction was interrupted".to_owned()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::from_query(*commit_error),
            other => Self::Defect(other),
        }
    }
}
