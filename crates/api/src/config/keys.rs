//! The keys that tokens are signed and verified with.

use super::declare::{settings, variables};
use super::key_ring::{self, KeyRing};
use super::row::doc;
use super::secret_key;
use super::variable::{Optional, parsed};
use auth_types::invisible::is_invisible;
use secrecy::SecretString;

variables! {
    JWT_ISSUER: Optional<String> =
        parsed(parse_claim, doc("Written into tokens as `iss`, and then required. At most 255 bytes, all of them visible."));
    JWT_AUDIENCE: Optional<String> =
        parsed(parse_claim, doc("Written into tokens as `aud`, and then required. At most 255 bytes, all of them visible."));
}

settings! {
    /// The keys and claims that tokens are signed and verified with.
    pub struct KeySettings {
        /// Signs and verifies, unless `JWT_ALGORITHM` selects a key pair. In development generated once and kept under `data/`.
        pub secret_key: SecretString = secret_key::read,
        /// Older secrets that only verify.
        pub fallbacks: Vec<SecretString> = secret_key::read_fallbacks,
        /// The algorithm and the key pairs.
        pub ring: KeyRing = key_ring::read,
        pub issuer: Option<String> = JWT_ISSUER,
        pub audience: Option<String> = JWT_AUDIENCE,
    }
}

/// Longest claim, bytes. Tokens of more than 4,096 bytes are not accepted, and browsers drop a cookie of that length.
const CLAIM_MAX_BYTES: usize = 255;

fn parse_claim(value: &str) -> Result<String, String> {
    if value.len() > CLAIM_MAX_BYTES {
        return Err(format!(
            "has {} bytes, more than {CLAIM_MAX_BYTES}; every token holds it, so write less",
            value.len()
        ));
    }
    if value.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err("has an invisible character in it; type it instead of pasting it".to_owned());
    }
    Ok(value.to_owned())
}
