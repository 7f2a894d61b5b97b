//! Whole databases, row by row, in a form that both kinds share: what backups are made of and restored from.
//!
//! The databases themselves write and read the rows as JSON, so there is one way for all tables.

mod coverage;
mod load;
mod rollback;
mod snapshot;

pub use coverage::Coverage;
pub use load::{Loading, load, occupied_tables, write_once};
pub use snapshot::{DatabaseSnapshot, SnapshotError, snapshot};
