//! Configuration: read once, from the environment, here and nowhere else.
//!
//! A wrong value refuses to start. All problems are told at once, a line each, with the variable's name and the fix.

mod backup;
mod curve;
mod database;
mod decoded;
mod dotenv;
mod hosts;
mod key_ring;
mod keys;
mod log_filter;
mod mail;
mod networks;
mod origins;
mod patience;
mod pem;
mod proxies;
mod quote;
mod reader;
mod secret_key;
mod sections;
mod storage;
mod transport;
mod variables;

pub use backup::{BackupSettings, Keep, parse_recipients};
pub use curve::Curve;
pub use database::{DatabaseSettings, DatabaseUrl};
pub use decoded::decoded;
pub use key_ring::{KeyRing, PrivateKey, PublicKey};
pub use keys::KeySettings;
pub use mail::{MailSettings, MailUrl};
pub use networks::{CLOUDFLARE_AS_OF, is_private, is_shared};
pub use origins::{Origin, Origins};
pub use patience::Patience;
pub use proxies::{MOST_PROXIES, TrustedProxies};
pub use quote::shown_path;
pub use reader::{ConfigError, Problem, Variables};
pub use secret_key::generate as generate_secret;
pub use sections::{
    AccountSettings, Environment, Lifetimes, LimitSettings, OperationSettings, PasswordSettings, ServerSettings,
};
pub use storage::{S3Settings, StorageSettings};
pub use transport::TransportSettings;
pub use variables::{ReadBy, VARIABLES, Variable};

use reader::{Keeps, Reader};

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
    pub backup: BackupSettings,
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

    /// The same from variables that the caller has: tests.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found.
    pub fn from_variables(variables: Variables) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(variables, Keeps::Files);
        let settings = Self::read(&mut reader);
        let problems = reader.finish();
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::of(&problems)) }
    }

    fn read(reader: &mut Reader) -> Self {
        let environment = Environment::read(reader);
        Self {
            environment,
            server: ServerSettings::read(reader, environment),
            database: DatabaseSettings::read(reader),
            keys: KeySettings::read(reader, environment),
            lifetimes: Lifetimes::read(reader),
            origins: Origins::read(reader, environment),
            passwords: PasswordSettings::read(reader, environment),
            accounts: AccountSettings::read(reader),
            transport: TransportSettings::read(reader),
            mail: MailSettings::read(reader, environment),
            storage: StorageSettings::read(reader, environment),
            backup: BackupSettings::read(reader),
            limits: LimitSettings::read(reader, environment),
            operation: OperationSettings::read(reader, environment),
            patience: Patience::default(),
            log_filter: log_filter::read(reader),
        }
    }
}

/// A configuration that is looked at and not worked with: what is right in it, and what is wrong.
#[derive(Debug)]
pub struct Inspection {
    /// With the default where a variable is wrong.
    pub settings: Settings,
    pub problems: Vec<Problem>,
    /// Names that are set and not read, with the name that was probably meant.
    pub misspelt: Vec<(String, &'static str)>,
}

impl Inspection {
    /// Reads what [`Settings::from_env`] reads.
    #[must_use]
    pub fn of_env() -> Self {
        Self::of(Variables::from_process())
    }

    /// Refuses nothing and writes nothing, not even a development machine's key.
    #[must_use]
    pub fn of(variables: Variables) -> Self {
        let meant = |name: &str| Some((name.to_owned(), variables::meant_by(name)?));
        let misspelt = variables.names().filter_map(meant).collect();
        let mut reader = Reader::new(variables, Keeps::Nothing);
        let settings = Settings::read(&mut reader);
        Self { settings, problems: reader.finish(), misspelt }
    }
}
