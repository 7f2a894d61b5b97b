//! Removes secrets from errors about arguments: an address may contain a password, and a password may have been typed in the
//! wrong position.

use crate::config::is_plain;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Replaces a possible secret.
const HIDDEN: &str = "…";

/// The error without any value that may be a secret.
pub(super) fn without_secrets(mut error: clap::Error) -> clap::Error {
    let typed = match error.kind() {
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => ContextKind::InvalidValue,
    };
    let is_shown = |typed: &str| is_plain(typed) || (error.kind() == ErrorKind::UnknownArgument && is_name(typed));
    if matches!(error.get(typed), Some(ContextValue::String(typed)) if !is_shown(typed)) {
        error.insert(typed, ContextValue::String(HIDDEN.to_owned()));
    }
    error
}

/// Whether it has the form of an argument's name. The error does not contain the text after a `=`.
fn is_name(typed: &str) -> bool {
    typed.strip_prefix("--").is_some_and(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::without_secrets;
    use clap::Parser;

    fn output(arguments: &[&str]) -> String {
        let parsed = Cli::try_parse_from([&["api"], arguments].concat());
        parsed.map_or_else(|error| without_secrets(error).to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn no_error_about_the_arguments_repeats_a_secret() {
        for arguments in [
            &["smoke", "--api", "http://bob:S3cret@api.example.com", "--web", "https://app.example.com"][..],
            &["smoke", "--api", "https://api.example.com/?token=S3cret", "--web", "https://app.example.com"],
            &["smoke", "--api", "https://api.example.com", "--web", "https://app.example.com/#S3cret"],
            &["smoke", "--api", "https://api.example.com", "--web", "https://bob:S3cret@app.example.com"],
            &["smoke", "--http-port", "bob:S3cret@80"],
            &["check", "--fail-level", "My-S3cret"],
            &["check", "--deploy=My-S3cret"],
            &["check", "My-S3cret"],
            &["create-user", "--email", "ada@example.com", "--password", "My-S3cret"],
            &["create-user", "--email", "ada@example.com", "--password=My-S3cret"],
            &["backup", "verify", "latest", "My-S3cret"],
            &["backup", "My-S3cret"],
            &["https://bob:S3cret@api.example.com"],
        ] {
            let output = output(arguments);
            assert!(output.starts_with("error: ") && !output.contains("S3cret"), "{arguments:?}: {output}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_a_secret_is_repeated() {
        for (arguments, part) in [
            (&["check", "--fail-level", "fatal"][..], "'fatal'"),
            (&["chekc"], "'chekc'"),
            (&["check", "--deplyo"], "'--deplyo'"),
            (&["smoke", "--api", "https://a.example", "--web", "https://a.example", "--http-port", "x9"], "'x9'"),
        ] {
            assert!(output(arguments).contains(part), "{}", output(arguments));
        }
    }
}
