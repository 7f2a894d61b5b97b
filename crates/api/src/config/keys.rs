//! The keys that tokens are signed and verified with.

use super::declare::{settings, variables};
use super::key_ring::{self, KeyRing};
use super::row::says;
use super::secret_key;
use super::variable::{Optional, text};
use secrecy::SecretString;

variables! {
    JWT_ISSUER: Optional<String> = text(says("Written into tokens as `iss`, and then required."));
    JWT_AUDIENCE: Optional<String> = text(says("Written into tokens as `aud`, and then required."));
}

settings! {
    /// What tokens are signed and verified with.
    pub struct KeySettings {
        /// Signs and verifies, unless `JWT_ALGORITHM` names another way. In development made once and kept under `data/`.
        pub secret_key: SecretString = secret_key::read,
        /// Further secrets that verify.
        pub fallbacks: Vec<SecretString> = secret_key::read_fallbacks,
        /// The algorithm and the key pairs.
        pub ring: KeyRing = key_ring::read,
        pub issuer: Option<String> = JWT_ISSUER,
        pub audience: Option<String> = JWT_AUDIENCE,
    }
}
