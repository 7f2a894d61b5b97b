//! What is logged.

use super::declare::variables;
use super::quote::quoted_entry;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, parsed};
use log::LevelFilter;
use std::str::FromStr;

variables! {
    RUST_LOG: Optional<String> = parsed(
        parse,
        doc("What is logged, a list of levels (`off`, `error`, `warn`, `info`, `debug`, `trace`) or `MODULE=LEVEL`.")
            .default_value("info"),
    );
}

pub(super) fn read(reader: &mut SettingsReader) -> String {
    reader.find(&RUST_LOG).unwrap_or_else(|| "info".to_owned())
}

/// `env_logger` skips directives that do not parse, and reads a misspelt level as a module's name: then nothing is logged.
fn parse(value: &str) -> Result<String, String> {
    let (directives, _expression) = value.split_once('/').unwrap_or((value, ""));
    let directives = directives.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    let level =
        |directive: &str| LevelFilter::from_str(directive.rsplit_once('=').map_or(directive, |(_, level)| level));
    match (1..).zip(directives).find(|(_, directive)| level(directive).is_err()) {
        None => Ok(value.to_owned()),
        Some((number, directive)) => {
            let fix = "write off, error, warn, info, debug or trace, or MODULE=LEVEL";
            Err(format!("{} has no known level; {fix}", quoted_entry(number, directive)))
        }
    }
}
