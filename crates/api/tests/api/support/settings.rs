//! Settings that are read from variables.

use api::config::{DatabaseUrl, Settings, Variables};
use secrecy::ExposeSecret;

pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A valid configuration, with some variables set.
pub fn with(variables: &[(&str, &str)]) -> Variables {
    let start = Variables::default().with("SECRET_KEY", KEY);
    variables.iter().fold(start, |all, (name, value)| all.with(name, *value))
}

pub fn read(variables: &[(&str, &str)]) -> Settings {
    Settings::from_variables(with(variables)).unwrap_or_else(|error| panic!("{variables:?}: {error}"))
}

pub fn problems(variables: &[(&str, &str)]) -> Vec<String> {
    match Settings::from_variables(with(variables)) {
        Ok(_) => panic!("{variables:?} was accepted"),
        Err(error) => error.problems,
    }
}

/// The only problem, whose message begins with the variable's name.
pub fn problem(variables: &[(&str, &str)], name: &str) -> String {
    let all = problems(variables);
    assert_eq!(all.len(), 1, "{variables:?}: {all:?}");
    assert!(all[0].starts_with(&format!("{name}: ")), "{variables:?}: {all:?}");
    all[0].clone()
}

pub fn postgres_url(settings: &Settings) -> String {
    match &settings.database.url {
        DatabaseUrl::Postgres(url) => url.expose_secret().to_owned(),
        DatabaseUrl::Sqlite(path) => panic!("{} is not PostgreSQL", path.display()),
    }
}
