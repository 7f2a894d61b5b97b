//! What the server is set to, for the pages that go by it.

use super::{Loader, load};
use crate::policy::PASSWORD_RULES;
use crate::session::Session;
use auth_types::responses::{ConfigResponse, PasswordRules, Registration};
use leptos::prelude::*;

/// The server's settings, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub struct KnownServerSettings(Loader<ConfigResponse>);

/// Asks for them, unless this tab knows them.
pub fn use_server_settings() -> KnownServerSettings {
    let session = expect_context::<Session>();
    KnownServerSettings(load(move || session.server_settings()))
}

impl KnownServerSettings {
    /// What a password must be. While that is not known, what any server asks for: the rest it says itself.
    pub fn password_rules(self) -> PasswordRules {
        self.0.value.with(|known| known.as_ref().map_or(PASSWORD_RULES, |config| config.password))
    }

    /// Whether new accounts are accepted; `None` while nobody knows. Where the server does not say it, it can be tried.
    pub fn registration(self) -> Option<Registration> {
        let known = self.0.value.with(|known| known.as_ref().map(|config| config.registration));
        known.or_else(|| self.0.failure().map(|_| Registration::Open))
    }
}
