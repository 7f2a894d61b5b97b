//! The public keys that verify tokens, for other services (RFC 7517).

use serde::{Deserialize, Serialize};

/// The response of `/.well-known/jwks.json`. Empty where a secret signs the tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JsonWebKeySet {
    /// First the key that signs, then those that still verify.
    pub keys: Vec<JsonWebKey>,
}

/// A public key, Ed25519 (RFC 8037, section 2) or P-256 (RFC 7518, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JsonWebKey {
    /// The family: `OKP` or `EC`.
    pub kty: String,
    /// The curve: `Ed25519` or `P-256`.
    pub crv: String,
    /// The point's x, base64url.
    pub x: String,
    /// The point's y, base64url; an `EC` key has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub y: Option<String>,
    /// The id that tokens name the key by: its thumbprint (RFC 7638).
    pub kid: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: String,
    /// The algorithm: `EdDSA` or `ES256`.
    pub alg: String,
}
