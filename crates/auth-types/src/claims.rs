//! The claims of the two tokens. The names are simplejwt's, so that each system verifies the other's tokens.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A user's number: the primary key of `users`, in tokens a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session's id, the `sid` claim: one sign-in on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Manages their own account.
    User,
    /// Operates the service.
    Admin,
}

impl Role {
    /// The value in tokens, JSON and the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The two kinds of token. One is never accepted as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Short-lived; opens the API.
    Access,
    /// Exchanged for the next pair.
    Refresh,
}

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Always [`TokenType::Access`].
    pub token_type: TokenType,
    /// Expiry, Unix seconds (RFC 7519, section 4.1.4).
    pub exp: i64,
    /// Issue, Unix seconds (RFC 7519, section 4.1.6).
    pub iat: i64,
    /// Identifies this token (RFC 7519, section 4.1.7), at most 64 characters.
    pub jti: String,
    /// The user's id as a decimal string; simplejwt's name for `sub`.
    pub user_id: String,
    /// The same as `user_id` (RFC 7519, section 4.1.2).
    pub sub: String,
    /// The session that this token belongs to.
    pub sid: SessionId,
    /// The user's role when the token was issued.
    pub role: Role,
    /// `JWT_ISSUER`, when configured (RFC 7519, section 4.1.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iss: Option<String>,
    /// `JWT_AUDIENCE`, when configured (RFC 7519, section 4.1.3).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aud: Option<String>,
    /// Not before, Unix seconds (RFC 7519, section 4.1.5); honoured, never written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nbf: Option<i64>,
}

/// Claims of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Always [`TokenType::Refresh`].
    pub token_type: TokenType,
    /// Expiry, Unix seconds: the session's own at the time of rotation.
    pub exp: i64,
    /// Issue, Unix seconds: the time of rotation.
    pub iat: i64,
    /// Identifies this token; the session's row has only the `jti` of the live token.
    pub jti: String,
    /// The user's id as a decimal string; simplejwt's name for `sub`.
    pub user_id: String,
    /// The same as `user_id`.
    pub sub: String,
    /// The session.
    pub sid: SessionId,
    /// The session's generation when the token was issued, from 1.
    #[serde(rename = "gen")]
    pub generation: i64,
    /// `JWT_ISSUER`, when configured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub iss: Option<String>,
    /// `JWT_AUDIENCE`, when configured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aud: Option<String>,
    /// Not before, Unix seconds; honoured, never written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nbf: Option<i64>,
}
