//! What a backup contains.

use crate::store::layouts::Layout;
use crate::store::migrations::Migrations;

/// The tables that backups contain, and the schema that these belong to.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Each table comes after those that it refers to.
    pub tables: Vec<Layout>,
    /// Tables whose rows do not make a database occupied: no backup contains them, or each process writes them at its start.
    pub not_content: Vec<&'static str>,
    pub migrations: Migrations,
}
