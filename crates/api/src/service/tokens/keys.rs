//! The keys that sign and verify. The key determines the algorithm, not the token (RFC 8725, section 3.1).

use super::error::TokenError;
use super::jwks;
use super::jws::Jws;
use crate::config::{Curve, KeySettings, PrivateKey, PublicKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
    /// The same for every token, in base64url.
    header: String,
    signer: Signer,
}

/// A key that signs. A secret key is expanded once, not for every token.
enum Signer {
    Secret(Box<hmac::Key>),
    Pair(Algorithm, EncodingKey),
}

struct VerifyingKey {
    algorithm: Algorithm,
    /// The `kid` of its tokens. A secret key has none, so it does not verify a token with a `kid`.
    id: Option<String>,
    verifier: Verifier,
}

/// A key that verifies.
enum Verifier {
    Secret(Box<hmac::Key>),
    Public(DecodingKey),
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
        self.signing.sign(claims)
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
        Self::new(&Header::new(Algorithm::HS256), Signer::Secret(hmac_key(secret)))
    }

    fn pair(pair: &PrivateKey) -> Self {
        let der = pair.pkcs8.expose_secret();
        let key = match pair.public.curve {
            Curve::Ed25519 => EncodingKey::from_ed_der(der),
            Curve::P256 => EncodingKey::from_ec_der(der),
        };
        let algorithm = algorithm(pair.public.curve);
        let kid = Some(jwks::thumbprint(&pair.public));
        Self::new(&Header { kid, ..Header::new(algorithm) }, Signer::Pair(algorithm, key))
    }

    fn new(header: &Header, signer: Signer) -> Self {
        // Cannot fail: a header consists of texts.
        let header = serde_json::to_vec(header).unwrap_or_default();
        Self { header: URL_SAFE_NO_PAD.encode(header), signer }
    }

    /// The token in the compact form (RFC 7515, section 7.1).
    fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        let mut token = self.header.clone();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = match &self.signer {
            Signer::Secret(key) => URL_SAFE_NO_PAD.encode(hmac::sign(key, token.as_bytes())),
            Signer::Pair(algorithm, key) => crypto::sign(token.as_bytes(), key, *algorithm)?,
        };
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }
}

impl VerifyingKey {
    fn secret(secret: &SecretString) -> Self {
        Self { algorithm: Algorithm::HS256, id: None, verifier: Verifier::Secret(hmac_key(secret)) }
    }

    fn public(public: &PublicKey) -> Self {
        let key = match public.curve {
            Curve::Ed25519 => DecodingKey::from_ed_der(&public.point),
            Curve::P256 => DecodingKey::from_ec_der(&public.point),
        };
        let id = Some(jwks::thumbprint(public));
        Self { algorithm: algorithm(public.curve), id, verifier: Verifier::Public(key) }
    }

    /// A token without a `kid` may belong to any key of its algorithm.
    fn is_meant_by(&self, token: &Jws<'_>) -> bool {
        self.algorithm == token.algorithm && (token.kid.is_none() || token.kid == self.id)
    }

    fn has_signed(&self, token: &Jws<'_>) -> bool {
        let message = token.message.as_bytes();
        match &self.verifier {
            Verifier::Secret(key) => hmac::verify(key, message, &token.signature).is_ok(),
            Verifier::Public(key) => {
                let signature = URL_SAFE_NO_PAD.encode(&token.signature);
                crypto::verify(&signature, message, key, self.algorithm).is_ok_and(|valid| valid)
            }
        }
    }
}

fn hmac_key(secret: &SecretString) -> Box<hmac::Key> {
    Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()))
}

const fn algorithm(curve: Curve) -> Algorithm {
    match curve {
        Curve::Ed25519 => Algorithm::EdDSA,
        Curve::P256 => Algorithm::ES256,
    }
}
