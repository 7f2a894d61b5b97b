//! Bodies that the API answers with.

use crate::claims::{Role, SessionId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The answer of register, login and refresh.
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

/// The same answer with `TOKEN_TRANSPORT=cookie`: the refresh token comes in a cookie that no script can read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CookieTokenResponse {
    /// The access token.
    pub access: String,
    /// What `X-CSRF-Token` must say in requests that the cookie authenticates; the cookie `csrf_token` holds it, too.
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

/// The answer of a sign-up that has to be confirmed first. It is the same whether or not the address has an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PendingRegistrationResponse {
    /// Opaque. The browser keeps it and sends it with the mailed link's token, to be signed in.
    pub registration: String,
}

impl fmt::Debug for PendingRegistrationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingRegistrationResponse").finish_non_exhaustive()
    }
}

/// What a confirmed sign-up should know; `{}` where there is nothing to say. The token response has the same members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailVerifyResponse {
    /// `null` with a notice: the account has no username.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required = false))]
    pub username: Option<Option<String>>,
    /// What did not go as asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub notice: Option<VerifyNotice>,
}

impl EmailVerifyResponse {
    /// With a notice where there is one.
    pub const fn new(notice: Option<VerifyNotice>) -> Self {
        Self { username: if notice.is_some() { Some(None) } else { None }, notice }
    }
}

/// What did not go as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerifyNotice {
    /// Somebody else took the username after the sign-up; the account was made without one.
    UsernameTaken,
    /// From a newer server.
    #[serde(other)]
    Unknown,
}

/// A user, as they see themselves.
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
    /// Where the picture is: a path below the API's own address, such as `/api/avatars/….jpg`. Whoever knows it can see
    /// the picture; a new picture has a new one.
    pub avatar_url: Option<String>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// The latest sign-in before or at this answer.
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
    /// Whether it is the one that asks.
    pub current: bool,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed, in steps of 5 minutes; sign-in counts. Of the one that asks: when its access token was made.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used, in steps of 5 minutes.
    pub expires_at: DateTime<Utc>,
    /// Where the person signed in from.
    pub ip_address: Option<String>,
    /// The browser's own words.
    pub user_agent: Option<String>,
    /// The same for people, such as "Firefox on Windows".
    pub device: String,
}

/// `POST /api/auth/logout/all/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevokedResponse {
    /// How many sessions this call ended.
    pub revoked: usize,
}

/// An answer that says nothing but "done": `{}`.
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
    /// What a password must be.
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
    /// Accounts are made by the operator.
    Closed,
}

/// Whether an address must be confirmed before the first sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EmailVerification {
    /// It may be.
    Optional,
    /// It must be.
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

/// What a password must be; whether it is too easy to guess only the server tells.
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
    /// Check → `ok` or what is wrong. Empty for `/healthz`.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty", default)]
    pub checks: std::collections::BTreeMap<String, String>,
}
