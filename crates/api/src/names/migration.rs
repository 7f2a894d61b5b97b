//! Migration of the names of earlier releases.

use super::email::typed_email;
use super::parts::{Name, composed};
use super::username::new_username;
use auth_types::invisible::{trimmed_words, without_meaningless};

/// The migrated names of a row. A name that does not satisfy the rules is not changed, and its owner continues to sign in with
/// it.
#[derive(Debug, PartialEq, Eq)]
pub struct MigratedNames {
    pub email: Option<Name>,
    /// `None` also if the row has no username.
    pub username: Option<Name>,
    pub display_name: String,
}

/// Converts the names of a row to the form in which they would be stored today.
pub fn migrated(email: &str, username: Option<&str>, display_name: &str) -> MigratedNames {
    MigratedNames {
        email: typed_email(email).ok(),
        username: username.and_then(|name| new_username(name).ok().flatten()),
        display_name: without_meaningless(&composed(trimmed_words(display_name))),
    }
}
