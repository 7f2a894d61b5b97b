//! What a backup contains.

use crate::store::layouts::Layout;
use crate::store::migrations::Migrations;

/// The tables that backups contain, and the schema that these belong to.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Each table comes after those that it refers to.
    pub tables: Vec<Layout>,
    /// Tables that no backup contains.
    pub left_out: Vec<&'static str>,
    pub migrations: Migrations,
}
