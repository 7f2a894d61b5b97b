//! The migrations that the program brings.

use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// How many migrations this program brings, of each dialect: they must be the same.
#[must_use]
pub fn names() -> (Vec<String>, Vec<String>) {
    fn names_of<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Vec<String> {
        let all = MigrationSource::<DB>::migrations(source).unwrap_or_default();
        all.iter().map(|migration| migration.name().to_string()).collect()
    }
    (names_of::<diesel::pg::Pg>(&POSTGRES), names_of::<diesel::sqlite::Sqlite>(&SQLITE))
}
