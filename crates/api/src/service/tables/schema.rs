//! The complete schema of a product.

use super::table::Table;
use crate::store::backup::Coverage;
use crate::store::migrations::Migrations;
use crate::store::{AnyConnection, QueryResult};

/// The tables of a product and the migrations that create them.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// A table comes after those that it refers to.
    pub tables: Vec<Table>,
    pub migrations: Migrations,
}

/// A declared table that the database does not have in that form.
#[derive(Debug, thiserror::Error)]
#[error("the migrations do not make what is declared: {0}")]
pub struct MissingTable(String);

impl Schema {
    /// The tables that a backup contains.
    pub fn coverage(&self) -> Coverage {
        let kept = self.tables.iter().filter(|table| table.is_backed_up);
        let not_content = self.tables.iter().filter(|table| !table.is_content);
        Coverage {
            tables: kept.map(|table| table.layout.clone()).collect(),
            not_content: not_content.map(|table| table.layout.name).collect(),
            migrations: self.migrations.clone(),
        }
    }

    /// Checks that every table exists in the database. Otherwise a deletion, an export or a backup would be the first to fail.
    pub(in crate::service) fn check(&self, connection: &mut AnyConnection) -> QueryResult<Result<(), MissingTable>> {
        for table in &self.tables {
            if let Some(absence) = table.layout.absence(connection)? {
                return Ok(Err(MissingTable(absence)));
            }
        }
        Ok(Ok(()))
    }
}
