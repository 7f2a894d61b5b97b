//! The server's settings, for the pages that depend on them.

use super::{Loader, load};
use crate::policy::PASSWORD_RULES;
use crate::session::SessionOwner;
use auth_types::responses::{ConfigResponse, PasswordRules, Registration};
use leptos::prelude::*;

/// The server's settings, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub struct KnownServerSettings(Loader<ConfigResponse>);

/// Fetches the settings, unless this tab has them.
pub fn use_server_settings() -> KnownServerSettings {
    let session = expect_context::<SessionOwner>();
    KnownServerSettings(load(move || session.server_settings()))
}

impl KnownServerSettings {
    /// The rules for passwords. Until they are known, the minimum of every server; the server checks the rest.
    pub fn password_rules(self) -> PasswordRules {
        self.0.value.with(|known| known.as_ref().map_or(PASSWORD_RULES, |config| config.password))
    }

    /// Whether new accounts are accepted; `None` until that is known. If the settings cannot be fetched, a sign-up can be
    /// attempted.
    pub fn registration(self) -> Option<Registration> {
        let known = self.0.value.with(|known| known.as_ref().map(|config| config.registration));
        known.or_else(|| self.0.failure().map(|_| Registration::Open))
    }
}
