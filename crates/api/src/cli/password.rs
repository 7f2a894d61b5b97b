//! Reads a password from standard input.

use super::error::CliError;
use secrecy::SecretString;
use std::io::BufRead;

/// The first line of standard input.
pub(super) fn read_password() -> Result<SecretString, CliError> {
    let refuse = |what| Err(CliError::Message(format!("the password on standard input {what}")));
    let mut line = Vec::new();
    std::io::stdin().lock().read_until(b'\n', &mut line)?;
    let Ok(line) = std::str::from_utf8(&line) else { return refuse("is not UTF-8 text") };
    // Some editors begin a file with a byte-order mark. It, a NUL and a line break cannot be typed into a browser's form.
    let password = line.strip_prefix('\u{feff}').unwrap_or(line).trim_end_matches(['\r', '\n']);
    if password.contains('\0') {
        return refuse("has a NUL character; is it UTF-16 text?");
    }
    if password.contains('\r') {
        return refuse("has a carriage return; a line ends with a line feed");
    }
    if password.is_empty() {
        return refuse("is empty");
    }
    Ok(password.to_owned().into())
}
