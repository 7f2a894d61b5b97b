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
            old_copy_rules: self.tables.iter().map(|table| (table.layout.name, table.old_copy_rule)).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::backup::OldCopyRule;
    use crate::store::layouts;

    #[test]
    fn a_table_of_a_feature_may_be_skipped_when_an_old_copy_is_restored() {
        let declared = |table: Table| Schema { tables: vec![table], ..Schema::default() }.coverage().old_copy_rules;
        let kept = Table::of(layouts::stray_files(), OldCopyRule::Keep);
        assert_eq!(declared(kept.clone())["stray_files"], OldCopyRule::Keep);
        assert_eq!(declared(kept.not_restored_from_old_copies())["stray_files"], OldCopyRule::Skip);
    }
}
