//! Configuration: read once, from the environment, in this module only.
//!
//! A wrong value prevents the start. All problems are reported together, one per line, with the variable's name and the fix.

mod accounts;
mod app_env;
mod backup;
mod client_build;
mod curve;
mod database;
mod declare;
mod decoded;
pub mod document;
mod dotenv;
mod environment;
mod hosts;
mod key_ring;
mod keys;
mod lifetimes;
mod limits;
mod log_filter;
mod mail;
mod networks;
mod operation;
mod origins;
mod passwords;
mod paths;
mod pem;
mod platform;
mod problem;
mod process;
mod product;
mod proxies;
mod quote;
mod reader;
mod row;
mod secret_key;
mod server;
mod spelling;
mod storage;
mod table;
mod timeouts;
mod transport;
mod values;
mod variable;

pub use accounts::AccountSettings;
pub use backup::{BackupSettings, Keep, parse_recipients};
pub use curve::Curve;
pub use database::{DatabaseSettings, DatabaseUrl};
pub use decoded::decoded;
pub use environment::Environment;
pub use key_ring::{KeyRing, PrivateKey, PublicKey};
pub use keys::KeySettings;
pub use lifetimes::Lifetimes;
pub use limits::LimitSettings;
pub use mail::{MailSettings, MailUrl};
pub use networks::{CLOUDFLARE_AS_OF, is_private, is_shared};
pub use operation::OperationSettings;
pub use origins::{Origin, Origins};
pub use passwords::PasswordSettings;
pub use paths::folder_of;
pub use problem::{ConfigError, ConfigProblem};
pub use product::ProductSettings;
pub use proxies::{MAX_PROXIES, TrustedProxies};
pub(crate) use quote::is_plain;
pub use quote::shown_path;
pub use row::{Preset, VariableRow, doc};
pub use secret_key::generate as generate_secret;
pub use server::ServerSettings;
pub use storage::{S3Settings, StorageSettings};
pub use table::variables;
pub use timeouts::Timeouts;
pub use transport::TransportSettings;
pub use values::Variables;
pub use variable::{AnyVariable, Optional, Variable, WholeNumber, number, parsed, text, word};

use declare::settings;
use reader::{Persistence, SettingsReader};

settings! {
    /// The whole configuration, a struct per concern.
    pub struct Settings {
        /// Read first, because other defaults depend on it.
        pub environment: Environment = app_env::read,
        pub server: ServerSettings = ServerSettings::read,
        pub database: DatabaseSettings = DatabaseSettings::read,
        pub keys: KeySettings = KeySettings::read,
        pub lifetimes: Lifetimes = Lifetimes::read,
        pub origins: Origins = Origins::read,
        pub passwords: PasswordSettings = PasswordSettings::read,
        pub accounts: AccountSettings = AccountSettings::read,
        pub transport: TransportSettings = TransportSettings::read,
        pub mail: MailSettings = MailSettings::read,
        pub storage: StorageSettings = StorageSettings::read,
        pub backup: BackupSettings = BackupSettings::read,
        pub limits: LimitSettings = LimitSettings::read,
        pub operation: OperationSettings = OperationSettings::read,
        pub product: ProductSettings = ProductSettings::read,
        /// Not configurable: the same everywhere.
        pub timeouts: Timeouts = |_: &mut SettingsReader| Timeouts::default(),
        /// As `env_logger` reads it.
        pub log_filter: String = log_filter::read,
    }
}

impl Settings {
    /// Reads the process's environment and, in development, the file `.env` in the working directory for what it lacks.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(Variables::from_process())
    }

    /// The same from given variables, for tests.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem that was found.
    pub fn from_variables(variables: Variables) -> Result<Self, ConfigError> {
        let mut reader = SettingsReader::new(variables, Persistence::Files);
        let settings = Self::read(&mut reader);
        let problems = reader.finish();
        if problems.is_empty() { Ok(settings) } else { Err(ConfigError::of(&problems)) }
    }
}

/// A configuration that is checked and not used: its settings, and what is wrong with it.
#[derive(Debug)]
pub struct Inspection {
    /// With the default for each variable that is wrong.
    pub settings: Settings,
    pub problems: Vec<ConfigProblem>,
    /// Names that are set but unknown, with the name that was probably meant.
    pub misspelt: Vec<(String, &'static str)>,
}

impl Inspection {
    /// Reads what [`Settings::from_env`] reads.
    pub fn of_env() -> Self {
        Self::of(Variables::from_process())
    }

    /// Reads these variables. Never fails and writes no file, not even a development machine's key.
    pub fn of(variables: Variables) -> Self {
        let meant = |name: &str| Some((name.to_owned(), spelling::meant_by(name)?));
        let misspelt = variables.names().filter_map(meant).collect();
        let mut reader = SettingsReader::new(variables, Persistence::Nothing);
        let settings = Settings::read(&mut reader);
        Self { settings, problems: reader.finish(), misspelt }
    }
}
