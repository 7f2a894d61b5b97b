//! The keys that tokens are signed and verified with.

use super::key_ring::{self, KeyRing};
use super::reader::Reader;
use super::secret_key;
use super::sections::Environment;
use secrecy::SecretString;

/// What tokens are signed and verified with.
#[derive(Debug, Clone)]
pub struct KeySettings {
    /// `SECRET_KEY` or `DJANGO_SECRET_KEY`: signs and verifies, unless `JWT_ALGORITHM` names another way. Default: none
    /// in production; in development made once and kept under `data/`.
    pub secret_key: SecretString,
    /// `SECRET_KEY_FALLBACKS`, comma-separated: further secrets that verify. Default: none.
    pub fallbacks: Vec<SecretString>,
    /// `JWT_ALGORITHM`, `HS256`, `EdDSA` or `ES256`, and `JWT_PRIVATE_KEY`, keys in PEM. Default: `HS256`, no keys.
    pub ring: KeyRing,
    /// `JWT_ISSUER`: written as `iss` and required, when set.
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: written as `aud` and required, when set.
    pub audience: Option<String>,
}

impl KeySettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        Self {
            secret_key: secret_key::read(reader, environment),
            fallbacks: secret_key::read_fallbacks(reader, environment),
            ring: key_ring::read(reader),
            issuer: reader.text("JWT_ISSUER"),
            audience: reader.text("JWT_AUDIENCE"),
        }
    }
}
