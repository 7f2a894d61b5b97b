//! Reading and filling whole databases, row by row, in a form that PostgreSQL and SQLite share. Backups are made this way.
//!
//! The databases themselves write and read the rows as JSON, so the same code serves all tables.

mod coverage;
mod load;
mod rollback;
mod snapshot;

pub use coverage::{Coverage, OldCopyRule};
pub use load::{Loading, load, occupied_tables, write_once};
pub use snapshot::{DatabaseSnapshot, SnapshotError, database_id, snapshot};
