//! The keys that CSRF tokens are made with.

use crate::config::KeySettings;
use crate::service::derived_key;
use crate::service::passwords::hashing::same_digest;
use auth_types::SessionId;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Sets the derived keys apart from what else the secret signs.
const PURPOSE: &[u8] = b"latchkey csrf_token";

/// Makes and verifies the tokens.
pub struct CsrfKeys {
    /// Of the current secret, which makes; then of the older ones, which verify.
    keys: Vec<hmac::Key>,
}

impl fmt::Debug for CsrfKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfKeys").finish_non_exhaustive()
    }
}

impl CsrfKeys {
    pub fn new(settings: &KeySettings) -> Self {
        let secrets = std::iter::once(&settings.secret_key).chain(&settings.fallbacks);
        Self { keys: secrets.map(|secret| derived_key(secret, PURPOSE)).collect() }
    }

    /// The session's token.
    pub fn token(&self, session: SessionId) -> String {
        self.keys.first().map(|key| tag(key, session)).unwrap_or_default()
    }

    /// Whether it is the session's token, of any of the keys.
    pub(super) fn verify(&self, token: &str, session: SessionId) -> bool {
        self.keys.iter().any(|key| same_digest(tag(key, session).as_bytes(), token.as_bytes()))
    }
}

fn tag(key: &hmac::Key, session: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, session.0.as_bytes()))
}
