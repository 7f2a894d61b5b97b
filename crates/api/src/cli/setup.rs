//! The setup that commands share.

use super::error::CliError;
use crate::app::Product;
use crate::clock::{SharedClock, SystemClock};
use crate::config::{self, DatabaseUrl, Settings};
use crate::service::Services;
use crate::store::migrations;
use crate::telemetry;
use std::sync::Arc;

pub(super) fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// The services of a command, with the database migrated.
pub(super) fn services(product: &Product) -> Result<Services, CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    prepare_database(&settings, product)?;
    Ok(product.services(settings, clock())?)
}

pub(super) fn prepare_database(settings: &Settings, product: &Product) -> Result<Vec<String>, CliError> {
    prepare_folder(settings)?;
    Ok(migrations::migrate(&settings.database.url, &product.schema.migrations)?)
}

pub(super) fn prepare_folder(settings: &Settings) -> Result<(), CliError> {
    let DatabaseUrl::Sqlite(path) = &settings.database.url else { return Ok(()) };
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| {
        CliError::Message(format!("cannot create the folder {} (DATABASE_URL): {error}", config::shown_path(folder)))
    })
}
