//! The products under test: Latchkey without a feature, the program with its features, and the program with all features.

use api::app::{App, Product};
use api::config::DatabaseUrl;
use api::http::Bounds;
use api::store::backup::Coverage;
use api::store::migrations::{self, MigrateError, Migrations};
use api::store::{AnyConnection, applied_migrations};
use auth_types::responses::TokenTransport;
use serde_json::Value;

/// The program's own features.
#[path = "../../../src/bin/api/main.rs"]
#[expect(dead_code, reason = "its main function")]
mod program;

/// The example.
#[path = "../../../../../examples/notes/api/mod.rs"]
mod notes;

/// A feature of the tests, which declares what the others do not.
#[path = "../../fixture_polls/mod.rs"]
mod fixture_polls;

/// The program's features and those of the tests, for tests that visit every route.
pub fn features() -> App {
    program::app().feature(notes::feature()).feature(fixture_polls::feature())
}

fn latchkey() -> Product {
    App::new().assemble().unwrap()
}

pub fn bounds() -> Vec<(String, Bounds)> {
    latchkey().endpoints.bounds()
}

pub fn openapi(transport: TokenTransport) -> Value {
    serde_json::to_value(latchkey().endpoints.openapi(transport)).unwrap()
}

pub fn coverage() -> Coverage {
    latchkey().schema.coverage()
}

/// Whether a table is Latchkey's and not a feature's.
pub fn is_own_table(name: &str) -> bool {
    let Coverage { tables, not_content, .. } = coverage();
    tables.iter().any(|table| table.name == name) || not_content.contains(&name)
}

pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, MigrateError> {
    migrations::migrate(url, &Migrations::default())
}

/// Migrates as the program does when it starts.
pub fn migrate_as_the_program(url: &DatabaseUrl) -> Result<Vec<String>, MigrateError> {
    migrations::migrate(url, &program::app().assemble().unwrap().schema.migrations)
}

pub fn revert_all(url: &DatabaseUrl) -> Result<(), MigrateError> {
    migrations::revert_all(url, &Migrations::default())
}

pub fn missing_migrations(connection: &mut AnyConnection) -> Vec<String> {
    applied_migrations::missing(connection, &Migrations::default()).unwrap()
}
