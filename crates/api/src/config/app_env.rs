//! The environment that the API runs in, and what it rules out.

use super::declare::variables;
use super::environment::Environment;
use super::reader::SettingsReader;
use super::row::doc;
use super::values::Variables;
use super::variable::{AnyVariable, Variable, word};

variables! {
    APP_ENV: Variable<Environment> = word(
        &[("development", Environment::Development), ("production", Environment::Production)],
        doc("Where this runs. Production turns on HTTPS, secure cookies, JSON logs and the start-up checks.")
            .aliases(&["DJANGO_ENV"]),
    );
    DEBUG: Variable<bool> = word(
        BOOLEANS,
        doc("Django's setting, which has no effect here. Refused when on in production."),
    );
}

/// Django's spellings.
const BOOLEANS: &[(&str, bool)] = &[
    ("False", false),
    ("false", false),
    ("0", false),
    ("off", false),
    ("no", false),
    ("True", true),
    ("true", true),
    ("1", true),
    ("on", true),
    ("yes", true),
];

/// Other defaults depend on it, so it is read first.
pub(super) fn read(reader: &mut SettingsReader) -> Environment {
    let environment = reader.get(&APP_ENV);
    reader.set_environment(environment);
    if reader.get(&DEBUG) && environment.is_production() {
        reader.problem(DEBUG.name(), "must not be on in production; set DEBUG=False or remove it");
    }
    environment
}

/// Whether these variables select production, under any of its names.
pub(super) fn is_production(variables: &Variables) -> bool {
    let parsed = |name| APP_ENV.parse(variables.get(name)?).ok();
    APP_ENV.row().names().filter_map(parsed).any(Environment::is_production)
}
