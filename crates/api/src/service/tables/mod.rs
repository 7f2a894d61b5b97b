//! Which tables there are, and what is done with the rows of each when an account is deleted or handed out, when the database
//! is backed up, and when time passes. Deletion, export, backups and pruning are loops over this one list: Latchkey's own
//! tables are in it by the same means as a feature's.

mod erasure;
mod export;
mod own;
mod schema;
mod table;

pub(in crate::service) use erasure::Erasure;
pub(crate) use export::ExportList;
pub(in crate::service) use export::ListPosition;
pub use export::Subject;
pub use own::own_tables;
pub use schema::{MissingTable, Schema};
pub use table::{Due, Table};
