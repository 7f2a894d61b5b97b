//! Why a command failed.

use crate::app;
use crate::clock::WrongClock;
use crate::config;
use crate::service::backup::BackupError;
use crate::service::upkeep::start;
use crate::store::StoreError;
use crate::store::migrations::MigrateError;

/// Why a command failed, as a line for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error("{0}")]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("{0}")]
    Services(#[from] app::ServicesError),
    #[error("{0}")]
    Collision(#[from] app::Collision),
    #[error("{0}")]
    Start(#[from] start::DatabaseStartError),
    #[error("{0}")]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("standard output cannot be written: {0}")]
    Output(std::io::Error),
    /// What failed after a backup was stored, each in a line.
    #[error("{}", .1.iter().map(|error| format!("{} is stored, but {error}", .0)).collect::<Vec<_>>().join("\n"))]
    Stored(String, Vec<CliError>),
    #[error("cannot send requests: {0}")]
    Smoke(#[from] reqwest::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What is not done because the clock is wrong.
    #[error("{0}: this machine's clock {1}; set it by NTP")]
    Clock(&'static str, WrongClock),
    #[error("{0}")]
    Message(String),
}
