//! Latchkey without a feature, as tests ask about it.

use api::app::{App, Product};
use api::config::DatabaseUrl;
use api::http::Bounds;
use api::store::backup::Coverage;
use api::store::migrations::{self, MigrateError, Migrations};
use api::store::{AnyConnection, state};
use auth_types::responses::TokenTransport;
use serde_json::Value;

/// The product with its own features and the one of the example.
pub fn features() -> App {
    crate::product::app().feature(crate::notes::feature())
}

fn latchkey() -> Product {
    App::new().assemble().unwrap()
}

pub fn bounds() -> Vec<(String, Bounds)> {
    latchkey().surface.bounds()
}

pub fn openapi(transport: TokenTransport) -> Value {
    serde_json::to_value(latchkey().surface.openapi(transport)).unwrap()
}

pub fn coverage() -> Coverage {
    latchkey().schema.coverage()
}

pub fn migrate(url: &DatabaseUrl) -> Result<Vec<String>, MigrateError> {
    migrations::migrate(url, &Migrations::default())
}

pub fn revert_all(url: &DatabaseUrl) -> Result<(), MigrateError> {
    migrations::revert_all(url, &Migrations::default())
}

pub fn missing_migrations(connection: &mut AnyConnection) -> Vec<String> {
    state::missing(connection, &Migrations::default()).unwrap()
}
