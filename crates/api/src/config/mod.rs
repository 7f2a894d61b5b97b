//! Configuration: read once, from the environment, here and nowhere else.
//!
//! A wrong value refuses to start. All problems are told at once, a line each, with the variable's name and the fix.

mod database;
mod mail;
mod origins;
mod patience;
mod reader;
mod secret_key;
mod sections;
mod storage;
mod transport;

pub use database::{DatabaseSettings, DatabaseUrl};
pub use mail::{MailSettings, MailUrl};
pub use origins::{Origin, Origins};
pub use patience::Patience;
pub use reader::{ConfigError, Variables};
pub use secret_key::{KeySettings, generate as generate_secret};
pub use sections::{
    AccountSettings, Environment, Lifetimes, LimitSettings, OperationSettings, PasswordSettings, ServerSettings,
};
pub use storage::{S3Settings, StorageSettings};
pub use transport::TransportSettings;

use reader::Reader;

/// All that can be configured, a struct per concern.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `APP_ENV` or `DJANGO_ENV`: `development` or `production`. Default: `development`.
    pub environment: Environment,
    pub server: ServerSettings,
    pub database: DatabaseSettings,
    pub keys: KeySettings,
    pub lifetimes: Lifetimes,
    pub origins: Origins,
    pub passwords: PasswordSettings,
    pub accounts: AccountSettings,
    pub transport: TransportSettings,
    pub mail: MailSettings,
    pub storage: StorageSettings,
    pub limits: LimitSettings,
    pub operation: OperationSettings,
    /// Not configured: the same everywhere.
    pub patience: Patience,
    /// `RUST_LOG`, as `env_logger` reads it. Default: `info`.
    pub log_filter: String,
}

impl Settings {
    /// Reads the process's environment and, in development, the file `.env` in the working directory beneath it.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::from_process())
    }

    /// The same from variables that the caller has: tests, and commands that check a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found.
    pub fn from_variables(variables: Variables) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variables);
        let environment = Environment::read(&mut reader);
        let origins = Origins::read(&mut reader, environment);
        let settings = Self {
            environment,
            server: ServerSettings::read(&mut reader, environment),
            database: DatabaseSettings::read(&mut reader),
            keys: KeySettings::read(&mut reader, environment),
            lifetimes: Lifetimes::read(&mut reader),
            origins,
            passwords: PasswordSettings::read(&mut reader, environment),
            accounts: AccountSettings::read(&mut reader),
            transport: TransportSettings::read(&mut reader),
            mail: MailSettings::read(&mut reader),
            storage: StorageSettings::read(&mut reader),
            limits: LimitSettings::read(&mut reader, environment),
            operation: OperationSettings::read(&mut reader, environment),
            patience: Patience::default(),
            log_filter: reader.text(&["RUST_LOG"]).unwrap_or_else(|| "info".to_owned()),
        };
        reader.finish().map(|()| settings)
    }
}
