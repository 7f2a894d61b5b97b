//! Migrations of a feature: files next to its code, numbered in the feature's own namespace, so that their numbers cannot
//! collide with those of Latchkey or of another feature.

use super::migration_version::version;
use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion, Result};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use std::collections::BTreeSet;
use std::fmt;

/// One change of the schema, for both databases. [`migrations!`](crate::migrations) includes its files.
#[derive(Debug, Clone, Copy)]
pub struct SchemaChange {
    /// A number of four digits and a title: `0001_create_notes`.
    pub name: &'static str,
    pub postgres: Script,
    pub sqlite: Script,
}

/// SQL that makes a change and reverts it.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub up: &'static str,
    pub down: &'static str,
}

impl Script {
    /// Updates `tables`, the names of the existing tables, as the change does.
    fn apply(self, tables: &mut BTreeSet<String>) {
        let lines = self.up.lines().map(|line| line.split("--").next().unwrap_or_default());
        for statement in lines.collect::<Vec<_>>().join(" ").split(';') {
            let words = statement.replace('(', " ( ").to_ascii_lowercase();
            let words: Vec<_> = words.split_whitespace().map(|word| word.trim_matches('"')).collect();
            match words.as_slice() {
                ["create", "table", "if", "not", "exists", name, ..] | ["create", "table", name, ..] => {
                    _ = tables.insert((*name).to_owned());
                }
                ["drop", "table", "if", "exists", name, ..] | ["drop", "table", name, ..] => _ = tables.remove(*name),
                ["alter", "table", before, "rename", "to", after, ..] => {
                    tables.remove(*before);
                    tables.insert((*after).to_owned());
                }
                _ => {}
            }
        }
    }
}

/// The tables that exist after all of these changes, on either database.
pub fn tables_of(changes: &[SchemaChange]) -> BTreeSet<String> {
    let mut postgres = BTreeSet::new();
    let mut sqlite = BTreeSet::new();
    for change in changes {
        change.postgres.apply(&mut postgres);
        change.sqlite.apply(&mut sqlite);
    }
    postgres.union(&sqlite).cloned().collect()
}

/// The migrations of the calling module, oldest first: for each name `migrations/postgres/NAME/up.sql` and `down.sql`, and the
/// same under `migrations/sqlite`, next to the calling file. A missing file is a compile-time error.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$($crate::prelude::SchemaChange {
            name: $name,
            postgres: $crate::prelude::Script {
                up: include_str!(concat!("migrations/postgres/", $name, "/up.sql")),
                down: include_str!(concat!("migrations/postgres/", $name, "/down.sql")),
            },
            sqlite: $crate::prelude::Script {
                up: include_str!(concat!("migrations/sqlite/", $name, "/up.sql")),
                down: include_str!(concat!("migrations/sqlite/", $name, "/down.sql")),
            },
        }),+]
    };
}

/// All migrations of one feature.
#[derive(Debug, Clone, Copy)]
pub struct FeatureMigrations {
    /// The feature's name.
    pub namespace: &'static str,
    pub changes: &'static [SchemaChange],
}

impl FeatureMigrations {
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.changes.iter().map(|change| self.name(change))
    }

    fn name(&self, change: &SchemaChange) -> String {
        format!("{}:{}", self.namespace, change.name)
    }

    fn boxed<DB: Backend>(&self, script: fn(&SchemaChange) -> Script) -> Vec<Box<dyn Migration<DB>>> {
        let boxed = |change: &SchemaChange| {
            let migration = Numbered { name: QualifiedName(self.name(change)), script: script(change) };
            Box::new(migration) as Box<dyn Migration<DB>>
        };
        self.changes.iter().map(boxed).collect()
    }
}

impl MigrationSource<Pg> for FeatureMigrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<Pg>>>> {
        Ok(self.boxed(|change| change.postgres))
    }
}

impl MigrationSource<Sqlite> for FeatureMigrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<Sqlite>>>> {
        Ok(self.boxed(|change| change.sqlite))
    }
}

struct Numbered {
    name: QualifiedName,
    script: Script,
}

impl<DB: Backend> Migration<DB> for Numbered {
    fn run(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Ok(connection.batch_execute(self.script.up)?)
    }

    fn revert(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Ok(connection.batch_execute(self.script.down)?)
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &InTransaction
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}

struct QualifiedName(String);

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl MigrationName for QualifiedName {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(version(&self.0))
    }
}

/// Each migration runs in a transaction.
struct InTransaction;

impl MigrationMetadata for InTransaction {}
