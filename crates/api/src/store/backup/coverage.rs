//! What a backup contains.

use crate::store::layouts::Layout;
use crate::store::migrations::Migrations;
use std::collections::BTreeMap;

/// What a restore does with the rows of a table if the copy is older than the data that it replaces. When a database only moves, all rows
/// are restored as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldCopyRule {
    /// They are restored as they are.
    Keep,
    /// They are not restored: since the copy was made, a link may have been used, or a mail sent.
    Skip,
    /// Sessions are restored as revoked: since the copy was made, one may have been stolen and revoked.
    Revoke,
}

/// The tables that backups contain, and the schema that these belong to.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Each table comes after those that it refers to.
    pub tables: Vec<Layout>,
    /// Tables whose rows do not make a database occupied: no backup contains them, or each process writes them at its start.
    pub not_content: Vec<&'static str>,
    /// Table → its rule.
    pub old_copy_rules: BTreeMap<&'static str, OldCopyRule>,
    pub migrations: Migrations,
}
