//! What a backup holds.

use crate::store::layouts::Layout;
use crate::store::migrations::Migrations;

/// The tables that backups are made of, and the schema that these belong to.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// What a table refers to comes before it.
    pub tables: Vec<Layout>,
    /// Tables that no backup holds.
    pub left_out: Vec<&'static str>,
    pub migrations: Migrations,
}
