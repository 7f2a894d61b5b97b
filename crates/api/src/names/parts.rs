//! What names of every kind are made with.

use auth_types::limits::{EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH};
use unicode_normalization::UnicodeNormalization;

/// A username in any of its forms: no letter is written with more than eight code points of four bytes.
const USERNAME_MAX_BYTES: usize = USERNAME_MAX_LENGTH * 32;

/// A name that may be stored: as it is shown or mailed, and its canonical form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    pub shown: String,
    pub canonical: String,
}

pub(super) fn mailable_parts(address: &str) -> Result<(String, String), String> {
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    // Before anything is normalised. A canonical address comes through here, too, and is up to four times as long.
    let address = Some(address).filter(|address| address.len() <= 4 * EMAIL_MAX_LENGTH).ok_or_else(wrong)?;
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    Ok((local.nfc().collect(), domain))
}

/// The same name with letters that some keyboards send in two parts, `e` and its accent, put together (NFC).
pub(super) fn composed(name: &str) -> String {
    if is_too_long(name) { name.to_owned() } else { name.nfc().collect() }
}

/// Longer than any name can become by being composed: the rules refuse it as it is.
pub(super) fn is_too_long(name: &str) -> bool {
    name.len() > USERNAME_MAX_BYTES
}
