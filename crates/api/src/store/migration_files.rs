//! The migrations in the program: Latchkey's own, and those of features, each in its own namespace.

use super::feature_migrations::FeatureMigrations;
use super::migration_version::version;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, Result};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::collections::BTreeMap;

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// All migrations of a product; without features those of Latchkey only. They run in the order of their versions: Latchkey's
/// own come first, because a namespace begins with a letter.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    features: Vec<FeatureMigrations>,
}

impl Migrations {
    /// Latchkey's own migrations, followed by those of features.
    pub fn with(features: Vec<FeatureMigrations>) -> Self {
        Self { features }
    }

    /// The names of all migrations, those of a feature with its namespace.
    pub fn names(&self) -> Vec<String> {
        let features = self.features.iter().flat_map(FeatureMigrations::names);
        builtin_names().0.into_iter().chain(features).collect()
    }

    /// Feature → version of its newest migration.
    pub fn newest_of_features(&self) -> BTreeMap<String, String> {
        let newest = |feature: &FeatureMigrations| {
            let newest = feature.names().map(|name| version(&name).to_owned()).max()?;
            Some((feature.namespace.to_owned(), newest))
        };
        self.features.iter().filter_map(newest).collect()
    }
}

impl MigrationSource<Pg> for &Migrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<Pg>>>> {
        all(&POSTGRES, &self.features)
    }
}

impl MigrationSource<Sqlite> for &Migrations {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<Sqlite>>>> {
        all(&SQLITE, &self.features)
    }
}

fn all<DB: Backend>(builtin: &EmbeddedMigrations, features: &[FeatureMigrations]) -> Result<Vec<Box<dyn Migration<DB>>>>
where
    FeatureMigrations: MigrationSource<DB>,
{
    let mut all = builtin.migrations()?;
    for feature in features {
        all.extend(MigrationSource::<DB>::migrations(feature)?);
    }
    Ok(all)
}

/// The names of Latchkey's own migrations, on PostgreSQL and on SQLite: they must be the same.
pub fn builtin_names() -> (Vec<String>, Vec<String>) {
    fn names_of<DB: Backend>(source: &EmbeddedMigrations) -> Vec<String> {
        let all = MigrationSource::<DB>::migrations(source).unwrap_or_default();
        all.iter().map(|migration| migration.name().to_string()).collect()
    }
    (names_of::<Pg>(&POSTGRES), names_of::<Sqlite>(&SQLITE))
}

/// The version of Latchkey's own newest migration.
pub fn newest_version() -> String {
    builtin_names().0.iter().map(|name| version(name).to_owned()).max().unwrap_or_default()
}
