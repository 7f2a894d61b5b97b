//! The canonical forms that names had in earlier releases.

use super::parts::{is_too_long, mailable_parts};
use auth_types::invisible::trimmed;
use auth_types::limits::USERNAME_MAX_LENGTH;
use unicode_normalization::UnicodeNormalization;

/// A username's canonical form: no letter becomes more than 18 (U+FDFA). A name that has room for more of them than a
/// username has letters would cost milliseconds.
const CANONICAL_MAX_LENGTH: usize = USERNAME_MAX_LENGTH * 18;

/// The canonical form that an address had when nothing but blanks was trimmed.
pub(super) fn former_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(address.trim())?;
    Ok(format!("{}@{domain}", local.to_lowercase()))
}

/// The canonical form that an address had when case was Unicode's `toLowerCase`, which composes nothing and knows a sigma at
/// the end of a word.
pub(super) fn precomposed_email(address: &str) -> Result<String, String> {
    former_email(trimmed(address))
}

/// The canonical form that a username had before PRECIS: NFKC and lower case, applied until nothing changes any more. Blanks
/// go last, because some letters become one.
pub(super) fn former_username(name: &str) -> String {
    if is_too_long(name) || name.nfkc().nth(CANONICAL_MAX_LENGTH).is_some() {
        return name.trim().to_owned();
    }
    let fold = |text: &str| text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    fold(&fold(name)).trim().to_owned()
}
