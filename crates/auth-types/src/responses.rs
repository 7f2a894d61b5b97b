//! Response bodies.

use crate::claims::{Role, SessionId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The response of register, login and refresh.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// Seconds until the access token expires.
    pub access_expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
    /// The server's clock, Unix seconds: the client measures its own clock's error with it.
    pub server_time: i64,
    /// Who signed in.
    pub user: UserResponse,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// The same response with `TOKEN_TRANSPORT=cookie`: the refresh token is in a cookie that no script can read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CookieTokenResponse {
    /// The access token.
    pub access: String,
    /// The value of `X-CSRF-Token` in requests that the cookie authenticates; also in the cookie `csrf_token`.
    pub csrf_token: String,
    /// Seconds until the access token expires.
    pub access_expires_in: i64,
    /// Seconds until the refresh token expires.
    pub refresh_expires_in: i64,
    /// The server's clock, Unix seconds.
    pub server_time: i64,
    /// Who signed in.
    pub user: UserResponse,
}

impl fmt::Debug for CookieTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieTokenResponse").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// The response to a sign-up that must be confirmed first. It is the same whether or not the address has an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingRegistrationResponse {
    /// An opaque value. The browser stores it and sends it with the mailed link's token, to be signed in.
    pub registration: String,
}

impl fmt::Debug for PendingRegistrationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRegistrationResponse").finish_non_exhaustive()
    }
}

/// The response to a confirmation; `{}` without a notice. The token response has the same members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailVerifyResponse {
    /// `null` with a notice, because the account has no username.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = false))]
    pub username: Option<Option<String>>,
    /// What could not be done as requested.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub notice: Option<VerifyNotice>,
}

impl EmailVerifyResponse {
    /// A response with or without a notice.
    pub const fn new(notice: Option<VerifyNotice>) -> Self {
        Self { username: if notice.is_some() { Some(None) } else { None }, notice }
    }
}

/// What could not be done as requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum VerifyNotice {
    /// Another account took the username after the sign-up; the new account has none.
    UsernameTaken,
    /// From a newer server.
    #[serde(other)]
    Unknown,
}

impl VerifyNotice {
    /// The value in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The notice whose value is `name`.
    pub fn of(name: &str) -> Self {
        if name == Self::UsernameTaken.as_str() { Self::UsernameTaken } else { Self::Unknown }
    }
}

/// The user, as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserResponse {
    /// The user's number.
    pub id: UserId,
    /// The address as it was given.
    pub email: String,
    /// The second name to sign in with.
    pub username: Option<String>,
    /// What to call this person; may be empty.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Whether the address was confirmed.
    pub email_verified: bool,
    /// The path of the picture at the API, such as `/api/avatars/….jpg`. Anyone who knows the path can see the picture; a new
    /// picture has a new path.
    pub avatar_url: Option<String>,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
    /// The latest sign-in, this one included.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// The user's picture after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AvatarResponse {
    /// As in [`UserResponse`].
    pub avatar_url: Option<String>,
}

/// One of the user's live sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionResponse {
    /// The session's id.
    pub id: SessionId,
    /// Whether it is the caller's own.
    pub current: bool,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed, in steps of 5 minutes; the sign-in counts. For the caller's own, when its access token was
    /// issued.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used, in steps of 5 minutes.
    pub expires_at: DateTime<Utc>,
    /// Where the person signed in from.
    pub ip_address: Option<String>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<String>,
    /// The browser for people, such as "Firefox on Windows".
    pub device: String,
}

/// `POST /api/auth/logout/all/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedResponse {
    /// How many sessions this request ended.
    pub revoked: usize,
}

/// An empty response: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmptyResponse {}

/// `GET /api/auth/config/`: what a client needs to know before anyone signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigResponse {
    /// Whether new accounts are accepted.
    pub registration: Registration,
    /// Whether an address must be confirmed before the first sign-in.
    pub email_verification: EmailVerification,
    /// Where the refresh token travels.
    pub token_transport: TokenTransport,
    /// The rules for passwords.
    pub password: PasswordRules,
    /// The API's version.
    pub version: String,
}

/// Whether new accounts are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anyone may sign up.
    Open,
    /// Only the operator creates accounts.
    Closed,
}

/// Whether an address must be confirmed before the first sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EmailVerification {
    /// Not required.
    Optional,
    /// Required.
    Mandatory,
}

/// Where the refresh token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenTransport {
    /// In the JSON bodies.
    Body,
    /// In an `HttpOnly` cookie.
    Cookie,
}

/// The rules for passwords that a client can check; only the server checks whether a password is easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordRules {
    /// Fewest code points.
    pub min_length: usize,
    /// Most code points.
    pub max_length: usize,
}

/// `GET /healthz` and `GET /readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthResponse {
    /// `ok`, or `unavailable` with 503.
    pub status: String,
    /// Check → `ok` or the error. Empty for `/healthz`.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty", default)]
    pub checks: std::collections::BTreeMap<String, String>,
}
