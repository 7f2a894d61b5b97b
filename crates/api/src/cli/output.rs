//! The output of commands.

use super::error::CliError;
use std::io::Write;

/// Prints a line. A closed pipe (`api openapi | head`) is an error like any other, not a panic.
pub(super) fn print(line: impl std::fmt::Display) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    print(serde_json::to_string_pretty(value).map_err(std::io::Error::from)?)
}
