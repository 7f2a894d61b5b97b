//! What all kinds of names share.

use auth_types::limits::{EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH};
use unicode_normalization::UnicodeNormalization;

/// Maximum length of a username in any form: a letter has at most eight code points of four bytes.
const USERNAME_MAX_BYTES: usize = USERNAME_MAX_LENGTH * 32;

/// A name that may be stored: as it is shown or mailed, and its canonical form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    pub shown: String,
    pub canonical: String,
}

pub(super) fn mailable_parts(address: &str) -> Result<(String, String), String> {
    let wrong = || "Enter an email address such as name@example.com.".to_owned();
    // Checked before normalisation. A canonical address also passes through here, and is up to four times as long.
    let address = Some(address).filter(|address| address.len() <= 4 * EMAIL_MAX_LENGTH).ok_or_else(wrong)?;
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    Ok((local.nfc().collect(), domain))
}

/// Composes letters that some keyboards send in two parts, such as `e` and its accent (NFC).
pub(super) fn composed(name: &str) -> String {
    if is_too_long(name) { name.to_owned() } else { name.nfc().collect() }
}

/// Whether a name is longer than any composed name can be: the rules refuse it without composing it.
pub(super) fn is_too_long(name: &str) -> bool {
    name.len() > USERNAME_MAX_BYTES
}
