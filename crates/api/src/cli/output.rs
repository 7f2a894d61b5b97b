//! The output of commands.

use super::error::CliError;
use std::io::Write;

/// Prints a line. A closed pipe (`api openapi | head`) is an error like any other, not a panic.
pub(super) fn print(line: impl std::fmt::Display) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{line}").map_err(CliError::Output)
}

/// Prints a line to standard error. If that is closed or full, no one can be informed, and the exit code still says what happened.
pub(super) fn print_error(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    print(serde_json::to_string_pretty(value).map_err(std::io::Error::from)?)
}
