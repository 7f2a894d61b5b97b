//! The keys of CSRF tokens.

use crate::config::KeySettings;
use crate::service::derived_key;
use crate::service::digest::same_digest;
use auth_types::SessionId;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Separates the derived keys from the secret's other uses.
const PURPOSE: &[u8] = b"latchkey csrf_token";

/// Makes and verifies the tokens.
pub struct CsrfKeys {
    /// The key of the current secret, which makes tokens; then those of the older ones, which only verify.
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

    /// Whether `token` is the session's token under any of the keys.
    pub(super) fn verify(&self, token: &str, session: SessionId) -> bool {
        self.keys.iter().any(|key| same_digest(tag(key, session).as_bytes(), token.as_bytes()))
    }
}

fn tag(key: &hmac::Key, session: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, session.0.as_bytes()))
}
