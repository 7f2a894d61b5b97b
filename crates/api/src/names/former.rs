//! The canonical forms that names had in earlier releases.

use super::parts::{is_too_long, mailable_parts};
use auth_types::invisible::trimmed;
use auth_types::limits::USERNAME_MAX_LENGTH;
use unicode_normalization::UnicodeNormalization;

/// Maximum length of a username's canonical form: one letter becomes at most 18 (U+FDFA). Longer names would cost milliseconds.
const CANONICAL_MAX_LENGTH: usize = USERNAME_MAX_LENGTH * 18;

/// The canonical form of an address from when only whitespace was trimmed.
pub(super) fn former_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(address.trim())?;
    Ok(format!("{}@{domain}", local.to_lowercase()))
}

/// The canonical form of an address from when case was mapped by Unicode's `toLowerCase`, which does not compose, and treats a
/// sigma at the end of a word specially.
pub(super) fn precomposed_email(address: &str) -> Result<String, String> {
    former_email(trimmed(address))
}

/// The canonical form of a username from before PRECIS: NFKC and lower case, applied until nothing changes. Whitespace is
/// trimmed last, because some letters become whitespace.
pub(super) fn former_username(name: &str) -> String {
    if is_too_long(name) || name.nfkc().nth(CANONICAL_MAX_LENGTH).is_some() {
        return name.trim().to_owned();
    }
    let normalized = |text: &str| text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    normalized(&normalized(name)).trim().to_owned()
}
