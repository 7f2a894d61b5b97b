//! What names of earlier releases become.

use super::email::typed_email;
use super::parts::{Name, composed};
use super::username::new_username;
use auth_types::invisible::{trimmed_words, without_meaningless};

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
pub fn fold(email: &str, username: Option<&str>, display_name: &str) -> Folded {
    Folded {
        email: typed_email(email).ok(),
        username: username.and_then(|name| new_username(name).ok().flatten()),
        display_name: without_meaningless(&composed(trimmed_words(display_name))),
    }
}
