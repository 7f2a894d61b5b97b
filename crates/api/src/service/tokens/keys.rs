//! The keys that sign and verify. The key determines the algorithm, not the token (RFC 8725, section 3.1).

use super::error::TokenError;
use super::jwks;
use super::jws::Jws;
use crate::config::{Curve, KeySettings, PrivateKey, PublicKey};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// The one signing key, and all verifying keys.
pub(super) struct Keys {
    signing: SigningKey,
    /// There are few, so they are searched linearly.
    verifying: Vec<VerifyingKey>,
}

struct SigningKey {
    /// The same for every token.
    header: Header,
    key: EncodingKey,
}

struct VerifyingKey {
    algorithm: Algorithm,
    /// The `kid` of its tokens. A secret key has none, so it does not verify a token with a `kid`.
    id: Option<String>,
    key: DecodingKey,
}

impl Keys {
    /// The secret key verifies tokens only if it also signs them; otherwise it is used for other purposes only.
    pub(super) fn new(settings: &KeySettings) -> Self {
        let (signing, secret_key) = match &settings.ring.signing {
            Some(pair) => (SigningKey::pair(pair), None),
            None => (SigningKey::secret(&settings.secret_key), Some(&settings.secret_key)),
        };
        let pairs = settings.ring.public.iter().map(VerifyingKey::public);
        let secrets = secret_key.into_iter().chain(&settings.fallbacks).map(VerifyingKey::secret);
        Self { signing, verifying: pairs.chain(secrets).collect() }
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        jsonwebtoken::encode(&self.signing.header, claims, &self.signing.key)
    }

    pub(super) fn verify(&self, token: &Jws<'_>) -> Result<(), TokenError> {
        if token.kid.is_some() && !self.verifying.iter().any(|key| key.id == token.kid) {
            return Err(TokenError::KeyUnknown);
        }
        let is_signed = self.verifying.iter().any(|key| key.is_meant_by(token) && key.has_signed(token));
        if is_signed { Ok(()) } else { Err(TokenError::Malformed) }
    }
}

impl SigningKey {
    fn secret(secret: &SecretString) -> Self {
        let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
        Self { header: Header::new(Algorithm::HS256), key }
    }

    fn pair(pair: &PrivateKey) -> Self {
        let der = pair.pkcs8.expose_secret();
        let key = match pair.public.curve {
            Curve::Ed25519 => EncodingKey::from_ed_der(der),
            Curve::P256 => EncodingKey::from_ec_der(der),
        };
        let kid = Some(jwks::thumbprint(&pair.public));
        Self { header: Header { kid, ..Header::new(algorithm(pair.public.curve)) }, key }
    }
}

impl VerifyingKey {
    fn secret(secret: &SecretString) -> Self {
        let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
        Self { algorithm: Algorithm::HS256, id: None, key }
    }

    fn public(public: &PublicKey) -> Self {
        let key = match public.curve {
            Curve::Ed25519 => DecodingKey::from_ed_der(&public.point),
            Curve::P256 => DecodingKey::from_ec_der(&public.point),
        };
        Self { algorithm: algorithm(public.curve), id: Some(jwks::thumbprint(public)), key }
    }

    /// A token without a `kid` may belong to any key of its algorithm.
    fn is_meant_by(&self, token: &Jws<'_>) -> bool {
        self.algorithm == token.algorithm && (token.kid.is_none() || token.kid == self.id)
    }

    fn has_signed(&self, token: &Jws<'_>) -> bool {
        crypto::verify(token.signature, token.message.as_bytes(), &self.key, self.algorithm).is_ok_and(|valid| valid)
    }
}

const fn algorithm(curve: Curve) -> Algorithm {
    match curve {
        Curve::Ed25519 => Algorithm::EdDSA,
        Curve::P256 => Algorithm::ES256,
    }
}
