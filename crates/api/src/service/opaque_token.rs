//! Opaque tokens: 256 unpredictable bits without content, unlike a JWT. The database stores only their hashes.

use super::digest::digest_of;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// The system provided no random bytes.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the system provides no random bytes")]
pub struct NoRandomBytes;

/// A token for its holder, and its hash for the table.
#[derive(Debug, Clone)]
pub struct OpaqueToken {
    pub token: SecretString,
    pub hash: Vec<u8>,
}

impl OpaqueToken {
    /// A random token.
    pub fn random() -> Result<Self, NoRandomBytes> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Self::of(&bytes))
    }

    /// The token with these bytes, which must be unpredictable.
    pub(in crate::service) fn of(bytes: &[u8]) -> Self {
        let token = URL_SAFE_NO_PAD.encode(bytes);
        Self { hash: Self::hash_of(&token), token: token.into() }
    }

    /// The hash under which the table stores a token.
    pub fn hash_of(token: &str) -> Vec<u8> {
        digest_of(token.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::OpaqueToken;
    use auth_types::limits::LINK_TOKEN_LENGTH;
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_has_the_length_that_clients_expect_in_a_link() {
        let length = OpaqueToken::random().map(|link| link.token.expose_secret().len());
        assert_eq!(length.ok(), Some(LINK_TOKEN_LENGTH));
    }
}
