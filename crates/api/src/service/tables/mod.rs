//! The list of all tables, and what deletion, export, backups and pruning do with the rows of each. All four are loops over
//! this list. Latchkey's own tables are declared in it in the same way as a feature's.

mod builtin;
mod erasure;
mod export;
mod schema;
mod table;

pub use builtin::builtin_tables;
pub(in crate::service) use erasure::Erasure;
pub(crate) use export::ExportList;
pub use export::ExportSubject;
pub(in crate::service) use export::ListPosition;
pub use schema::{MissingTable, Schema};
pub use table::{PruneInput, Table};
