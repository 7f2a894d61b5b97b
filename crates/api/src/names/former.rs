//! Names that earlier releases have stored: how they are found, and what they become.

use super::{Name, composed, is_too_long, mailable_parts, new_username, typed_email};
use auth_types::invisible::{find_meaningless, trimmed};
use auth_types::limits::USERNAME_MAX_LENGTH;
use unicode_normalization::UnicodeNormalization;

/// A username's canonical form: no letter becomes more than 18 (U+FDFA). A name that has room for more of them than a
/// username has letters would cost milliseconds.
const CANONICAL_MAX_LENGTH: usize = USERNAME_MAX_LENGTH * 18;

/// The canonical form that an address had when nothing but blanks was trimmed.
///
/// # Errors
/// As [`canonical_email`](super::canonical_email).
pub(super) fn former_email(address: &str) -> Result<String, String> {
    let (local, domain) = mailable_parts(address.trim())?;
    Ok(format!("{}@{domain}", local.to_lowercase()))
}

/// The canonical form that an address had when case was Unicode's `toLowerCase`, which composes nothing and knows a sigma at
/// the end of a word.
///
/// # Errors
/// As [`canonical_email`](super::canonical_email).
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

/// What the names of a row become. A name that does not fit the rules stays as it is: whoever has it goes on signing in with
/// it.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    pub email: Option<Name>,
    /// `None` where there is none, too.
    pub username: Option<Name>,
    pub display_name: String,
}

/// Brings the names of a row into the form that they would be stored in today.
#[must_use]
pub fn fold(email: &str, username: Option<&str>, display_name: &str) -> Folded {
    Folded {
        email: typed_email(email).ok(),
        username: username.and_then(|name| new_username(name).ok().flatten()),
        display_name: without_meaningless(composed(trimmed(display_name))),
    }
}

fn without_meaningless(mut text: String) -> String {
    while let Some(place) = find_meaningless(&text) {
        text.remove(place);
    }
    text
}
